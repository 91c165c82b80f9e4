using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Lifecycle.Benchmarks;

/// <summary>A draft model tried on ten million activities beside the model in force, streamed through the gateway.</summary>
internal sealed class ScoringSimulate : Benchmark
{
    private const int PerLead = 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    public override string Name => "scoring-simulate";

    public override string Summary =>
        "a draft model and the model in force over 10M activities of 500k leads, streamed through the gateway";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("scoring");
        var leads = run.Scaled(500_000);
        run.Say($"making {leads} leads with {PerLead} activities each");
        await ScoringHistory.Fill(suite, leads, PerLead);
        using var client = suite.Client();
        client.DefaultRequestHeaders.Accept.Add(new("application/x-ndjson"));
        var model = JsonNode.Parse(await client.GetStringAsync("/v1/scoring/model"))!;
        model["thresholds"]!["mql"] = 45;
        // Redis is filled before, not meanwhile.
        using (var rebuilt = await client.PostAsJsonAsync("/v1/scoring:rebuild", new { }))
        {
            rebuilt.EnsureSuccessStatusCode();
        }

        var question = new { model, from = "2026-06-01", to = "2026-09-01" };
        run.Say("warming up");
        await Simulate(client, question, WarmUp);
        run.Say("simulating");
        var (scoring, database) = (suite.Process("Scoring"), suite.Database("scoring"));
        var times = await ProcessorTimes.Begin(suite, database);
        var clock = Stopwatch.StartNew();
        var last = await Simulate(client, question, TimeSpan.MaxValue);
        var processors = times.Seconds();
        var seconds = clock.Elapsed.TotalSeconds;
        var replayed = long.Parse(last!["result"]!["activities"]!.GetValue<string>(), null);
        if (replayed < (long)leads * PerLead * 0.99 || last["result"]!["draft"]!["qualified"]!.GetValue<int>() == 0)
        {
            throw new InvalidOperationException($"{replayed} activities were replayed: {last}");
        }

        run.AtMost("10M activities by two models", seconds * 10_000_000 / replayed, "s", 60);
        run.Tell("activities replayed per second, both models", replayed / seconds, "/s");
        ProcessorTimes.Tell(run, processors, (int)replayed, "activity");
        run.Tell("peak memory of Scoring", BenchmarkSuite.PeakMegabytes(scoring), "MB");
    }

    /// <summary>The last line of the answer, or of what came in that time: then the call ends, and the simulation with it.</summary>
    private static async Task<JsonNode?> Simulate(HttpClient client, object question, TimeSpan longest)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "/v1/scoring/model:streamSimulation") { Content = JsonContent.Create(question) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        var clock = Stopwatch.StartNew();
        JsonNode? last = null;
        while (clock.Elapsed < longest && await lines.ReadLineAsync() is { } line)
        {
            last = line.Length > 0 ? JsonNode.Parse(line) : last;
        }

        return last;
    }
}
