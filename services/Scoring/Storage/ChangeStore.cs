using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Scoring.Storage;

/// <summary>
/// What changed since a reader looked last. Each score keeps the transaction that changed it; every transaction below the oldest that still
/// runs has ended, so what it changed is seen: a reader that goes on from there misses nothing, though it may see a change twice.
/// </summary>
internal static class ChangeStore
{
    /// <summary>The oldest transaction that still runs, and the scores that transactions from <paramref name="since"/> on changed, at most
    /// <paramref name="limit"/>, of one snapshot: the transaction is to be a reading one.</summary>
    public static async Task<(long Horizon, List<LiveRow> Rows)> Since(
        Transaction<ScoringDbContext> tx, string scoreName, long? since, IReadOnlyCollection<Guid> leadIds, int limit)
    {
        var horizon = await tx.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint", cancellationToken: tx.CancellationToken));
        var leads = leadIds.Count == 0 ? "" : "and lead_id = any(@ids)";
        return (horizon, await LiveStore.Select(
            tx, scoreName, $"change_xid >= @from {leads} order by change_xid, lead_id limit @limit",
            new { from = since ?? horizon, ids = leadIds.ToArray(), limit }));
    }

    /// <summary>The transaction's snapshot.</summary>
    public static async Task<ChangeMark> Mark(Transaction<ScoringDbContext> tx) => ChangeMark.Parse(
        (await tx.Connection.ExecuteScalarAsync<string>(new CommandDefinition(
            "select pg_current_snapshot()::text", cancellationToken: tx.CancellationToken)))!)!;

    /// <summary>Lets go of marks that transactions of another server left: the database was copied from there, and its transactions are
    /// still to come here.</summary>
    public static Task ForgetOtherServer(Transaction<ScoringDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        update lead set change_xid = 0
        where workspace_id = @WorkspaceId and change_xid >= (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint);
        update score set change_xid = 0
        where workspace_id = @WorkspaceId and change_xid >= (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint);
        """,
        new { tx.WorkspaceId },
        cancellationToken: tx.CancellationToken));

    /// <summary>Scores that transactions changed which had not ended at the mark, in order of transaction and lead.</summary>
    /// <param name="tx">A transaction that began after the mark was taken.</param>
    /// <param name="scoreName">Which score.</param>
    /// <param name="mark">The mark.</param>
    /// <param name="after">
    /// The last one of the page before; null: the first page, with all that transactions changed which were running.
    /// </param>
    /// <param name="limit">Length of a page.</param>
    /// <returns>The page, and whether there are more.</returns>
    public static async Task<(List<LiveRow> Rows, bool More)> After(
        Transaction<ScoringDbContext> tx, string scoreName, ChangeMark mark, LiveRow? after, int limit)
    {
        // Each through the index (workspace_id, change_xid).
        var running = after is null && mark.Running.Count > 0
            ? await LiveStore.Select(tx, scoreName, "change_xid = any(@running)", new { running = mark.Running.ToArray() })
            : [];
        var rows = await LiveStore.Select(
            tx, scoreName,
            "change_xid >= @from and (change_xid, lead_id) > (@from, @lead) order by change_xid, lead_id limit @limit",
            new { from = after?.ChangeXid ?? mark.Next, lead = after?.LeadId ?? Guid.Empty, limit });
        return ([.. running, .. rows], rows.Count == limit);
    }
}
