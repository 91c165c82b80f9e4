using System.Globalization;
using Lifecycle.Scoring;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Live;
using Lifecycle.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Scoring.IntegrationTests;

/// <summary>Redis ranks leads rightly at any time without a write, and takes little room for them.</summary>
public sealed class RankingTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);
    private static readonly double[] HalfLives = [86_400, 5 * 86_400, 30 * 86_400, 90 * 86_400];
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
    public async Task Top_SeveralHalfLives_IsTheOrderOfExactTotalsAtAnyTime()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var (random, workspace) = (new Random(seed), Guid.CreateVersion7());
            var scores = Enumerable.Range(0, 400).Select(_ => Any(random)).ToArray();
            await Write(workspace, scores);

            // Some change: the place they had is left.
            foreach (var index in Enumerable.Range(0, 60))
            {
                scores[index] = Any(random) with { LeadId = scores[index].LeadId, Version = 2 };
            }

            await Write(workspace, scores[..60]);
            Assert.True(await live.BeginRestore(workspace, "t") && await live.EndRestore(workspace, "t", "1:1:"));
            foreach (var days in new[] { 60, 61, 75, 120, 400, 2_000 })
            {
                var (time, limit) = (Start.AddDays(days), random.Next(1, 60));
                var top = await live.Top(workspace, "default", limit, double.NegativeInfinity, time, new HashSet<Guid>());
                Assert.Equal(
                    scores.Select(score => score.State.TotalAt(time)).OrderDescending().Take(limit),
                    top!.Select(score => score.State.TotalAt(time)).OrderDescending());
            }
        }
    }

    [Fact]
    public async Task Memory_PerLead_IsAtMostThreeHundredBytes()
    {
        const int Leads = 50_000;
        var (random, workspace) = (new Random(3), Guid.CreateVersion7());
        var before = await Used();
        for (var done = 0; done < Leads; done += 1_000)
        {
            // Fit and need that stay, behaviour that decays: what the built-in model gives.
            await Write(
                workspace, Enumerable.Range(0, 1_000).Select(_ => new LiveScore(Guid.CreateVersion7(), random.Next(1, 500), 3, false, new(
                    Start.AddSeconds(random.Next(5_000_000)), new(random.Next(-5, 10) * 5, []),
                    new(0, [new(HalfLives[2], random.NextDouble() * 60)]), new(random.Next(0, 4) * 5, [])))).ToArray());
        }

        var bytes = (await Used() - before) / (double)Leads;
        TestContext.Current.SendDiagnosticMessage($"{bytes:0} bytes of Redis per lead");
        Assert.InRange(bytes, 50, 300);
    }

    private async Task Write(Guid workspace, IReadOnlyCollection<LiveScore> scores) => Assert.True(await live.Write(
        workspace, "default", scores.Select(score => (score.LeadId, score.Version, (LiveScore?)score)).ToArray(), force: false));

    private async Task<long> Used()
    {
        var answer = await connection.Database!.ScriptEvaluateAsync(
            "return string.match(redis.call('INFO', 'memory'), 'used_memory:(%d+)')");
        return long.Parse((string)answer!, CultureInfo.InvariantCulture);
    }

    private static LiveScore Any(Random random)
    {
        CategoryState Part() => new(random.Next(-2_000, 5_000) / 100m, HalfLives.Where(_ => random.Next(3) == 0)
            .Select(halfLife => new Bucket(halfLife, random.NextDouble() * (random.Next(5) == 0 ? -30 : 80))).ToArray());
        return new(Guid.CreateVersion7(), 1, 1, false, new(Start.AddMinutes(random.Next(60 * 24 * 60)), Part(), Part(), Part()));
    }
}
