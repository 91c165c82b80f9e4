using Dapper;
using Lifecycle.Contracts;

namespace Lifecycle.Postgres.Bus;

/// <summary>Keeps the service's own table of workspaces; the highest version wins.</summary>
internal sealed class WorkspaceUpdatedConsumer<TContext>(UnitOfWork<TContext> work) : EventConsumer<WorkspaceUpdated, TContext>(work)
    where TContext : LifecycleDbContext
{
    protected override Task Handle(Transaction<TContext> tx, WorkspaceUpdated e) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into workspace (id, display_name, time_zone, currency_code, version)
            values (@WorkspaceId, @DisplayName, @TimeZone, @CurrencyCode, @Version)
            on conflict (id) do update set display_name = excluded.display_name, time_zone = excluded.time_zone,
              currency_code = excluded.currency_code, version = excluded.version
            where workspace.version < excluded.version
            """,
            e, cancellationToken: tx.CancellationToken));
}
