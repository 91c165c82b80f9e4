using System.Diagnostics;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>
/// Changes of leads against two hundred segments, a tenth of them of other segments: first as fast as it goes, then a thousand a second,
/// with leads in between whose membership is waited for. The limit is how fast the same consumer takes the changes of a workspace without
/// segments.
/// </summary>
internal sealed class NurtureSegmentChanges : Benchmark
{
    private const int Rate = 1_000;
    private const int Segments = 200;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public override string Name => "nurture-segment-changes";

    public override string Summary =>
        "changes of leads judged by 200 segments per second, and time to the right membership at 1,000 changes/s";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("nurture");
        var (leads, database) = (run.Scaled(1_000_000), suite.Database("nurture"));
        run.Say($"making {leads} leads");
        await NurtureLeads.Fill(suite, leads);
        await using var bus = await TestBus.Start(suite.Broker);
        // A service that has just started compiles its code meanwhile: the first burst warms up, and a short one would measure that.
        var burst = Math.Max(run.Scaled(50_000), 10_000);
        var version = 2L;
        await Burst(suite, bus, leads, burst / 2, version++);
        var times = await ProcessorTimes.Begin(suite, database);
        var limit = burst / await Burst(suite, bus, leads, burst, version++);
        ProcessorTimes.Tell(run, times.Seconds(), burst, "change without segments");
        run.Say($"{limit:0} changes a second without segments");
        var clock = Stopwatch.StartNew();
        var probe = await MakeSegments(suite);
        run.Tell($"{Segments} segments made and first judged over {leads} leads", clock.Elapsed.TotalSeconds, "s");
        await Burst(suite, bus, leads, burst / 5, version++);
        times = await ProcessorTimes.Begin(suite, database);
        var rate = burst / await Burst(suite, bus, leads, burst, version++);
        var processor = times.Seconds();
        run.AtLeast("changes judged by 200 segments per second, of those without any", rate, "/s", limit, 0.3);
        run.AtLeast("changes judged per second", rate, "/s", Rate);
        ProcessorTimes.Tell(run, processor, burst, "change");
        var waits = await Waits(run, suite, bus, leads, probe, version);
        run.AtMost($"change to membership at {Rate} changes/s: p95", waits[(int)(waits.Length * 0.95)], "ms", 2_000);
        run.Tell($"change to membership at {Rate} changes/s: median", waits[waits.Length / 2], "ms");
        run.AtMost("peak memory of Nurture", BenchmarkSuite.PeakMegabytes(suite.Process("Nurture")), "MB", 400);
    }

    /// <returns>The segment of scores from 90, and one that asks for it.</returns>
    private static async Task<(Guid Hot, Guid Asks)> MakeSegments(BenchmarkSuite suite)
    {
        using var client = suite.Client();
        var hot = await NurtureSegmentBuild.Create(client, "score.total >= 90");
        for (var number = 1; number < Segments - 20; number++)
        {
            await NurtureSegmentBuild.Create(client, (number % 4) switch
            {
                0 => $"score.total >= {90 + (number % 10)} and company.employees > {number * 10}",
                1 => $"lead.traits.plan = {number % 7} and lead.title contains \"vp {number}\"",
                2 => $"count(activity.path startsWith \"/page-{number}\", 7d) >= 2",
                _ => $"lead.channel = \"Paid Search\" and lead.campaign = \"campaign {number}\"",
            });
        }

        var asks = "";
        for (var number = 0; number < 20; number++)
        {
            asks = await NurtureSegmentBuild.Create(client, $"in_segment(\"{hot}\") and company.employees > {number}");
        }

        await Eventually.Equal(
            0L, () => suite.Database("nurture").Scalar<long>("select count(*) from segment where evaluated_version < version"),
            "all are judged", TimeSpan.FromMinutes(20));
        return (Guid.Parse(hot), Guid.Parse(asks));
    }

    private static async Task<double> Burst(BenchmarkSuite suite, TestBus bus, int leads, int changes, long version)
    {
        var database = suite.Database("nurture");
        var before = await Handled(database);
        var clock = Stopwatch.StartNew();
        foreach (var chunk in Enumerable.Range(0, changes).Chunk(200))
        {
            await Task.WhenAll(chunk.Select(number => bus.Publish(
                Change(suite, Lead(number, leads), (number * 31L + version * 17) % 100, (version * 1_000_000) + number))));
        }

        await Eventually.Equal(before + changes, () => Handled(database), "all are handled", TimeSpan.FromMinutes(5));
        return clock.Elapsed.TotalSeconds;
    }

    private static async Task<double[]> Waits(
        BenchmarkRun run, BenchmarkSuite suite, TestBus bus, int leads, (Guid Hot, Guid Asks) probe, long version)
    {
        var (database, seconds) = (suite.Database("nurture"), Math.Max(run.Scaled(20), 5));
        using var stop = new CancellationTokenSource();
        var load = Load();
        var (waits, clock) = (new List<double>(), Stopwatch.StartNew());
        for (var number = 0; clock.Elapsed.TotalSeconds < seconds; number++)
        {
            // A lead of its own each time, whose score no other change touches.
            var place = leads - (number % Math.Max(leads / 10, 1));
            if (1 + (place % 2000) <= 20)
            {
                // Too small a company for the segment that is asked.
                continue;
            }

            var lead = Guid.Parse(ScoringHistory.LeadId(place));
            var isIn = await IsIn(database, probe.Asks, lead);
            var watch = Stopwatch.StartNew();
            await bus.Publish(Change(suite, lead, isIn ? 1 : 95, (version * 1_000_000_000) + number));
            while (await IsIn(database, probe.Asks, lead) == isIn)
            {
                if (watch.Elapsed > Deadline)
                {
                    throw new InvalidOperationException($"Lead {lead} is not where its score says after {Deadline}.");
                }

                await Task.Delay(5);
            }

            waits.Add(watch.Elapsed.TotalMilliseconds);
        }

        await stop.CancelAsync();
        run.Tell("changes sent per second meanwhile", await load / clock.Elapsed.TotalSeconds, "/s");
        return [.. waits.Order()];

        async Task<long> Load()
        {
            var (sent, pace) = (0L, Stopwatch.StartNew());
            while (!stop.IsCancellationRequested)
            {
                if (pace.Elapsed.TotalSeconds * Rate < sent)
                {
                    await Task.Delay(5);
                    continue;
                }

                await Task.WhenAll(Enumerable.Range(0, 20).Select(
                    number => bus.Publish(Change(
                        suite, Lead((int)(sent + number), leads), (sent + number) * 7 % 100, (version * 1_000_000) + sent + number))));
                sent += 20;
            }

            return sent;
        }
    }

    /// <summary>Leads of the first nine tenths, far apart.</summary>
    private static Guid Lead(int number, int leads) =>
        Guid.Parse(ScoringHistory.LeadId(1 + (int)(number * 7919L % Math.Max(leads * 9L / 10, 1))));

    private static LeadScoreChanged Change(BenchmarkSuite suite, Guid lead, decimal score, long version) => new(
        Guid.CreateVersion7(), suite.WorkspaceId, TimeProvider.System.GetUtcNow(), version, lead, score, score, 0, 0, "B",
        score >= 90 ? "HOT" : "WARM", 1);

    private static Task<bool> IsIn(TestDatabase database, Guid segment, Guid lead) =>
        database.Scalar<bool>("select exists (select 1 from segment_member where segment_id = $1 and lead_id = $2)", segment, lead);

    private static Task<long> Handled(TestDatabase database) =>
        database.Scalar<long>("select count(*) from inbox where consumer = 'LeadScoreChangedConsumer'");
}
