using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Lifecycle.Benchmarks;

/// <summary>Twelve months by channel over ten million activities, asked through the gateway.</summary>
internal sealed class MetricsOverYear : Benchmark
{
    private const int Questions = 50;
    private const int Unmeasured = 10;

    public override string Name => "metrics-year";

    public override string Summary => "12 months x channel over 10M activities through the gateway, and a rebuild of the counts";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("capture");
        var sessions = run.Scaled(2_000_000);
        run.Say($"making {sessions} sessions of five activities each");
        await Fill(suite, sessions);
        using var client = suite.Client();
        run.Say("counting");
        var clock = Stopwatch.StartNew();
        using (var rebuilt = await client.PostAsJsonAsync("/v1/metrics/capture:rebuild", new { }))
        {
            rebuilt.EnsureSuccessStatusCode();
        }

        run.Tell("rebuild of the counts", clock.Elapsed.TotalSeconds, "s");
        foreach (var (what, question) in new[]
        {
            ("12 months x channel, all metrics", "granularity=MONTH&groupBy=channel"),
            ("12 months x source, all metrics", "granularity=MONTH&groupBy=source"),
            ("366 days, visitors, sessions and page views", "granularity=DAY&metrics=visitors,sessions,page_views"),
        })
        {
            var milliseconds = new List<double>();
            for (var asked = -Unmeasured; asked < Questions; asked++)
            {
                clock.Restart();
                var isFirst = asked == -Unmeasured;
                var answer = await client.GetFromJsonAsync<JsonNode>($"/v1/metrics/capture?from=2025-01-01&to=2026-01-02&{question}");
                if (isFirst)
                {
                    run.AtMost($"{what}, asked for the first time", clock.Elapsed.TotalMilliseconds, "ms", 200);
                }

                if (asked >= 0)
                {
                    milliseconds.Add(clock.Elapsed.TotalMilliseconds);
                }

                var visits = answer!["series"]!.AsArray().Where(series => series!["metric"]!.GetValue<string>() == "sessions")
                    .Sum(series => series!["points"]!.AsArray().Sum(point => point!["value"]!.GetValue<double>()));
                if (visits != sessions)
                {
                    throw new InvalidOperationException($"{what}: {visits} of {sessions} sessions were counted.");
                }
            }

            run.AtMost($"{what}, slowest of {Questions}", milliseconds.Max(), "ms", 200);
            run.Tell($"{what}, median", milliseconds.Order().ElementAt(Questions / 2), "ms");
        }
    }

    // Straight into the tables: through the gateway it would take the better part of an hour.
    private static async Task Fill(BenchmarkSuite suite, int sessions)
    {
        var database = suite.Database("capture");
        await database.Query("select create_month(month::date) from generate_series(date '2024-12-01', '2026-01-01', '1 month') as month");
        const int Step = 100_000;
        for (var first = 0; first < sessions; first += Step)
        {
            await database.Query(
                """
                with visit as (
                  select $1::uuid as workspace_id, n, md5(n::text) as noise, timestamptz '2025-01-01 00:00Z' + make_interval(secs => n * 31500000.0 / $4) as start,
                    (array['Direct', 'Organic Search', 'Paid Search', 'Email', 'Referral', 'Organic Social', 'Paid Social', 'Display', 'AI Assistant', 'Unassigned'])[1 + n % 10] as channel
                  from generate_series($2::int, $3::int) as n),
                marked as (
                  select *, (lpad(to_hex((extract(epoch from start) * 1000)::bigint), 12, '0') || '7' || left(noise, 3) || '8' || substr(noise, 4, 15))::uuid as id,
                    ('00000000-0000-7000-8000-' || lpad(to_hex((n * 7919::bigint) % ($4 * 3 / 5 + 1)), 12, '0'))::uuid as visitor
                  from visit),
                sessions as (
                  insert into session (workspace_id, id, visitor_id, start_time, end_time, source_kind, channel, source, medium, campaign, landing_page, exit_page, page_views, activities)
                  select workspace_id, id, visitor, start, start + interval '8 minutes', 3, channel, 'source-' || n % 40, 'cpc', 'campaign-' || n % 25,
                    'https://www.acme.example/' || n % 60, 'https://www.acme.example/pricing', 4, 5 from marked)
                insert into activity (workspace_id, id, visitor_id, session_id, time, source_kind, opens, type, name, url, properties)
                select workspace_id, (lpad(to_hex((extract(epoch from start + step * interval '2 minutes') * 1000)::bigint), 12, '0') || '7' || left(noise, 3) || '8'
                    || to_hex(step) || substr(noise, 5, 14))::uuid,
                  visitor, id, start + step * interval '2 minutes', 1, true, 'PAGE', 'Acme: know your leads', 'https://www.acme.example/pricing', '{"section": "pricing", "scroll": 42}'
                from marked cross join generate_series(0, 4) as step
                """,
                suite.WorkspaceId, first, Math.Min(first + Step, sessions) - 1, (long)sessions);
        }

        await database.Query("analyze session");
    }
}
