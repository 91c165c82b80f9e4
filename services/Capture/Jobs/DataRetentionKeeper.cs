using Lifecycle.Capture.Features.RetainData;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>Applies every workspace's policy of data retention from time to time.</summary>
internal sealed partial class DataRetentionKeeper(
    UnitOfWork<CaptureDbContext> work, DataRetainer retain, IOptions<CaptureOptions> options, TimeProvider time, ILogger<DataRetentionKeeper> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.DataRetentionSeconds), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await work.ForEachWorkspace(Apply, stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task Apply(Guid workspaceId, CancellationToken ct)
    {
        var (activities, leads) = await retain.Apply(workspaceId, ct);
        if (activities + leads > 0)
        {
            LogApplied(activities, leads, workspaceId);
        }
    }

    [LoggerMessage(EventId = 3041, Level = LogLevel.Information, Message = "Data retention deleted {Activities} activities and erased {Leads} leads of workspace {WorkspaceId}")]
    private partial void LogApplied(long activities, long leads, Guid workspaceId);

    [LoggerMessage(EventId = 3042, Level = LogLevel.Warning, Message = "Data retention failed; tried again in the next round")]
    private partial void LogFailed(Exception exception);
}
