namespace Lifecycle.Benchmarks;

/// <summary>Leads with companies, traits and scores, straight into Nurture's table.</summary>
internal static class NurtureLeads
{
    public static async Task Fill(BenchmarkSuite suite, int leads)
    {
        var database = suite.Database("nurture");
        const int Step = 100_000;
        for (var first = 1; first <= leads; first += Step)
        {
            await database.Query(
                """
                insert into lead (workspace_id, lead_id, profile_version, email, capture_type, create_time, channel, source, medium, campaign, traits, company, stage,
                  stage_version, score, grade, band, score_version)
                select $1::uuid, ('01990000-' || lpad(to_hex(n >> 16), 4, '0') || '-7' || lpad(to_hex(n & 4095), 3, '0') || '-8' || lpad(to_hex((n >> 12) & 4095), 3, '0') || '-' || lpad(to_hex(n), 12, '0'))::uuid,
                  1, 'p' || n || '@acme.example', 'FORM', timestamptz '2026-06-01Z' + n * interval '7 seconds', (array['Direct', 'Paid Search', 'Organic Search', 'Referral'])[1 + n % 4], 'google', 'cpc', 'spring',
                  jsonb_build_object('title', (array['VP Marketing', 'Engineer', 'Marketing Manager', 'Student'])[1 + n % 4], 'plan', (n % 5)::text),
                  jsonb_build_object('Name', 'Acme', 'Domain', null, 'Industry', (array['software', 'retail'])[1 + n % 2], 'Employees', 1 + n % 2000, 'AnnualRevenue', null, 'Country', 'DE'),
                  'LEAD', 1, n % 100, 'B', 'WARM', 1
                from generate_series($2::int, $3::int) n
                """,
                suite.WorkspaceId, first, Math.Min(first + Step - 1, leads));
        }

        await database.Query("vacuum analyze lead");
    }
}
