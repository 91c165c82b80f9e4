using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Rebuilds rollups that are not kept, or are kept by days of another zone than the workspace's; adds to the others what changed and was
/// left over.
/// </summary>
internal sealed partial class RollupKeeper(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<RollupKeeper> logger)
    : WorkspaceJob<CaptureDbContext>(work, TimeSpan.FromSeconds(options.Value.RollupSeconds), time, logger)
{
    protected override bool BeginsAtOnce => false;

    /// <summary>One workspace.</summary>
    internal async Task Keep(Guid workspaceId, CancellationToken ct)
    {
        if (await Work.Read(workspaceId, Wanted, ct) is null)
        {
            if (await Work.Read(workspaceId, RollupStore.HasChanges, ct))
            {
                await Work.Run(workspaceId, tx => RollupStore.Fold(tx), ct);
            }

            return;
        }

        var (zone, counted) = ("", default((long Sessions, long Leads)));
        await Work.Run(workspaceId, async tx =>
        {
            await LeadStore.Lock(tx);
            // Another replica may have done it meanwhile.
            if (await Wanted(tx) is { } wanted)
            {
                zone = wanted;
                counted = await RollupStore.Rebuild(tx, TimeZoneInfo.FindSystemTimeZoneById(wanted), options.Value.RetentionMonths);
            }
        }, ct);
        LogRebuilt(Logger, workspaceId, counted.Sessions, counted.Leads, zone);
    }

    protected override Task Run(Guid workspaceId, CancellationToken ct) => Keep(workspaceId, ct);

    /// <summary>Zone to rebuild in; null when all is well.</summary>
    private static Task<string?> Wanted(Transaction<CaptureDbContext> tx) => tx.Connection.QuerySingleOrDefaultAsync<string?>(
        """
        select w.time_zone from workspace w left join rollup_state s on s.workspace_id = w.id
        where w.id = @workspace and s.time_zone is distinct from w.time_zone
        """,
        new { workspace = tx.WorkspaceId });

    [LoggerMessage(
        EventId = 3031, Level = LogLevel.Information,
        Message = "Rollups of {WorkspaceId} rebuilt: {Sessions} sessions, {Leads} leads, {Zone}")]
    private static partial void LogRebuilt(ILogger logger, Guid workspaceId, long sessions, long leads, string zone);
}
