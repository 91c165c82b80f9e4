using Dapper;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Retention.Storage;

/// <summary>
/// Customers whose months are to be counted anew. A transaction adds its own marks and touches no other's, so that writers never meet here;
/// who counts takes marks that are committed, and with them sees what they stand for.
/// </summary>
internal static class RollupMarks
{
    /// <summary>Customers of one mark.</summary>
    private const int Portion = 1_000;

    /// <summary>Marks that are read at once: of single writes most name one customer.</summary>
    private const int MaxMarks = 1_000;

    /// <summary>Marks customers whose ledger or start the transaction changes.</summary>
    public static void Add(Transaction<RetentionDbContext> tx, IEnumerable<Guid> customerIds)
    {
        foreach (var portion in customerIds.Chunk(Portion))
        {
            tx.Closing.BatchCommands.Add(new("insert into rollup_mark (workspace_id, id, customer_ids) values ($1, $2, $3)")
            {
                Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Value(tx.NewId()), Bulk.Array(NpgsqlDbType.Uuid, portion) },
            });
        }
    }

    /// <summary>Marks every customer, in the place of all marks that are there.</summary>
    public static Task AddAll(Transaction<RetentionDbContext> tx) => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        delete from rollup_mark where workspace_id = @workspace;
        insert into rollup_mark (workspace_id, id, customer_ids)
        select @workspace, gen_random_uuid(), array_agg(id) from (
          select id, (row_number() over (order by id) - 1) / @portion as part from customer where workspace_id = @workspace) c group by part;
        """,
        new { workspace = tx.WorkspaceId, portion = Portion }, commandTimeout: 600, cancellationToken: tx.CancellationToken));

    /// <summary>Takes the oldest marks away. Only who holds the lock of the workspace's months may do so.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="size">Customers from which on no further mark is taken.</param>
    /// <returns>Their customers, each once, and whether there may be more marks.</returns>
    public static async Task<(Guid[] CustomerIds, bool More)> Take(Transaction<RetentionDbContext> tx, int size)
    {
        // Marks before the one with which the size is reached, and that one.
        var taken = (await tx.Connection.QueryAsync<Mark>(new CommandDefinition(
            """
            delete from rollup_mark where workspace_id = @workspace and id = any(array(
              select id from (
                select id, sum(cardinality(customer_ids)) over (order by id rows between unbounded preceding and 1 preceding) as before
                from (select id, customer_ids from rollup_mark where workspace_id = @workspace order by id limit @limit) oldest) summed
              where before is null or before < @size))
            returning customer_ids
            """,
            new { workspace = tx.WorkspaceId, size, limit = MaxMarks }, cancellationToken: tx.CancellationToken))).AsList();
        return ([.. taken.SelectMany(mark => mark.CustomerIds).Distinct()], taken.Count == MaxMarks
            || taken.Sum(mark => mark.CustomerIds.Length) >= size);
    }

    private sealed class Mark
    {
        public Guid[] CustomerIds { get; init; } = [];
    }
}
