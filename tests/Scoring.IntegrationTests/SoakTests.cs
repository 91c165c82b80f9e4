using System.Globalization;
using System.Net;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>
/// Scoring, Redis and the broker are killed again and again in the middle of work: ledger, Redis and replay agree in the end.
/// </summary>
public sealed class SoakTests
{
    private const int Shortest = 60;

    /// <summary>About how long it takes, in seconds: <c>LIFECYCLE_SOAK_SECONDS</c>, 60 at least.</summary>
    private static readonly int Seconds =
        int.TryParse(Environment.GetEnvironmentVariable("LIFECYCLE_SOAK_SECONDS"), CultureInfo.InvariantCulture, out var seconds)
            ? Math.Max(seconds, Shortest)
            : Shortest;

    [Theory]
    [InlineData(11)]
    public async Task RandomKills_OfScoringRedisAndBroker_LedgerRedisAndReplayAgree(int seed)
    {
        await using var broker = await TestRabbitMq.Start();
        await using var scoring = new ScoringFixture { OwnBroker = broker };
        await scoring.InitializeAsync();
        await using var replica = scoring.Create();
        await replica.Start();
        ServiceProcess[] processes = [scoring.Service, replica];
        foreach (var process in processes)
        {
            // What is killed around it is told as what it is.
            process.Expect("MassTransit");
            process.Expect("RabbitMQ");
        }

        var random = new Random(seed);
        var workspace = await scoring.Workspace();
        var scenario = new Scenario(seed, workspace, Times.Now.AddDays(-30), leads: 16, activities: 5 * Seconds);
        await Put(scoring, workspace, "default", 3);
        await Put(scoring, workspace, "other", 4.25);
        var publishing = Publish(scoring, scenario.Deliveries(seed));
        var expected = scenario.Activities.Count(activity => activity.LeadId != scenario.Erased) + scenario.Leads.Count - 1L;

        // Each kind once; the longer it lasts, the more of those that nobody has to be told of.
        Func<Task>[] kills =
        [
            () => Kill(processes[random.Next(2)]), () => scoring.Redis.Command("FLUSHALL"), scoring.RestartRedis, () => Kill(broker),
        ];
        Func<Task>[] blows =
        [
            .. kills, () => Put(scoring, workspace, "default", 5), () => Adjust(scoring, workspace, scenario.Leads[5]),
            .. Enumerable.Range(0, (Seconds - Shortest) / 15).Select(_ => kills[random.Next(kills.Length)]),
        ];
        random.Shuffle(blows);
        foreach (var (number, blow) in blows.Index())
        {
            var reached = expected * number / (blows.Length + 1);
            await Eventually.True(
                async () => await Count(scoring, workspace) >= reached, $"{reached} activities are in", TimeSpan.FromSeconds(180));
            await blow();
        }

        await publishing;
        await Eventually.Equal(expected, () => Count(scoring, workspace), "all activities are in", TimeSpan.FromSeconds(180));
        await Eventually.Passes(
            async () => Assert.Equal(24, await new Replay(scoring, workspace).Check()), "they agree", TimeSpan.FromSeconds(120));
        using var other = ScoringFixture.Client(replica);
        await Eventually.Passes(
            async () => Assert.Equal(24, await new Replay(scoring, workspace).Check(other)), "the other replica says so too");
    }

    private static async Task Publish(ScoringFixture scoring, IReadOnlyList<ILifecycleEvent> events)
    {
        foreach (var e in events)
        {
            // A broker that is away takes nothing; what it took before it went may come twice.
            await Eventually.Passes(
                () => scoring.Bus.Publish(e).WaitAsync(TimeSpan.FromSeconds(20)), "the broker takes it", TimeSpan.FromSeconds(180));
        }
    }

    private static async Task Kill(ServiceProcess process)
    {
        await process.Kill();
        await process.Start();
    }

    private static async Task Kill(TestRabbitMq broker)
    {
        await broker.Kill();
        await broker.Restart();
    }

    private static Task Put(ScoringFixture scoring, Guid workspace, string name, double points) => Eventually.Equal(
        HttpStatusCode.OK,
        async () => (await scoring.Call(
            HttpMethod.Put, "/v1/scoring/model", workspace, Scenario.Model(name, points).ToJsonString(),
            requestId: $"{name}-{points}")).Status,
        "the model is put");

    private static Task Adjust(ScoringFixture scoring, Guid workspace, Guid lead) => Eventually.Equal(
        HttpStatusCode.OK,
        async () => (await scoring.Call(
            HttpMethod.Post, $"/v1/scores/{lead}:adjust", workspace, """{"points":12.5,"reason":"Called us"}""",
            requestId: "adjust")).Status,
        "the adjustment is kept");

    private static Task<long> Count(ScoringFixture scoring, Guid workspace) =>
        scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace);
}
