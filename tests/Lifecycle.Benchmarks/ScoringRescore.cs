using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>A new model version for everybody: a million leads, ten million activities replayed, in the background.</summary>
internal sealed class ScoringRescore : Benchmark
{
    private const int PerLead = 10;

    public override string Name => "scoring-rescore";

    public override string Summary => "a new model version for 1M leads with 10M activities, in the background";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("scoring");
        var leads = run.Scaled(1_000_000);
        run.Say($"making {leads} leads with {PerLead} activities each");
        await ScoringHistory.Fill(suite, leads, PerLead);
        using var client = suite.Client();
        var model = JsonNode.Parse(await client.GetStringAsync("/v1/scoring/model"))!;
        model["thresholds"]!["mql"] = 55;
        var clock = Stopwatch.StartNew();
        using (var put = await client.PutAsJsonAsync("/v1/scoring/model", model))
        {
            put.EnsureSuccessStatusCode();
        }

        run.Say("scoring anew");
        var said = TimeSpan.Zero;
        await Eventually.True(
            async () =>
            {
                var progress = (await client.GetFromJsonAsync<JsonNode>("/v1/scoring/rescoring"))!;
                if (clock.Elapsed - said > TimeSpan.FromSeconds(10))
                {
                    said = clock.Elapsed;
                    run.Say($"{progress["rescoredLeads"]} of {progress["totalLeads"]}");
                }

                return progress["done"]!.GetValue<bool>();
            },
            "all leads are scored by the new version", TimeSpan.FromHours(1));
        var seconds = clock.Elapsed.TotalSeconds;
        run.Tell("leads scored anew per second", leads / seconds, "/s");
        run.Tell("activities replayed per second", (double)leads * PerLead / seconds, "/s");
        run.Tell("processor time of Scoring per lead", BenchmarkSuite.ProcessorSeconds(suite.Process("Scoring")) * 1e6 / leads, "us");
    }
}
