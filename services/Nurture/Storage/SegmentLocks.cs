using Lifecycle.Postgres;
using Npgsql;

namespace Lifecycle.Nurture.Storage;

/// <summary>
/// Keeps what changes leads and what judges all of them apart, without locking a million rows: every transaction that locks a lead holds
/// the workspace's lock shared; a page of a segment's first build holds it alone, for the time of that page.
/// </summary>
internal static class SegmentLocks
{
    private const int Class = 4101;

    /// <summary>Taken before any lead's lock, so that nobody who waits for it holds what its holder needs.</summary>
    public static void AddShared(NpgsqlBatch batch, Guid workspaceId) =>
        batch.BatchCommands.Add(Command("select pg_advisory_xact_lock_shared($1, $2)", workspaceId));

    /// <summary>Waits for every change under way; later ones wait for the end of this transaction.</summary>
    public static async Task TakeAlone(Transaction<NurtureDbContext> tx)
    {
        await using var batch = new NpgsqlBatch(tx.Connection, tx.DbTransaction);
        batch.BatchCommands.Add(Command("select pg_advisory_xact_lock($1, $2)", tx.WorkspaceId));
        await batch.ExecuteNonQueryAsync(tx.CancellationToken);
    }

    /// <summary>Two workspaces whose numbers meet wait for each other, no more.</summary>
    private static NpgsqlBatchCommand Command(string sql, Guid workspaceId) => new(sql)
    {
        Parameters = { Bulk.Value(Class), Bulk.Value(BitConverter.ToInt32(workspaceId.ToByteArray(), 12)) },
    };
}
