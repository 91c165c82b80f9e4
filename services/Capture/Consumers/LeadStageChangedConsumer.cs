using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Consumers;

/// <summary>
/// Shows on the lead the stage that Conversion decided. A lead is made here before anybody else hears of it, so an unknown one is gone.
/// </summary>
internal sealed class LeadStageChangedConsumer(UnitOfWork<CaptureDbContext> work) : EventConsumer<LeadStageChanged, CaptureDbContext>(work)
{
    protected override async Task Handle(Transaction<CaptureDbContext> tx, LeadStageChanged e) =>
        await tx.Connection.ExecuteAsync(
            "update lead set stage = @to, stage_version = @version where workspace_id = @workspace and id = @id and stage_version < @version and erase_time is null",
            new { workspace = tx.WorkspaceId, id = await LeadStore.Current(tx, e.LeadId), to = e.To, version = e.Version });
}
