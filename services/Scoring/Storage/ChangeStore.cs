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
}
