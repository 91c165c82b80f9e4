using Npgsql;

namespace Lifecycle.Benchmarks;

/// <summary>
/// A year of Conversion's data, straight into its tables; without triggers, so that the counts have to be made afterwards.
/// </summary>
internal static class ConversionData
{
    private const int Step = 100_000;

    /// <summary>
    /// Leads over 2025 from 10 channels and 50 campaigns: 30 % become MQL, of these 40 % SQL and 10 % are recycled, half of the SQLs get a
    /// deal, half of the deals are won with a journey of five touches, a tenth of the customers leave.
    /// </summary>
    public static async Task Leads(BenchmarkSuite suite, int leads)
    {
        await using var connection = await suite.Database("conversion").Administrator.OpenConnectionAsync();
        await Execute(connection, "set session_replication_role = replica");
        await Execute(
            connection,
            """
            insert into pipeline (workspace_id, id, display_name, stages, is_default, create_time)
            values ($1, '00000000-0000-7000-8000-000000000001', 'Sales', '[{"name":"Prospecting","probability":0.1}]', true, '2025-01-01')
            """,
            suite.WorkspaceId);
        await Execute(
            connection,
            """
            insert into spend (workspace_id, date, source, medium, campaign, keyword, channel, amount, currency_code, clicks, version)
            select $1, date '2025-01-01' + day, 'source-' || c % 40, 'cpc', 'campaign-' || c, '', 'Paid Search', 100, 'EUR', 200, 1
            from generate_series(0, 364) day, generate_series(0, 49) c
            """,
            suite.WorkspaceId);
        for (var first = 0; first < leads; first += Step)
        {
            await Execute(
                connection,
                $"""
                create temporary table person on commit preserve rows as
                select n, timestamptz '2025-01-01 00:00Z' + make_interval(secs => n * 31500000.0 / {leads}) as start, (n::bigint * 7919) % 1000 as dice,
                  ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id, n % 50 as campaign,
                  1 + n % 17 + (n::bigint * 104729 % 9973) / 9973.0::float8 as days
                from generate_series({first}, {Math.Min(first + Step, leads) - 1}) n
                """);
            await Execute(
                connection,
                """
                insert into lead (workspace_id, lead_id, stage, highest_stage, version, enter_time, captured, scoring_version, retention_version, profile_version,
                  erased, capture_type, create_time, channel, source, medium, campaign, landing_page, touch_time)
                select $1, id, case when dice < 300 then 'MQL' else 'LEAD' end, 'LEAD', case when dice < 300 then 2 else 1 end, start, true, 0, 0, 1, false,
                  (array['FORM', 'FORM', 'CALL', 'CHAT'])[1 + n % 4], start,
                  (array['Direct', 'Organic Search', 'Paid Search', 'Email', 'Referral', 'Organic Social', 'Paid Social', 'Display', 'AI Assistant', 'Unassigned'])[1 + campaign % 10],
                  'source-' || campaign % 40, 'cpc', 'campaign-' || campaign, 'https://www.acme.example/' || campaign % 12, start
                from person
                """,
                suite.WorkspaceId);
            await Execute(
                connection,
                """
                insert into stage_change (workspace_id, lead_id, version, from_stage, to_stage, reason, actor, time)
                select $1, id, 1, 'VISITOR', 'LEAD', 'CAPTURED', 'service:capture', start from person
                union all select $1, id, 2, 'LEAD', 'MQL', 'QUALIFIED', 'service:scoring', start + days * interval '1 day' from person where dice < 300
                union all select $1, id, 3, 'MQL', 'SQL', 'ACCEPTED', 'key:sales', start + (days + 2) * interval '1 day' from person where dice < 120
                union all select $1, id, 3, 'MQL', 'LEAD', 'RECYCLED', 'key:sales', start + (days + 3) * interval '1 day' from person where dice between 120 and 149
                union all select $1, id, 4, 'SQL', 'OPPORTUNITY', 'OPPORTUNITY_OPENED', 'key:sales', start + (days + 3) * interval '1 day' from person where dice < 60
                union all select $1, id, 5, 'OPPORTUNITY', 'CUSTOMER', 'WON', 'key:sales', start + (days + 30) * interval '1 day' from person where dice < 30
                union all select $1, id, 6, 'CUSTOMER', 'CHURNED', 'CHURNED', 'service:retention', start + (days + 90) * interval '1 day' from person where dice < 3
                """,
                suite.WorkspaceId);
            await Execute(
                connection,
                """
                insert into opportunity (workspace_id, id, lead_id, name, amount, currency_code, pipeline_id, stage, state, create_time, close_time, version)
                select $1, id, id, 'Deal', 1000 + n % 9000, 'EUR', '00000000-0000-7000-8000-000000000001', 'Prospecting', case when dice < 30 then 'WON' else 'OPEN' end,
                  start + (days + 3) * interval '1 day', case when dice < 30 then start + (days + 30) * interval '1 day' end, 1
                from person where dice < 60
                """,
                suite.WorkspaceId);
            await Execute(connection, Journeys("where dice < 30"), suite.WorkspaceId);
            await Execute(connection, "drop table person");
        }

        await Execute(connection, "analyze lead, stage_change, opportunity, journey, spend");
    }

    /// <summary>Deals won over 2025 with journeys of five touches, and the counts that reports read.</summary>
    public static async Task Deals(BenchmarkSuite suite, int deals)
    {
        await using var connection = await suite.Database("conversion").Administrator.OpenConnectionAsync();
        await Execute(connection, "set session_replication_role = replica");
        for (var first = 0; first < deals; first += Step)
        {
            await Execute(
                connection,
                $"""
                create temporary table person on commit preserve rows as
                select n, timestamptz '2025-01-01 00:00Z' + make_interval(secs => n * 31500000.0 / {deals}) as start, 17 as days, n % 50 as campaign,
                  ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id
                from generate_series({first}, {Math.Min(first + Step, deals) - 1}) n
                """);
            await Execute(connection, Journeys(""), suite.WorkspaceId);
            await Execute(
                connection,
                """
                insert into deal_fact (workspace_id, opportunity_id, lead_id, source_key, state, amount, currency_code, create_time, close_time, origin_time)
                select $1, id, id, 0, 'WON', 1000 + n % 9000 + 0.01 * (n % 97), 'EUR', start, start + interval '30 days', start from person
                """,
                suite.WorkspaceId);
            await Execute(connection, "drop table person");
        }

        await Execute(
            connection,
            """
            insert into lead_source
            select distinct on (conversion.touch_key(touch)) $1, conversion.touch_key(touch), touch ->> 'channel', touch ->> 'source', touch ->> 'medium',
              touch ->> 'campaign', '', touch ->> 'landingPage'
            from (select touches from journey limit 10000) j, jsonb_array_elements(j.touches) touch
            on conflict do nothing
            """,
            suite.WorkspaceId);
        await Execute(connection, "vacuum (analyze) journey, deal_fact, lead_source");
    }

    private static string Journeys(string people) =>
        $"""
        insert into journey (workspace_id, opportunity_id, lead_id, attempts, touches, path_keys, path_times)
        select $1, id, id, 1, made.touches, conversion.path_keys(made.touches), conversion.path_times(made.touches) from (select person.*, (
          select jsonb_agg(jsonb_build_object('channel', (array['Direct', 'Organic Search', 'Paid Search', 'Email', 'Referral', 'Paid Social'])[1 + (n + step * 7 + n / 6 * step) % 6],
            'source', 'source-' || (campaign + step) % 40, 'medium', 'cpc', 'campaign', 'campaign-' || (campaign + step) % 50,
            'landingPage', 'https://www.acme.example/' || step, 'time', start + (days * step / 5) * interval '1 day'))
          from generate_series(0, 4) step) as touches from person {people} offset 0) made
        """;

    private static async Task Execute(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 1800 };
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        await command.ExecuteNonQueryAsync();
    }
}
