using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Nurture.V1;
using Lifecycle.Scoring.V1;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>
/// A million live scores: how long Redis takes to be filled, what it holds, and how fast they are read through the gateway.
/// </summary>
internal sealed class ScoringReads : Benchmark
{
    private const int Questions = 200;
    private const int Concurrent = 64;
    private const string Top = "/v1/scores:top?limit=100";
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(5);

    public override string Name => "scoring-reads";

    public override string Summary =>
        "Redis filled with 1M leads, its bytes per lead, top 100, and GetScore against an empty RPC, through the gateway";

    public override async Task Run(BenchmarkRun run)
    {
        await using var empty = await EmptyRpcServer.Start();
        await using var suite = await BenchmarkSuite.Start(new Dictionary<string, int> { ["nurture"] = empty.Port }, "scoring");
        var leads = run.Scaled(1_000_000);
        run.Say($"making {leads} leads");
        var before = await UsedMemory(suite.Redis);
        await ScoringHistory.Fill(suite, leads, 0);
        await suite.Redis.Command("FLUSHALL");
        using var client = suite.Client();
        run.Say("rebuilding Redis");
        var clock = Stopwatch.StartNew();
        using (var rebuilt = await client.PostAsJsonAsync("/v1/scoring:rebuild", new { }))
        {
            var answer = await rebuilt.Content.ReadFromJsonAsync<JsonNode>();
            if (answer!["leads"]?.GetValue<string>() != leads.ToString(CultureInfo.InvariantCulture))
            {
                throw new InvalidOperationException($"{answer}");
            }
        }

        run.AtMost("rebuild of Redis, for 1M leads", clock.Elapsed.TotalSeconds * 1_000_000 / leads, "s", 60);
        run.AtMost("Redis per lead", (await UsedMemory(suite.Redis) - before) / leads, "bytes", 300);
        var top = await client.GetStringAsync(Top);
        if (JsonNode.Parse(top)!["scores"]!.AsArray().Count != 100)
        {
            throw new InvalidOperationException(top);
        }

        // The first seconds are the compiler's.
        for (var warm = Stopwatch.StartNew(); warm.Elapsed < Span;)
        {
            await client.GetStringAsync(Top);
        }

        var times = new List<double>();
        for (var asked = 0; asked < Questions; asked++)
        {
            clock.Restart();
            await client.GetStringAsync(Top);
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        times.Sort();
        run.AtMost("top 100: median", times[Questions / 2], "ms", 5);
        run.Tell("top 100: p95", times[(int)(Questions * 0.95)], "ms");
        await Rates(run, suite, leads);
    }

    private static async Task Rates(BenchmarkRun run, BenchmarkSuite suite, int leads)
    {
        using var channel = GrpcChannel.ForAddress(suite.GatewayGrpc);
        var headers = new Metadata { { "authorization", $"Bearer {suite.Key}" } };
        var (scores, segments) = (new ScoringService.ScoringServiceClient(channel), new SegmentService.SegmentServiceClient(channel));
        var id = Guid.Empty.ToString();
        var (best, bestEmpty) = (0.0, 0.0);
        // By turns, so that both meet the machine as it is.
        for (var round = 0; round < 3; round++)
        {
            var withScores = await Rate(async number => await scores.GetScoreAsync(
                new() { LeadId = ScoringHistory.LeadId(1 + ((int)(number * 7919L) % leads)) }, headers));
            var withNothing = await Rate(async _ => await segments.GetSegmentAsync(new() { Id = id }, headers));
            run.Say($"{withScores:0} scores/s, {withNothing:0} empty calls/s");
            (best, bestEmpty) = round == 0 ? (best, bestEmpty) : (Math.Max(best, withScores), Math.Max(bestEmpty, withNothing));
        }

        run.AtLeast("GetScore by gRPC, against an empty RPC", best, "calls/s", bestEmpty, 0.5);
    }

    private static async Task<double> Rate(Func<int, Task> call)
    {
        var (clock, calls) = (Stopwatch.StartNew(), 0);
        await Task.WhenAll(Enumerable.Range(0, Concurrent).Select(async _ =>
        {
            while (clock.Elapsed < Span)
            {
                await call(Interlocked.Increment(ref calls));
            }
        }));
        return calls / clock.Elapsed.TotalSeconds;
    }

    private static async Task<double> UsedMemory(TestRedis redis)
    {
        var answer = await redis.Command("EVAL \"return tonumber(string.match(redis.call('info','memory'),'used_memory:(%d+)'))\" 0");
        return double.Parse(answer[1..], CultureInfo.InvariantCulture);
    }
}
