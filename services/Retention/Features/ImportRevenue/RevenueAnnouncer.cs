using System.Collections.Concurrent;
using System.Threading.Channels;
using System.Threading.RateLimiting;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.ImportRevenue;

/// <summary>
/// Tells the other services of imported entries, at a bounded rate: at once where this process imports, and at the start and now and then
/// those that another process left. Workspaces take turns, portion by portion; replicas share the work by skipping what another is at.
/// </summary>
public sealed partial class RevenueAnnouncer(
    UnitOfWork<RetentionDbContext> work, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RevenueAnnouncer> logger)
    : BackgroundService
{
    private const int PortionsPerSecond = 10;

    private readonly Channel<Guid> turns = Channel.CreateUnbounded<Guid>();
    private readonly ConcurrentDictionary<Guid, bool> waiting = [];

    // A second's worth goes at once, so that a small file is told as fast as anything.
    private readonly TokenBucketRateLimiter rate = new(new()
    {
        TokenLimit = options.Value.RevenueAnnouncementsPerSecond,
        TokensPerPeriod = options.Value.RevenueAnnouncementsPerSecond / PortionsPerSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1) / PortionsPerSecond,
        QueueLimit = int.MaxValue,
    });

    /// <summary>Gives the workspace a turn. Any number of rings before it count as one.</summary>
    public void Ring(Guid workspaceId)
    {
        if (waiting.TryAdd(workspaceId, true))
        {
            turns.Writer.TryWrite(workspaceId);
        }
    }

    public override void Dispose()
    {
        rate.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Serve(stoppingToken), Look(stoppingToken));

    private async Task Serve(CancellationToken ct)
    {
        while (true)
        {
            var workspaceId = await turns.Reader.ReadAsync(ct);
            waiting.TryRemove(workspaceId, out _);
            await Try(() => Announce(workspaceId, ct));
        }
    }

    private async Task Announce(Guid workspaceId, CancellationToken ct)
    {
        var told = 0;
        await work.Run(workspaceId, async tx => told = await RevenueEvents.PublishNext(tx), ct);
        if (told > 0)
        {
            Ring(workspaceId);
            using var lease = await rate.AcquireAsync(told, ct);
        }
    }

    private async Task Look(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RevenueAnnouncementSeconds), time);
        do
        {
            await Try(() => work.ForEachWorkspace(
                (workspaceId, _) =>
                {
                    Ring(workspaceId);
                    return Task.CompletedTask;
                },
                ct));
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private async Task Try(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFailed(exception.GetBaseException().Message, exception);
        }
    }

    [LoggerMessage(7061, LogLevel.Warning, "Telling of imported entries failed; it goes on in the next round: {Reason}")]
    private partial void LogFailed(string reason, Exception exception);
}
