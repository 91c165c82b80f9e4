using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Lifecycle.Benchmarks;

/// <summary>A million frozen journeys credited anew under another model, as the job with progress that a client watches.</summary>
internal sealed class AttributionRuns : Benchmark
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(500);

    public override string Name => "attribution-runs";

    public override string Summary => "1M journeys of five touches re-attributed under a new model, with progress";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("conversion");
        using var client = suite.Client();
        var deals = run.Scaled(1_000_000);
        run.Say($"making {deals} journeys");
        await ConversionData.Deals(suite, deals);
        foreach (var model in new[] { "TIME_DECAY", "MARKOV" })
        {
            var clock = Stopwatch.StartNew();
            using var created = await client.PostAsJsonAsync(
                "/v1/attribution/runs", new { model, groupBy = new[] { "channel", "campaign" } });
            created.EnsureSuccessStatusCode();
            var id = JsonNode.Parse(await created.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
            var (steps, done, state) = (0, -1L, "RUNNING");
            while (state == "RUNNING")
            {
                await Task.Delay(Glance);
                var told = (await client.GetFromJsonAsync<JsonNode>($"/v1/attribution/runs/{id}"))!;
                state = told["state"]!.GetValue<string>();
                var now = long.Parse(told["done"]!.GetValue<string>(), CultureInfo.InvariantCulture);
                (steps, done) = now > done ? (steps + 1, now) : (steps, done);
            }

            if (state != "DONE" || done != deals)
            {
                throw new InvalidOperationException($"The run ended {state} with {done} of {deals} credited.");
            }

            run.AtMost($"{model} over {deals} journeys", clock.Elapsed.TotalSeconds, "s", 60 * Math.Max((double)deals / 1_000_000, 0.05));
            run.Tell($"{model}: progress seen", steps, "steps");
        }

        run.Tell("peak memory of Conversion", BenchmarkSuite.PeakMegabytes(suite.Process("Conversion")), "MB");
    }
}
