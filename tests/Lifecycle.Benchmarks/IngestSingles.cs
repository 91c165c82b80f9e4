using System.Diagnostics;

namespace Lifecycle.Benchmarks;

/// <summary>Single messages through the gateway over 64 connections: as fast as they go, then at half that rate for the latency.</summary>
internal sealed class IngestSingles : Benchmark
{
    private const int Connections = 64;

    public override string Name => "ingest-singles";

    public override string Summary => "single messages/s over 64 connections through the gateway, and their latency at half that rate";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("capture");
        var (warm, hot) = (run.Scaled(60_000), run.Scaled(60_000));
        var traffic = new SiteTraffic(2, TimeProvider.System.GetUtcNow().AddHours(-1));
        var requests = Enumerable.Range(0, warm + (2 * hot))
            .Select(_ => LoadConnection.Request(suite.Gateway, "/v1/page", suite.Key, traffic.Page())).ToArray();
        var connections = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => LoadConnection.Open(suite.Gateway)));
        run.Say("warming up");
        await Send(connections, requests.AsMemory(0, warm), null);
        run.Say("measuring the rate");
        var commits = await Commits(suite);
        var processors = await ProcessorTimes.Begin(suite, suite.Database("capture"));
        var (rate, _) = await Send(connections, requests.AsMemory(warm, hot), null);
        run.Tell("messages in one commit", (double)hot / (await Commits(suite) - commits), "messages");
        ProcessorTimes.Tell(run, processors.Seconds(), hot, "message");
        run.Say($"{rate:0}/s; measuring latency at half of it");
        var (half, latencies) = await Send(connections, requests.AsMemory(warm + hot, hot), rate / 2);
        Array.Sort(latencies);
        run.AtLeast("single messages over 64 connections", rate, "messages/s", 5_000);
        run.AtMost("p99 at half that rate", latencies[(int)(latencies.Length * 0.99)], "ms", 50);
        run.Tell("median at half that rate", latencies[latencies.Length / 2], "ms");
        run.Tell("rate at which latency was measured", half, "messages/s");
        run.AtMost("Capture's peak memory", BenchmarkSuite.PeakMegabytes(suite.Process("Capture")), "MB", 300);
        foreach (var connection in connections)
        {
            connection.Dispose();
        }
    }

    // A message's id is noted by the transaction that holds it.
    private static Task<long> Commits(BenchmarkSuite suite) =>
        suite.Database("capture").Scalar<long>("select count(distinct xmin::text) from message")!;

    /// <summary>Sends all; at a rate, each at its time, and latency counts from that time on, so that a stall is not left out.</summary>
    private static async Task<(double Rate, double[] Milliseconds)> Send(
        LoadConnection[] connections, ReadOnlyMemory<byte[]> requests, double? rate)
    {
        var latencies = new double[requests.Length];
        var next = -1;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(connections.Select(async connection =>
        {
            for (int index; (index = Interlocked.Increment(ref next)) < requests.Length;)
            {
                var due = rate is { } perSecond ? TimeSpan.FromSeconds(index / perSecond) : clock.Elapsed;
                if (due - clock.Elapsed is { TotalMilliseconds: > 1 } early)
                {
                    await Task.Delay(early);
                }

                if (await connection.Send(requests.Span[index]) != 200)
                {
                    throw new InvalidOperationException(connection.Answer);
                }

                latencies[index] = (clock.Elapsed - due).TotalMilliseconds;
            }
        }));
        return (requests.Length / clock.Elapsed.TotalSeconds, latencies);
    }
}
