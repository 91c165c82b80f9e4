using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>Moves of leads through the gateway, each with its event out at the broker.</summary>
internal sealed class StageMoves : Benchmark
{
    private const int Senders = 32;

    private static readonly string[] Stages = ["MQL", "SQL", "OPPORTUNITY"];

    public override string Name => "stage-moves";

    public override string Summary => "stage moves through the gateway for 20 s after 20 s to warm up, until the last event is out";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("conversion");
        using var client = suite.Client();
        var leads = run.Scaled(30_000);
        await ConversionData.Leads(suite, leads);
        var database = suite.Database("conversion");
        await database.Query("update lead set stage = 'LEAD', highest_stage = 'LEAD', version = 1");
        await database.Query("alter table stage_change disable trigger user");
        await database.Query("delete from stage_change where version > 1");
        await database.Query("alter table stage_change enable trigger user");
        var waiting = new ConcurrentQueue<(Guid Lead, int Stage)>(
            Enumerable.Range(0, leads).Select(n => (Guid.Parse($"00000000-0000-7000-8000-{n:x12}"), 0)));
        // A process that has just started compiles its code while it works, and moves that are made together run it seldom: what is asked
        // for is a rate that lasts.
        await Move(client, waiting, TimeSpan.FromSeconds(20));
        await Drain(database);
        var times = await ProcessorTimes.Begin(suite, database);
        var clock = Stopwatch.StartNew();
        var moved = await Move(client, waiting, TimeSpan.FromSeconds(20));
        var sending = clock.Elapsed;
        await Drain(database);
        run.AtLeast("moves with the event out", moved / clock.Elapsed.TotalSeconds, "moves/s", 500);
        run.Tell("events still to go out at the end", (clock.Elapsed - sending).TotalMilliseconds, "ms");
        ProcessorTimes.Tell(run, times.Seconds(), moved, "move");
    }

    private static async Task<int> Move(HttpClient client, ConcurrentQueue<(Guid Lead, int Stage)> waiting, TimeSpan length)
    {
        var (moved, clock) = (0, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(async _ =>
        {
            while (clock.Elapsed < length && waiting.TryDequeue(out var next))
            {
                using var answer = await client.PostAsJsonAsync($"/v1/leads/{next.Lead}/stage:move", new { to = Stages[next.Stage] });
                if (!answer.IsSuccessStatusCode)
                {
                    throw new InvalidOperationException(
                        $"A move was answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
                }

                Interlocked.Increment(ref moved);
                if (next.Stage + 1 < Stages.Length)
                {
                    waiting.Enqueue((next.Lead, next.Stage + 1));
                }
            }
        }));
        return moved;
    }

    private static async Task Drain(TestDatabase database)
    {
        while (await database.Scalar<long>("select count(*) from outbox") > 0)
        {
            await Task.Delay(10);
        }
    }
}
