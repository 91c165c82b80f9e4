using Lifecycle.Contracts;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

/// <summary>A database of the trial service, with shorthands that several test classes use.</summary>
public abstract class TrialDatabase : IAsyncLifetime
{
    protected static readonly DateTimeOffset Noon = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TestDatabase Database { get; private set; } = null!;

    protected Guid WorkspaceId { get; } = Guid.CreateVersion7(Noon);

    public virtual async ValueTask InitializeAsync() => Database = await TestDatabase.Create<TrialDbContext>("trial");

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Database.DisposeAsync();
    }

    protected static Move NewMove(Guid workspaceId, Guid leadId, long version) =>
        new() { WorkspaceId = workspaceId, LeadId = leadId, Version = version };

    protected static LeadStageChanged NewEvent(Guid workspaceId, Guid leadId, long version) =>
        new(Guid.CreateVersion7(Noon), workspaceId, Noon, version, leadId, "LEAD", "MQL", "QUALIFIED", "service:trial", 12.5m, null);

    protected Task<long> Count(string table) => Database.Scalar<long>($"select count(*) from {table}")!;
}
