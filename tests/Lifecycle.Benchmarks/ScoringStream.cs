using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Benchmarks;

/// <summary>
/// Activities from the broker to live scores. First as fast as it goes: visits of five activities, a hundred visits a message, of leads
/// that have a history, each later than the last one of its lead. Then 5,000 activities a second, with leads in between whose score is
/// waited for.
/// </summary>
internal sealed class ScoringStream : Benchmark
{
    private const int Visit = 5;
    private const int VisitsPerMessage = 100;
    private const int Leads = 50_000;
    private const int Rate = 5_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);
    private static readonly string[] Paths = ["/", "/product", "/pricing", "/customers", "/blog/lead-scoring"];
    private static readonly Dictionary<string, JsonElement> Properties =
        new() { ["section"] = JsonSerializer.SerializeToElement("product"), ["scroll"] = JsonSerializer.SerializeToElement(42) };

    public override string Name => "scoring-stream";

    public override string Summary => "activities scored per second from the broker, and time to the live score at 5,000 activities/s";

    public override async Task Run(BenchmarkRun run)
    {
        await using var suite = await BenchmarkSuite.Start("scoring");
        run.Say($"making {Leads} leads with five activities each");
        await ScoringHistory.Fill(suite, Leads, 5);
        using var client = suite.Client();
        using (var rebuilt = await client.PostAsJsonAsync("/v1/scoring:rebuild", new { }))
        {
            rebuilt.EnsureSuccessStatusCode();
        }

        await using var bus = await TestBus.Start(suite.Broker);
        await using var load = await EventLoad.Start(suite.Broker);
        var database = suite.Database("scoring");
        var (handled, started) = (0L, 0);
        var begin = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        var clock = Stopwatch.StartNew();

        // Compiles its code and settles, before what lasts is measured.
        for (var first = 0; clock.Elapsed < WarmUp; first += 20)
        {
            await Send(Messages(first, 20));
        }

        // The load is written before: how fast a sender writes JSON is not asked.
        var messages = Messages(0, run.Scaled(600));
        var activities = messages.Length * VisitsPerMessage * Visit;
        var times = await ProcessorTimes.Begin(suite, database);
        clock.Restart();
        await Send(messages);
        var (seconds, processors) = (clock.Elapsed.TotalSeconds, times.Seconds());
        run.AtLeast("activities scored per second", activities / seconds, "/s", 20_000);
        ProcessorTimes.Tell(run, processors, activities, "activity");
        await Eventually.Equal(0L, () => Unprojected(suite), "Redis has all", TimeSpan.FromMinutes(2));
        var latencies = await Latencies(run, suite, bus);
        run.AtMost($"activity to live score at {Rate} activities/s: p95", latencies[(int)(latencies.Length * 0.95)], "ms", 250);
        run.Tell($"activity to live score at {Rate} activities/s: median", latencies[latencies.Length / 2], "ms");

        // Visits of a message begin at one time, messages five milliseconds apart.
        byte[][] Messages(int first, int count) =>
            [.. Enumerable.Range(first, count).Select(message =>
                EventLoad.Body(Message(suite.WorkspaceId, message * VisitsPerMessage, begin.AddMilliseconds(Visit * started++))))];

        async Task Send(IReadOnlyCollection<byte[]> bodies)
        {
            foreach (var chunk in bodies.Chunk(20))
            {
                await Task.WhenAll(chunk.Select(load.Publish));
            }

            // Counting activities would cost more than scoring them.
            handled += bodies.Count;
            await Eventually.Equal(
                handled, () => database.Scalar<long>("select count(*) from inbox where consumer = 'ActivitiesRecordedConsumer'"),
                "all are scored", TimeSpan.FromMinutes(3));
        }
    }

    private static async Task<double[]> Latencies(BenchmarkRun run, BenchmarkSuite suite, TestBus bus)
    {
        var seconds = run.Scaled(20);
        run.Say($"{Rate} activities a second for {seconds} s");
        using var client = suite.Client();
        using var stop = new CancellationTokenSource();
        var load = Load();
        var times = new List<double>();
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            var (lead, now) = (Guid.CreateVersion7(), TimeProvider.System.GetUtcNow());
            var watch = Stopwatch.StartNew();
            await bus.Publish(
                new ActivitiesRecorded(Guid.CreateVersion7(), suite.WorkspaceId, now, 1, [Activity(lead, now, 0, Guid.CreateVersion7())]));
            while (true)
            {
                using var answer = await client.GetAsync($"/v1/scores/{lead}");
                if (answer.IsSuccessStatusCode)
                {
                    break;
                }

                await Task.Delay(5);
            }

            times.Add(watch.Elapsed.TotalMilliseconds);
        }

        await stop.CancelAsync();
        run.Tell("activities sent per second meanwhile", await load / clock.Elapsed.TotalSeconds, "/s");
        return [.. times.Order()];

        async Task<long> Load()
        {
            const int PerMessage = VisitsPerMessage * Visit;
            var (sent, pace) = (0L, Stopwatch.StartNew());
            while (!stop.IsCancellationRequested)
            {
                if (pace.Elapsed.TotalSeconds * Rate < sent)
                {
                    await Task.Delay(5);
                    continue;
                }

                await bus.Publish(Message(suite.WorkspaceId, (int)(sent / Visit) + 7, TimeProvider.System.GetUtcNow()));
                sent += PerMessage;
            }

            return sent;
        }
    }

    private static ActivitiesRecorded Message(Guid workspace, int first, DateTimeOffset time)
    {
        var activities = new List<ActivityInfo>();
        for (var visit = first; visit < first + VisitsPerMessage; visit++)
        {
            var (lead, session) = (Guid.Parse(ScoringHistory.LeadId(1 + (int)(visit * 7919L % Leads))), Guid.CreateVersion7());
            activities.AddRange(Enumerable.Range(0, Visit).Select(step => Activity(lead, time.AddMilliseconds(step), step, session)));
        }

        return new(Guid.CreateVersion7(), workspace, time, 1, activities);
    }

    private static ActivityInfo Activity(Guid lead, DateTimeOffset time, int step, Guid session) => new(
        Guid.CreateVersion7(time), lead, "PAGE", "Acme: know your leads", time, session,
        $"https://www.acme.example{Paths[step % Paths.Length]}", Properties);

    private static async Task<long> Unprojected(BenchmarkSuite suite)
    {
        var mark = await suite.Redis.Command(
            $"EVAL \"return redis.status_reply(redis.call('GET', KEYS[1]) or '')\" 1 {{{suite.WorkspaceId:N}}}:3:complete");
        return mark.Split(':').Length != 3
            ? -1
            : await suite.Database("scoring").Scalar<long>(
                "select count(*) from lead where not pg_visible_in_snapshot(change_xid::text::xid8, $1::pg_snapshot)", mark.TrimStart('+'));
    }
}
