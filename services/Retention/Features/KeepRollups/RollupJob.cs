using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.KeepRollups;

/// <summary>Keeps the months counted between reports, so that none has to wait long.</summary>
public sealed partial class RollupJob(
    UnitOfWork<RetentionDbContext> work, RollupKeeper keeper, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RollupJob> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RollupPauseSeconds), time);
        do
        {
            try
            {
                await work.ForEachWorkspace(Run, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A job outlives whatever goes wrong in one round: the next one begins where this one ended.
                LogFailed(logger, fault);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task Run(Guid workspaceId, CancellationToken ct)
    {
        var zone = await work.Read(
            workspaceId, tx => tx.Db.Workspaces.Where(one => one.Id == workspaceId).Select(one => one.TimeZone).SingleOrDefaultAsync(tx.CancellationToken), ct);
        if (zone is not null)
        {
            await keeper.CountAll(workspaceId, zone, ct);
        }
    }

    [LoggerMessage(6201, LogLevel.Warning, "Counting of months failed and comes back")]
    private static partial void LogFailed(ILogger logger, Exception fault);
}
