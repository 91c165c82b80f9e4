using System.Collections.Concurrent;
using System.Threading.Channels;
using System.Threading.RateLimiting;
using Lifecycle.Capture.Features.ImportLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>Tells this process' announcer of a workspace with new rows. Any number of rings before it is served count as one.</summary>
internal sealed class ImportSignal
{
    private readonly Channel<Guid> workspaces = Channel.CreateUnbounded<Guid>();
    private readonly ConcurrentDictionary<Guid, bool> waiting = [];

    public void Ring(Guid workspaceId)
    {
        if (waiting.TryAdd(workspaceId, true))
        {
            workspaces.Writer.TryWrite(workspaceId);
        }
    }

    public async Task<Guid> Next(CancellationToken ct)
    {
        var workspace = await workspaces.Reader.ReadAsync(ct);
        waiting.TryRemove(workspace, out _);
        return workspace;
    }
}

/// <summary>
/// Tells the other services of leads that imports made or changed, at a bounded rate: at once where this process imported, and at the start
/// and now and then those that another process left. Replicas share the work by skipping what another is at.
/// </summary>
internal sealed partial class ImportAnnouncer(
    UnitOfWork<CaptureDbContext> work, ImportSignal signal, IOptions<CaptureOptions> options, TimeProvider time,
    ILogger<ImportAnnouncer> logger)
    : BackgroundService
{
    private const int PortionsPerSecond = 10;

    // A second's worth goes at once, so that the leads of a small file are told as fast as anything.
    private readonly TokenBucketRateLimiter rate = new(new()
    {
        TokenLimit = options.Value.ImportAnnouncementsPerSecond,
        TokensPerPeriod = Math.Max(options.Value.ImportAnnouncementsPerSecond / PortionsPerSecond, 1),
        ReplenishmentPeriod = TimeSpan.FromSeconds(1) / PortionsPerSecond,
        QueueLimit = int.MaxValue,
    });

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Rung(stoppingToken), Left(stoppingToken));

    public override void Dispose()
    {
        rate.Dispose();
        base.Dispose();
    }

    private async Task Rung(CancellationToken ct)
    {
        while (true)
        {
            var workspace = await signal.Next(ct);
            await Try(() => Announce(workspace, ct));
        }
    }

    private async Task Left(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.ImportAnnouncementSeconds), time);
        do
        {
            await Try(() => work.ForEachWorkspace(Announce, ct));
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private async Task Announce(Guid workspaceId, CancellationToken ct)
    {
        for (var told = 1; told > 0;)
        {
            await work.Run(workspaceId, async tx => told = await ImportAnnouncements.PublishNext(tx), ct);
            if (told > 0)
            {
                using var lease = await rate.AcquireAsync(told, ct);
            }
        }
    }

    private async Task Try(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFailed(exception);
        }
    }

    [LoggerMessage(EventId = 3061, Level = LogLevel.Warning, Message = "Announcing imported leads failed; it goes on in the next round")]
    private partial void LogFailed(Exception exception);
}
