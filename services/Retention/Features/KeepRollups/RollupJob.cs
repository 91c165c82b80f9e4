using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.KeepRollups;

/// <summary>Keeps the months counted between reports, so that none has to wait long.</summary>
public sealed class RollupJob(
    UnitOfWork<RetentionDbContext> work, RollupKeeper keeper, IOptions<RetentionOptions> options, TimeProvider time,
    ILogger<RollupJob> logger)
    : WorkspaceJob<RetentionDbContext>(work, TimeSpan.FromSeconds(options.Value.RollupPauseSeconds), time, logger)
{
    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        var zone = await Work.Read(
            workspaceId, tx => tx.Db.Workspaces.Where(one => one.Id == workspaceId).Select(one => one.TimeZone)
                .SingleOrDefaultAsync(tx.CancellationToken), ct);
        if (zone is not null)
        {
            await keeper.CountAll(workspaceId, zone, ct);
        }
    }
}
