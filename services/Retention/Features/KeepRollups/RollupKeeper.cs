using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Retention.Features.KeepRollups;

/// <summary>
/// Counts the months of customers whose ledger changed: what such a customer gave before is taken out of the sums and what it gives now put
/// in. A write only marks its customer, so that no two writers meet at one row; a report first counts what is marked, so that it always
/// tells what is written.
/// </summary>
public sealed class RollupKeeper(UnitOfWork<RetentionDbContext> work)
{
    /// <summary>Customers of one transaction.</summary>
    private const int BatchSize = 5_000;

    /// <summary>Transactions that a report waits for; beyond that it reads the ledger instead.</summary>
    private const int MaxBatches = 4;

    /// <summary>Counts what is marked.</summary>
    /// <returns>False where more is marked than a report waits for.</returns>
    public async Task<bool> CatchUp(Guid workspaceId, string timeZone, CancellationToken ct)
    {
        for (var batch = 0; batch < MaxBatches; batch++)
        {
            if (!(await Count(workspaceId, timeZone, ct)).More)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Counts all that is marked, however much.</summary>
    public async Task<long> CountAll(Guid workspaceId, string timeZone, CancellationToken ct)
    {
        for (var total = 0L; ;)
        {
            var (count, more) = await Count(workspaceId, timeZone, ct);
            total += count;
            if (!more)
            {
                return total;
            }
        }
    }

    /// <summary>Forgets all sums and marks every customer.</summary>
    public Task Forget(Guid workspaceId, string timeZone, CancellationToken ct) => work.Run(
        workspaceId,
        async tx =>
        {
            await Lock(tx, timeZone);
            await Clear(tx, timeZone);
        },
        ct);

    /// <summary>Takes a customer that is about to be removed out of the sums. Called before any customer is locked.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="customerIds">The customers.</param>
    internal static async Task TakeOut(Transaction<RetentionDbContext> tx, Guid[] customerIds)
    {
        await using var batch = new NpgsqlBatch(tx.Connection, tx.DbTransaction);
        foreach (var sql in RollupSql.TakeOut)
        {
            batch.BatchCommands.Add(Command(sql, tx, customerIds, null));
        }

        await batch.ExecuteNonQueryAsync(tx.CancellationToken);
    }

    /// <summary>Waits for whoever counts in the workspace; answers the zone that its months go by.</summary>
    internal static async Task<string> Lock(Transaction<RetentionDbContext> tx, string timeZone)
    {
        await tx.Connection.ExecuteAsync(
            "insert into rollup_state (workspace_id, time_zone) values (@workspace, @timeZone) on conflict do nothing",
            new { workspace = tx.WorkspaceId, timeZone });
        return await tx.Connection.QuerySingleAsync<string>(
            "select time_zone from rollup_state where workspace_id = @workspace for update", new { workspace = tx.WorkspaceId });
    }

    private async Task<(int Customers, bool More)> Count(Guid workspaceId, string timeZone, CancellationToken ct)
    {
        var counted = (Customers: 0, More: false);
        await work.Run(
            workspaceId,
            async tx =>
            {
                if (await Lock(tx, timeZone) != timeZone)
                {
                    await Clear(tx, timeZone);
                }

                var (ids, more) = await RollupMarks.Take(tx, BatchSize);
                counted = (ids.Length, more);
                if (ids.Length > 0)
                {
                    await FreshPlans.Use(tx);
                    await TakeOut(tx, ids);
                    await using var batch = new NpgsqlBatch(tx.Connection, tx.DbTransaction);
                    foreach (var sql in RollupSql.PutIn)
                    {
                        batch.BatchCommands.Add(Command(sql, tx, ids, timeZone));
                    }

                    await batch.ExecuteNonQueryAsync(ct);
                }
            },
            ct);
        return counted;
    }

    private static async Task Clear(Transaction<RetentionDbContext> tx, string timeZone)
    {
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            delete from customer_month where workspace_id = @workspace;
            delete from mrr_month where workspace_id = @workspace;
            delete from cohort_month where workspace_id = @workspace;
            update rollup_state set time_zone = @timeZone where workspace_id = @workspace;
            """,
            new { workspace = tx.WorkspaceId, timeZone }, commandTimeout: 600, cancellationToken: tx.CancellationToken));
        await RollupMarks.AddAll(tx);
    }

    private static NpgsqlBatchCommand Command(string sql, Transaction<RetentionDbContext> tx, Guid[] ids, string? timeZone)
    {
        var command = new NpgsqlBatchCommand(sql) { Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, ids) } };
        if (timeZone is not null && sql.Contains("$3", StringComparison.Ordinal))
        {
            command.Parameters.Add(Bulk.Value(timeZone));
        }

        return command;
    }
}
