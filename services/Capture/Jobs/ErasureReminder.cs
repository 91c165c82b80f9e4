using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>Asks services again that have not confirmed an erasure in time. Replicas share the work by skipping each other's rows.</summary>
internal sealed partial class ErasureReminder(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<ErasureReminder> logger) : BackgroundService
{
    private const int Batch = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = TimeSpan.FromSeconds(options.Value.ErasureAskSeconds);
        using var timer = new PeriodicTimer(pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await work.ForEachWorkspace((workspaceId, ct) => Ask(workspaceId, pause, ct), stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task Ask(Guid workspaceId, TimeSpan pause, CancellationToken ct)
    {
        for (var asked = Batch; asked == Batch;)
        {
            await work.Run(workspaceId, async tx => asked = await ErasureReceipts.AskAgain(tx, pause, Batch), ct);
            if (asked > 0)
            {
                LogAsked(asked, workspaceId);
            }
        }
    }

    [LoggerMessage(EventId = 3031, Level = LogLevel.Warning, Message = "{Erasures} erasures of workspace {WorkspaceId} are not confirmed by every service; asked again")]
    private partial void LogAsked(int erasures, Guid workspaceId);

    [LoggerMessage(EventId = 3032, Level = LogLevel.Warning, Message = "Asking for erasures again failed; tried again in the next round")]
    private partial void LogFailed(Exception exception);
}
