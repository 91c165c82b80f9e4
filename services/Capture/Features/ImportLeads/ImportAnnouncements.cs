using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.ImportLeads;

/// <summary>
/// Leads of imports, of which the other services hear in small portions after the import's own transaction: the events of a million rows
/// would stand in the outbox before all that happens live, and take longer to write than the leads. What is told is the lead as it is then.
/// </summary>
internal static class ImportAnnouncements
{
    /// <summary>Leads of one transaction; live events wait for no more.</summary>
    public const int Portion = 100;

    /// <summary>Notes leads, in the transaction that changes them.</summary>
    public static async Task Add(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> captured, IReadOnlyCollection<Guid> updated)
    {
        foreach (var portion in captured.Select(id => (Id: id, IsNew: true))
            .Concat(updated.Select(id => (Id: id, IsNew: false))).Chunk(Portion))
        {
            await tx.Connection.ExecuteAsync(
                "insert into import_announcement (workspace_id, id, captured_ids, updated_ids) values (@workspace, @id, @captured, @updated)",
                new
                {
                    workspace = tx.WorkspaceId,
                    id = tx.NewId(),
                    captured = portion.Where(lead => lead.IsNew).Select(lead => lead.Id).ToArray(),
                    updated = portion.Where(lead => !lead.IsNew).Select(lead => lead.Id).ToArray(),
                });
        }
    }

    /// <summary>Publishes the next portion that no other replica is at; 0 when there is none.</summary>
    /// <returns>Leads taken, those included that are gone meanwhile.</returns>
    public static async Task<int> PublishNext(Transaction<CaptureDbContext> tx)
    {
        var next = await tx.Connection.QuerySingleOrDefaultAsync<Row>(
            """
            delete from import_announcement where workspace_id = @workspace and id = (
              select id from import_announcement where workspace_id = @workspace order by id limit 1 for update skip locked)
            returning captured_ids, updated_ids
            """,
            new { workspace = tx.WorkspaceId });
        if (next is null)
        {
            return 0;
        }

        // Merged and erased leads are not found: of those the events of their merge and erasure tell.
        var leads = await LeadStore.Load(tx, [.. next.CapturedIds, .. next.UpdatedIds]);
        foreach (var id in next.CapturedIds.Where(leads.ContainsKey))
        {
            tx.Publish(leads[id].ToCaptured(tx.NewId(), tx.WorkspaceId));
        }

        foreach (var id in next.UpdatedIds.Where(leads.ContainsKey))
        {
            tx.Publish(leads[id].ToUpdated(tx.NewId(), tx.WorkspaceId) with { OccurredAt = tx.Now });
        }

        return next.CapturedIds.Length + next.UpdatedIds.Length;
    }

    private sealed class Row
    {
        public required Guid[] CapturedIds { get; init; }

        public required Guid[] UpdatedIds { get; init; }
    }
}
