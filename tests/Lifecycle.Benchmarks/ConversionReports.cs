using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Lifecycle.Benchmarks;

/// <summary>The funnel and the source report over a year of a million leads, asked through the gateway.</summary>
internal sealed class ConversionReports : Benchmark
{
    private const int Calls = 15;

    public override string Name => "conversion-reports";

    public override string Summary =>
        "funnel and 12 months x campaign of the source report over 1M leads with history, through the gateway";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("conversion");
        using var client = suite.Client();
        var leads = run.Scaled(1_000_000);
        run.Say($"making {leads} leads with history");
        await ConversionData.Leads(suite, leads);
        run.Say("counting them");
        var clock = Stopwatch.StartNew();
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/reports:rebuild") { Content = JsonContent.Create(new { }) })
        {
            using var rebuilt = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead);
            rebuilt.EnsureSuccessStatusCode();
        }

        run.Tell("rebuild of what reports count", leads / clock.Elapsed.TotalSeconds, "leads/s");
        await suite.Database("conversion")
            .Query("vacuum (analyze) stage_stay, lead_fact, deal_fact, lead_source, lead_day, stay_day, stay_sum, stay_loose, journey");
        const string Year = "from=2025-01-01&to=2026-01-01";
        foreach (var (what, path, most) in new[]
        {
            ("funnel of a year", $"/v1/reports/funnel?{Year}", 500.0),
            ("funnel of a year, as a snapshot", $"/v1/reports/funnel?{Year}&view=SNAPSHOT", 500),
            ("source report, 12 months x campaign", $"/v1/reports/source?{Year}&granularity=MONTH&groupBy=campaign", 300),
            ("source report, 12 months x campaign, linear",
                $"/v1/reports/source?{Year}&granularity=MONTH&groupBy=campaign&model=LINEAR", 300),
        })
        {
            var times = await ProcessorTimes.Begin(suite, suite.Database("conversion"));
            var (first, median) = await Ask(client, path, leads);
            run.Tell($"{what}: first", first, "ms");
            run.AtMost($"{what}: median of {Calls}", median, "ms", most);
            foreach (var (name, seconds) in times.Seconds().Where(time => time.Key is "Conversion" or "Postgres"))
            {
                run.Tell($"{what}: {name}'s processor time", seconds * 1000 / (Calls + 1), "ms/call");
            }
        }

        foreach (var (what, path) in new[]
        {
            ("funnel, 12 months x channel", $"/v1/reports/funnel?{Year}&granularity=MONTH&groupBy=channel"),
            ("velocity of a year", $"/v1/reports/velocity?{Year}"),
            ("rows behind a figure of 1 in 12, first page",
                $"/v1/reports/funnel:rows?{Year}&granularity=MONTH&start=2025-03-01&figure=entered&stage=MQL"),
        })
        {
            run.Tell($"{what}: median of {Calls}", (await Ask(client, path, leads)).Median, "ms");
        }
    }

    private static async Task<(double First, double Median)> Ask(HttpClient client, string path, int leads)
    {
        var times = new List<double>();
        for (var call = 0; call <= Calls; call++)
        {
            var clock = Stopwatch.StartNew();
            var answer = await client.GetFromJsonAsync<JsonNode>(path);
            times.Add(clock.Elapsed.TotalMilliseconds);
            if (path.StartsWith("/v1/reports/funnel?", StringComparison.Ordinal)
                && int.Parse(answer!["stages"]![0]!["entered"]!.GetValue<string>(), null) != leads)
            {
                throw new InvalidOperationException($"{path} does not count {leads} leads.");
            }
        }

        return (times[0], times.Skip(1).Order().ElementAt(Calls / 2));
    }
}
