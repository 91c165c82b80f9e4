using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Rebuilds rollups that are not kept, or are kept by days of another zone than the workspace's; adds to the others what changed and was left over.
/// </summary>
internal sealed partial class RollupKeeper(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<RollupKeeper> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RollupSeconds), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await work.ForEachWorkspace(Keep, stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception);
            }
        }
    }

    /// <summary>One workspace.</summary>
    internal async Task Keep(Guid workspaceId, CancellationToken ct)
    {
        if (await work.Read(workspaceId, Wanted, ct) is null)
        {
            if (await work.Read(workspaceId, RollupStore.HasChanges, ct))
            {
                await work.Run(workspaceId, tx => RollupStore.Fold(tx), ct);
            }

            return;
        }

        var (zone, counted) = ("", default((long Sessions, long Leads)));
        await work.Run(workspaceId, async tx =>
        {
            await LeadStore.Lock(tx);
            // Another replica may have done it meanwhile.
            if (await Wanted(tx) is { } wanted)
            {
                zone = wanted;
                counted = await RollupStore.Rebuild(tx, TimeZoneInfo.FindSystemTimeZoneById(wanted), options.Value.RetentionMonths);
            }
        }, ct);
        LogRebuilt(workspaceId, counted.Sessions, counted.Leads, zone);
    }

    /// <summary>Zone to rebuild in; null when all is well.</summary>
    private static Task<string?> Wanted(Transaction<CaptureDbContext> tx) => tx.Connection.QuerySingleOrDefaultAsync<string?>(
        """
        select w.time_zone from workspace w left join rollup_state s on s.workspace_id = w.id
        where w.id = @workspace and s.time_zone is distinct from w.time_zone
        """,
        new { workspace = tx.WorkspaceId });

    [LoggerMessage(EventId = 3031, Level = LogLevel.Information, Message = "Rollups of {WorkspaceId} rebuilt: {Sessions} sessions, {Leads} leads, {Zone}")]
    private partial void LogRebuilt(Guid workspaceId, long sessions, long leads, string zone);

    [LoggerMessage(EventId = 3032, Level = LogLevel.Warning, Message = "Rebuilding rollups failed; tried again in the next round")]
    private partial void LogFailed(Exception exception);
}
