using System.Diagnostics;
using System.Net.Http.Json;

namespace Lifecycle.Benchmarks;

/// <summary>The models that look at all paths at once, over ten thousand distinct ones given through the gateway.</summary>
internal sealed class AttributionModels : Benchmark
{
    private const int Paths = 10_000;
    private const int Calls = 11;

    private static readonly string[] Channels =
    [
        "Direct", "Organic Search", "Paid Search", "Email", "Referral", "Organic Social", "Paid Social", "Display", "Affiliates",
        "Audio", "SMS", "AI Assistant",
    ];

    public override string Name => "attribution-models";

    public override string Summary => "Markov and Shapley on 10,000 distinct paths over 12 channels, through the gateway";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("conversion");
        using var client = suite.Client();
        foreach (var model in new[] { "MARKOV", "SHAPLEY" })
        {
            var times = new List<double>();
            for (var call = 0; call < Calls; call++)
            {
                using var question = JsonContent.Create(new
                {
                    model,
                    paths = Enumerable.Range(0, Paths).Select(path => new
                    {
                        // The path's number in base 12, so that all are distinct.
                        touches = Enumerable.Range(0, 4)
                            .Select(place => new { channel = Channels[path / (int)Math.Pow(12, place) % 12] }).ToArray(),
                        conversions = 1 + (path % 5),
                        nulls = path % 7,
                        value = 100 * (1 + (path % 5)),
                    }).ToArray(),
                });
                await question.LoadIntoBufferAsync();
                var clock = Stopwatch.StartNew();
                using var answer = await client.PostAsync("/v1/attribution:evaluate", question);
                answer.EnsureSuccessStatusCode();
                times.Add(clock.Elapsed.TotalMilliseconds);
            }

            run.AtMost($"{model}: first", times[0], "ms", 1000);
            run.AtMost($"{model}: median of {Calls}", times.Order().ElementAt(Calls / 2), "ms", 1000);
        }
    }
}
