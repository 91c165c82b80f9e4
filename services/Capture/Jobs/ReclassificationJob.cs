using System.Threading.Channels;
using Lifecycle.Capture.Features.ReclassifyChannels;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>Tells this process' job that a workspace asked for a run.</summary>
internal sealed class ReclassificationSignal
{
    // What finds no room waits for the job's next round.
    private readonly Channel<Guid> workspaces = Channel.CreateBounded<Guid>(
        new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });

    public ChannelReader<Guid> Workspaces => workspaces.Reader;

    public void Ring(Guid workspaceId) => workspaces.Writer.TryWrite(workspaceId);
}

/// <summary>
/// Runs the rules over the histories that were asked for: at once where this process was asked, and at the start and now and then those
/// that another process left. Replicas share the work by skipping what another is at.
/// </summary>
internal sealed partial class ReclassificationJob(
    UnitOfWork<CaptureDbContext> work, ReclassifyBatch batch, ReclassificationSignal signal,
    IOptions<CaptureOptions> options, TimeProvider time, ILogger<ReclassificationJob> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Asked(stoppingToken), Left(stoppingToken));

    private async Task Asked(CancellationToken ct)
    {
        await foreach (var workspace in signal.Workspaces.ReadAllAsync(ct))
        {
            await Try(() => Run(workspace, ct));
        }
    }

    private async Task Left(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.ReclassificationSeconds), time);
        do
        {
            await Try(() => work.ForEachWorkspace(Run, ct));
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private async Task Run(Guid workspaceId, CancellationToken ct)
    {
        ReclassificationRest rest;
        while ((rest = await batch.Handle(workspaceId, ct)) != ReclassificationRest.None)
        {
            if (rest == ReclassificationRest.Later)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), time, ct);
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

    [LoggerMessage(EventId = 3021, Level = LogLevel.Warning, Message = "Reclassifying stopped; it goes on in the next round")]
    private partial void LogFailed(Exception exception);
}
