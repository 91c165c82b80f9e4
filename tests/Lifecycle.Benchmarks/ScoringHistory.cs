namespace Lifecycle.Benchmarks;

/// <summary>
/// Leads with scores, and what they did over ninety days, straight into Scoring's tables: visits of pages (one in ten with a click id of
/// its own), e-mails, forms, downloads and tracked events. Activities lie in order of time, as they come in, so that one lead's are far
/// apart.
/// </summary>
internal static class ScoringHistory
{
    /// <summary>Id of a lead, by its number from 1.</summary>
    public static string LeadId(int number) =>
        $"01990000-{number >> 16:x4}-7{number & 4095:x3}-8{(number >> 12) & 4095:x3}-{number:x12}";

    /// <param name="suite">Where.</param>
    /// <param name="leads">How many leads.</param>
    /// <param name="perLead">Activities of each.</param>
    public static async Task Fill(BenchmarkSuite suite, int leads, int perLead)
    {
        var database = suite.Database("scoring");
        await using (var fill = database.Administrator.CreateCommand(
            """
            insert into lead (workspace_id, lead_id, profile_version, profile, create_time, channel, source, medium, campaign, since, stage, stage_version, customer_time,
              qualified, returned, model_version, state, version, change_time, generation)
            select $1, ('01990000-' || lpad(to_hex(n >> 16), 4, '0') || '-7' || lpad(to_hex(n & 4095), 3, '0') || '-8' || lpad(to_hex((n >> 12) & 4095), 3, '0') || '-' || lpad(to_hex(n), 12, '0'))::uuid,
              1, jsonb_build_object('email', 'p' || n || '@' || (array['acme.example', 'gmail.com', 'initech.example', 'uni.edu'])[1 + n % 4], 'captureType', 'FORM', 'formType', 'demo',
                'createTime', timestamptz '2026-06-01Z' + n * interval '7 seconds' * (1000000.0 / $2), 'firstTouch', jsonb_build_object('channel', 'Direct'),
                'traits', jsonb_build_object('title', (array['VP Marketing', 'Engineer', 'Marketing Manager', 'Chief of Staff', 'Student', 'Buyer'])[1 + n % 6]),
                'company', jsonb_build_object('industry', (array['software', 'retail', 'manufacturing'])[1 + n % 3], 'employees', 1 + n % 2000)),
              timestamptz '2026-06-01Z' + n * interval '7 seconds' * (1000000.0 / $2), 'Direct', null, null, null, '{}', 'LEAD', 0,
              case when n % 20 = 0 then timestamptz '2026-12-01Z' end, false, false, 0,
              jsonb_build_object('at', timestamptz '2026-08-29Z' - (n % 90) * interval '1 day', 'fit', jsonb_build_object('constant', n % 51, 'buckets', '[]'::jsonb),
                'behavior', jsonb_build_object('constant', 0, 'buckets', jsonb_build_array(jsonb_build_object('halfLifeSeconds', 2592000, 'points', 1 + (n * 7919::bigint) % 5900 / 100.0))),
                'bant', jsonb_build_object('constant', n % 4 * 5, 'buckets', '[]'::jsonb)),
              1, now(), 1
            from generate_series(1, $2::int) n
            """))
        {
            fill.CommandTimeout = 1800;
            fill.Parameters.Add(new() { Value = suite.WorkspaceId });
            fill.Parameters.Add(new() { Value = leads });
            await fill.ExecuteNonQueryAsync();
        }

        const int Step = 200_000;
        var activities = (long)leads * perLead;
        for (var first = 0L; first < activities; first += Step)
        {
            await database.Query(
                """
                with did as (
                  select a, 1 + (a * 7919) % $4::bigint as n, md5(a::text) as noise, (a * 31) % 100 as kind,
                    timestamptz '2026-06-01Z' + a * interval '90 days' / $5 as time
                  from generate_series($2::bigint, $3::bigint) a)
                insert into activity (workspace_id, activity_id, lead_id, type, name, time, session_id, url, properties)
                select $1::uuid, (lpad(to_hex((extract(epoch from time) * 1000)::bigint), 12, '0') || '7' || left(noise, 3) || '8' || substr(noise, 4, 15))::uuid,
                  ('01990000-' || lpad(to_hex(n >> 16), 4, '0') || '-7' || lpad(to_hex(n & 4095), 3, '0') || '-8' || lpad(to_hex((n >> 12) & 4095), 3, '0') || '-' || lpad(to_hex(n), 12, '0'))::uuid,
                  case when kind < 70 then 'PAGE' when kind < 80 then 'EMAIL' when kind < 88 then 'TRACK' when kind < 93 then 'DOWNLOAD' else 'FORM' end,
                  case when kind < 70 then 'Acme: know your leads' when kind < 77 then 'OPEN' when kind < 80 then 'CLICK' when kind < 88 then 'Video Played' when kind < 93 then 'Content Downloaded' else 'Form Submitted' end,
                  time, case when kind < 70 then ('00000000-0000-7000-8000-' || lpad(to_hex(a / 3), 12, '0'))::uuid end,
                  case when kind < 7 then 'https://www.acme.example/pricing?gclid=' || noise when kind < 70 then 'https://www.acme.example/' || (array['', 'product', 'pricing', 'customers', 'blog/lead-scoring', 'careers', 'docs', 'contact'])[1 + (a % 8)] end,
                  case when kind < 70 then '{"section": "pricing", "scroll": 42}' when kind >= 93 then jsonb_build_object('formId', 'f', 'formType', (array['demo', 'contact', 'content', 'newsletter'])[1 + (a % 4)]) else '{}' end
                from did
                """,
                suite.WorkspaceId, first, Math.Min(first + Step, activities) - 1, (long)leads, activities);
        }

        await database.Query("vacuum analyze lead");
        await database.Query("vacuum analyze activity");
    }
}
