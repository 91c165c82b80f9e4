using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Trial.Storage;

namespace Lifecycle.Trial;

/// <summary>Counts how often each version of a lead was handled.</summary>
internal sealed class LeadStageChangedConsumer(UnitOfWork<TrialDbContext> work) : EventConsumer<LeadStageChanged, TrialDbContext>(work)
{
    protected override Task Handle(Transaction<TrialDbContext> tx, LeadStageChanged e) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into sighting (workspace_id, lead_id, version, times) values (@WorkspaceId, @LeadId, @Version, 1)
            on conflict (workspace_id, lead_id, version) do update set times = sighting.times + 1
            """,
            e, cancellationToken: tx.CancellationToken));
}

/// <summary>Cannot handle what it gets.</summary>
internal sealed class LeadErasedConsumer(UnitOfWork<TrialDbContext> work) : EventConsumer<LeadErased, TrialDbContext>(work)
{
    protected override Task Handle(Transaction<TrialDbContext> tx, LeadErased e) =>
        throw new InvalidOperationException($"Lead {e.LeadId} cannot be erased.");
}
