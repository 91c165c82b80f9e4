using Lifecycle.Scoring;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Live;
using Lifecycle.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Scoring.IntegrationTests;

/// <summary>The highest scores where many leads stand at the same place.</summary>
public sealed class EqualRanksTests : IAsyncLifetime
{
    private const int Leads = 6_000;
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);
    private readonly Guid workspace = Guid.CreateVersion7();
    private TestRedis redis = null!;
    private RedisConnection connection = null!;
    private LiveScores live = null!;

    public async ValueTask InitializeAsync()
    {
        redis = await TestRedis.Start();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString }).Build();
        connection = new(configuration, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await connection.StartAsync(TestContext.Current.CancellationToken);
        live = new(connection, Options.Create(new ScoringOptions { RedisTimeoutMilliseconds = 60_000 }), NullLogger<LiveScores>.Instance);
        await Eventually.True(() => Task.FromResult(connection.Database is not null), "Redis is connected");
    }

    public async ValueTask DisposeAsync()
    {
        await connection.StopAsync(CancellationToken.None);
        connection.Dispose();
        await redis.DisposeAsync();
    }

    [Fact]
    public async Task Top_NobodyIsIn_IsUnknown() => Assert.Null(await Top(10));

    [Fact]
    public async Task Top_AllHaveTheSameTotal_IsAnyOfThem()
    {
        await Write(Enumerable.Range(0, Leads).Select(_ => Lead(50)));
        var top = await Top(1_000);
        Assert.Equal(1_000, top!.Select(score => score.LeadId).Distinct().Count());
    }

    [Fact]
    public async Task Top_FractionsUnderTheSameBound_IsTheOrderOfExactTotals()
    {
        // Each stands at 50, as constants are rounded up: the bounds tell nothing, and there are more than one script reads.
        var scores = Enumerable.Range(1, Leads).Select(number => Lead(49 + (number / 10_000m))).ToArray();
        await Write(scores);
        Assert.Equal(scores.Reverse().Take(20).Select(score => score.LeadId), Ordered(await Top(20)));
    }

    [Fact]
    public async Task Top_SomeLeadsAreKnownOtherwise_AreLeftOut()
    {
        var scores = Enumerable.Range(1, 300).Select(number => Lead(number)).ToArray();
        await Write(scores);
        var except = scores[^100..].Select(score => score.LeadId).ToHashSet();
        Assert.Equal(scores[..200].Reverse().Take(50).Select(score => score.LeadId), Ordered(await Top(50, except: except)));
    }

    [Fact]
    public async Task Top_WithALeastTotal_EndsThere()
    {
        var scores = Enumerable.Range(1, 300).Select(number => Lead(number)).ToArray();
        await Write(scores);
        Assert.Equal(scores[289..].Reverse().Select(score => score.LeadId), Ordered(await Top(50, least: 290)));
    }

    private static LiveScore Lead(decimal constant) =>
        new(Guid.CreateVersion7(), 1, 1, false, new(Start, new(constant, []), CategoryState.Zero, CategoryState.Zero));

    private static IEnumerable<Guid> Ordered(IEnumerable<LiveScore>? scores) =>
        scores!.OrderByDescending(score => score.State.TotalAt(Start)).Select(score => score.LeadId);

    private Task<List<LiveScore>?> Top(int limit, double least = double.NegativeInfinity, HashSet<Guid>? except = null) =>
        live.Top(workspace, "default", limit, least, Start, except ?? []);

    private async Task Write(IEnumerable<LiveScore> scores)
    {
        foreach (var chunk in scores.Chunk(1_000))
        {
            Assert.True(await live.Write(
                workspace, "default", chunk.Select(score => (score.LeadId, score.Version, (LiveScore?)score)).ToArray(), force: false));
        }

        Assert.True(await live.BeginRestore(workspace, "t") && await live.EndRestore(workspace, "t", "1:1:"));
    }
}
