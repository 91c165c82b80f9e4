using Google.Protobuf;
using Lifecycle.Kernel;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Postgres;

public sealed partial class UnitOfWork<TContext>
{
    /// <summary>
    /// As RunIdempotent for several requests of one method in one transaction: those whose id is new run together, and each keeps its
    /// answer. Ids are claimed in order, so that two such transactions never wait for each other.
    /// </summary>
    /// <param name="workspaceId">The requests' workspace.</param>
    /// <param name="method">Full name of the RPC.</param>
    /// <param name="requests">The requests, with their ids; one with an empty id runs without any of this.</param>
    /// <param name="work">
    /// Gets the positions that run and answers each, in that order; null for one that has to run alone. For what is answered by an error or
    /// null it must have written nothing.
    /// </param>
    /// <param name="ct">Cancels, and rolls back.</param>
    /// <returns>The answers by position; null for a request that was answered before, has a twin here, or has to run alone.</returns>
    internal Task<Result<TResponse>?[]> RunTogether<TResponse>(
        Guid workspaceId, string method, IReadOnlyList<(string RequestId, IMessage Request)> requests,
        Func<Transaction<TContext>, IReadOnlyList<int>, Task<IReadOnlyList<Result<TResponse>?>>> work, CancellationToken ct)
        where TResponse : IMessage<TResponse>, new()
    {
        var positions = Enumerable.Range(0, requests.Count).ToArray();
        // Of two with one id the second waits for the first, and then reads its answer.
        var keyed = positions.Where(position => requests[position].RequestId.Length > 0)
            .DistinctBy(position => requests[position].RequestId)
            .ToDictionary(position => requests[position].RequestId, StringComparer.Ordinal);
        return Execute(workspaceId, System.Data.IsolationLevel.ReadCommitted, async (tx, results) =>
        {
            var claimed = await Claimed(results, ct);
            var runs = positions.Where(position => requests[position].RequestId is var id
                && (id.Length == 0 || (keyed[id] == position && claimed.Contains(id)))).ToArray();
            var answers = new Result<TResponse>?[requests.Count];
            foreach (var (position, answer) in runs.Zip(runs.Length == 0 ? [] : await work(tx, runs)))
            {
                answers[position] = answer;
            }

            Keep(tx, method, [.. claimed.Select(id => (id, answers[keyed[id]]))]);
            return (answers, answers.Any(answer => answer is { Succeeded: true }));
        }, (tx, batch) =>
        {
            if (keyed.Count > 0)
            {
                batch.BatchCommands.Add(Claim(tx, method, [.. keyed.OrderBy(one => one.Key, StringComparer.Ordinal)
                    .Select(one => (one.Key, requests[one.Value].Request))]));
            }
        }, ct);
    }

    /// <summary>
    /// Takes keys in the order given. Where a twin is still running it waits for its commit or rollback. Answers the keys that were free.
    /// </summary>
    private static NpgsqlBatchCommand Claim(
        Transaction<TContext> tx, string method, (string RequestId, IMessage Request)[] requests) => new(
        """
        insert into idempotency (workspace_id, method, request_id, request_hash, created_at)
        select $1, $2, id, hash, $5 from unnest($3, $4) with ordinality as r(id, hash, place) order by place
        on conflict do nothing returning request_id
        """)
        {
            Parameters =
            {
                Bulk.Value(tx.WorkspaceId),
                Bulk.Value(method),
                Bulk.Array(NpgsqlDbType.Text, requests.Select(one => one.RequestId).ToArray()),
                Bulk.Array(NpgsqlDbType.Bytea, requests.Select(one => RequestKey.Hash(one.Request)).ToArray()),
                new NpgsqlParameter { Value = tx.Now, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            },
        };

    private static async Task<HashSet<string>> Claimed(NpgsqlDataReader results, CancellationToken ct)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        await using (results)
        {
            while (await results.ReadAsync(ct))
            {
                ids.Add(results.GetString(0));
            }
        }

        return ids;
    }

    /// <summary>Answers are kept; an error, or one that runs alone, gives its key back.</summary>
    private static void Keep<TResponse>(Transaction<TContext> tx, string method, (string RequestId, Result<TResponse>? Answer)[] claimed)
        where TResponse : IMessage<TResponse>
    {
        var kept = claimed.Where(one => one.Answer is { Succeeded: true }).ToArray();
        var given = claimed.Where(one => one.Answer is not { Succeeded: true }).Select(one => one.RequestId).ToArray();
        if (kept.Length > 0)
        {
            tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                update idempotency i set response = n.response from unnest($3, $4) as n(request_id, response)
                where i.workspace_id = $1 and i.method = $2 and i.request_id = n.request_id
                """)
            {
                Parameters =
                {
                    Bulk.Value(tx.WorkspaceId),
                    Bulk.Value(method),
                    Bulk.Array(NpgsqlDbType.Text, kept.Select(one => one.RequestId).ToArray()),
                    Bulk.Array(NpgsqlDbType.Bytea, kept.Select(one => one.Answer!.Value.Value.ToByteArray()).ToArray()),
                },
            });
        }

        if (given.Length > 0)
        {
            tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
                "delete from idempotency where workspace_id = $1 and method = $2 and request_id = any($3)")
            {
                Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Value(method), Bulk.Array(NpgsqlDbType.Text, given) },
            });
        }
    }
}
