using System.Data;
using Dapper;
using Google.Protobuf;
using Lifecycle.Kernel;
using Lifecycle.Postgres.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Postgres;

/// <summary>
/// The only door to the service's database. Every action runs in a transaction bound to one workspace by row-level security; state, inbox,
/// idempotency record and outbox commit together.
/// </summary>
/// <remarks>One instance per process, safe for concurrent use.</remarks>
public sealed partial class UnitOfWork<TContext>
    where TContext : LifecycleDbContext
{
    /// <summary>Runs of the same work when Postgres finds it in a deadlock or a serialization conflict.</summary>
    private const int MaxRuns = 3;

    private readonly NpgsqlDataSource dataSource;
    private readonly ContextFactory<TContext> contexts;
    private readonly TimeProvider time;
    private readonly OutboxSignal signal;
    private readonly ILogger logger;

    /// <param name="dataSource">Connections of the application role, search path on the service's schema.</param>
    /// <param name="contexts">Makes the EF context of a transaction.</param>
    /// <param name="signal">Wakes the relay.</param>
    /// <param name="time">Clock of the transactions.</param>
    /// <param name="logger">Where repeated work is told.</param>
    internal UnitOfWork(
        NpgsqlDataSource dataSource, ContextFactory<TContext> contexts, OutboxSignal signal, TimeProvider time,
        ILogger<UnitOfWork<TContext>> logger)
    {
        (this.dataSource, this.contexts, this.signal, this.time, this.logger) = (dataSource, contexts, signal, time, logger);
    }

    internal ILogger Logger => logger;

    /// <summary>Longest pause of a consumer between attempts.</summary>
    internal TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Runs <paramref name="work"/> and commits when it succeeds; an
    /// <see cref="Error"/> or an exception rolls everything back. The work may run again, up to three times in all, after a deadlock or
    /// serialization conflict: it must not touch anything but the transaction.
    /// </summary>
    public Task<Result<T>> Run<T>(Guid workspaceId, Func<Transaction<TContext>, Task<Result<T>>> work, CancellationToken ct) =>
        Execute(workspaceId, IsolationLevel.ReadCommitted, async tx =>
        {
            var result = await work(tx);
            return (result, result.Succeeded);
        }, ct);

    /// <summary>As above, for work that can only succeed or throw.</summary>
    public Task Run(Guid workspaceId, Func<Transaction<TContext>, Task> work, CancellationToken ct) =>
        Execute(workspaceId, IsolationLevel.ReadCommitted, async tx =>
        {
            await work(tx);
            return (true, true);
        }, ct);

    /// <summary>
    /// As above, for work whose first statements are known beforehand: they go to the server in the round trip that begins the transaction.
    /// </summary>
    /// <param name="workspaceId">Workspace of the transaction.</param>
    /// <param name="opening">Adds the statements; they see the workspace's rows.</param>
    /// <param name="work">Gets their results, at the first one, and reads them before it uses the connection.</param>
    /// <param name="ct">Cancels, and rolls back.</param>
    public Task Run(
        Guid workspaceId, Action<Transaction<TContext>, NpgsqlBatch> opening,
        Func<Transaction<TContext>, NpgsqlDataReader, Task> work, CancellationToken ct) =>
        Execute(workspaceId, IsolationLevel.ReadCommitted, async (tx, results) =>
        {
            await work(tx, results);
            return (true, true);
        }, opening, ct);

    /// <summary>Reads one consistent snapshot (repeatable read, read only); EF does not track what it reads.</summary>
    public Task<T> Read<T>(Guid workspaceId, Func<Transaction<TContext>, Task<T>> work, CancellationToken ct) =>
        Execute(workspaceId, IsolationLevel.RepeatableRead, async tx => (await work(tx), false), ct);

    /// <summary>Runs the work once per message and consumer, however often and wherever the message is delivered.</summary>
    /// <returns>False when it was handled before; the work has not run then.</returns>
    public Task<bool> RunOnce(
        Guid workspaceId, Guid messageId, string consumer, Func<Transaction<TContext>, Task> work, CancellationToken ct) =>
        Execute(workspaceId, IsolationLevel.ReadCommitted, async tx =>
        {
            // A twin that is still running holds the key: this statement waits for its commit or rollback.
            var isNew = await tx.Connection.ExecuteAsync(new CommandDefinition(
                "insert into inbox (message_id, consumer, handled_at) values (@messageId, @consumer, @now) on conflict do nothing",
                new { messageId, consumer, now = tx.Now }, cancellationToken: ct)) == 1;
            if (isNew)
            {
                await work(tx);
            }

            return (isNew, isNew);
        }, ct);

    /// <summary>
    /// As above for several messages in one transaction. Keys are taken in order of id, so that two such transactions never wait for each
    /// other.
    /// </summary>
    /// <param name="workspaceId">The messages' workspace.</param>
    /// <param name="messageIds">Each once.</param>
    /// <param name="consumer">Who handles them.</param>
    /// <param name="work">Gets the ids that were not handled before; it does not run when there is none.</param>
    /// <param name="ct">Cancels, and rolls back.</param>
    public Task RunOnce(
        Guid workspaceId, IReadOnlyCollection<Guid> messageIds, string consumer, Func<Transaction<TContext>, IReadOnlySet<Guid>, Task> work,
        CancellationToken ct) =>
        Execute(workspaceId, IsolationLevel.ReadCommitted, async (tx, results) =>
        {
            var isNew = new HashSet<Guid>();
            await using (results)
            {
                while (await results.ReadAsync(ct))
                {
                    isNew.Add(results.GetGuid(0));
                }
            }

            if (isNew.Count > 0)
            {
                await work(tx, isNew);
            }

            return (true, isNew.Count > 0);
        }, (tx, batch) => batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            insert into inbox (message_id, consumer, handled_at) select id, $2, $3 from unnest($1) id order by id
            on conflict do nothing returning message_id
            """)
        {
            Parameters =
            {
                Bulk.Array(NpgsqlDbType.Uuid, messageIds.ToArray()),
                Bulk.Value(consumer),
                new NpgsqlParameter { Value = tx.Now, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            },
        }), ct);

    /// <summary>
    /// Runs a write once per request id: a repetition gets the first response, a twin that races waits for it. An error is not kept: the
    /// same id may be tried again.
    /// </summary>
    /// <param name="workspaceId">The caller's workspace.</param>
    /// <param name="method">Full name of the RPC; request ids of different methods do not meet.</param>
    /// <param name="requestId">The caller's id; empty runs the work without any of this.</param>
    /// <param name="request">
    /// Compared by content without its field <c>request_id</c>; another body with the same id is <c>Aborted</c>.
    /// </param>
    /// <param name="work">The write.</param>
    /// <param name="ct">Cancels, and rolls back.</param>
    public Task<Result<TResponse>> RunIdempotent<TResponse>(
        Guid workspaceId, string method, string requestId, IMessage request, Func<Transaction<TContext>, Task<Result<TResponse>>> work,
        CancellationToken ct)
        where TResponse : IMessage<TResponse>, new()
    {
        if (string.IsNullOrEmpty(requestId))
        {
            return Run(workspaceId, work, ct);
        }

        var key = new RequestKey(workspaceId, method, requestId, RequestKey.Hash(request));
        return Execute(workspaceId, IsolationLevel.ReadCommitted, async tx =>
        {
            if (!await key.Claim(tx.Connection, tx.Now, ct))
            {
                return (await key.Replay<TResponse>(tx.Connection, ct), false);
            }

            var result = await work(tx);
            if (result.TryGet(out var response, out _))
            {
                await key.Keep(tx.Connection, response, ct);
            }

            return (result, result.Succeeded);
        }, ct);
    }

    /// <summary>
    /// Runs the work for every workspace the service knows, one after another, by id. A failure stops the round: the caller, a job, logs it
    /// and comes back.
    /// </summary>
    public async Task ForEachWorkspace(Func<Guid, CancellationToken, Task> work, CancellationToken ct)
    {
        const int PageSize = 500;
        var last = Guid.Empty;
        while (true)
        {
            List<Guid> page;
            await using (var connection = await dataSource.OpenConnectionAsync(ct))
            {
                page = (await connection.QueryAsync<Guid>(new CommandDefinition(
                    "select id from workspace where id > @last order by id limit @size",
                    new { last, size = PageSize }, cancellationToken: ct))).AsList();
            }

            foreach (var id in page)
            {
                await work(id, ct);
                last = id;
            }

            if (page.Count < PageSize)
            {
                return;
            }
        }
    }

    private Task<TOut> Execute<TOut>(
        Guid workspaceId, IsolationLevel isolation, Func<Transaction<TContext>, Task<(TOut Result, bool Commit)>> work,
        CancellationToken ct) => Execute(workspaceId, isolation, (tx, _) => work(tx), null, ct);

    private async Task<TOut> Execute<TOut>(
        Guid workspaceId, IsolationLevel isolation, Func<Transaction<TContext>, NpgsqlDataReader, Task<(TOut Result, bool Commit)>> work,
        Action<Transaction<TContext>, NpgsqlBatch>? opening, CancellationToken ct)
    {
        for (var run = 1; ; run++)
        {
            try
            {
                return await ExecuteOnce(workspaceId, isolation, work, opening, ct);
            }
            catch (Exception exception) when (run < MaxRuns && Faults.IsConflict(exception))
            {
                LogConflict(run, exception.GetBaseException().Message);
                await Task.Delay(Backoff.Delay(run, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(200)), ct);
            }
        }
    }

    private async Task<TOut> ExecuteOnce<TOut>(
        Guid workspaceId, IsolationLevel isolation, Func<Transaction<TContext>, NpgsqlDataReader, Task<(TOut Result, bool Commit)>> work,
        Action<Transaction<TContext>, NpgsqlBatch>? opening, CancellationToken ct)
    {
        var readOnly = isolation == IsolationLevel.RepeatableRead;
        await using var connection = await dataSource.OpenConnectionAsync(ct);
        await using var dbTransaction = await connection.BeginTransactionAsync(isolation, ct);
        await using var tx = new Transaction<TContext>(
            connection, dbTransaction, workspaceId, time.GetUtcNow(), current => contexts.Open(current, tracking: !readOnly), ct);
        await using var batch = EnterWorkspace(connection, workspaceId, readOnly);
        opening?.Invoke(tx, batch);
        await using var results = await batch.ExecuteReaderAsync(ct);
        if (opening is null)
        {
            await results.DisposeAsync();
        }
        else
        {
            await results.NextResultAsync(ct);
        }

        var (result, commit) = await work(tx, results);
        if (!commit)
        {
            return result;
        }

        await tx.Save();
        if (tx.Events.Count > 0)
        {
            OutboxWriter.Add(tx.Closing, tx.Events, tx.Now);
        }

        await tx.Commit();
        if (tx.Events.Count > 0)
        {
            signal.Ring();
        }

        return result;
    }

    /// <summary>Npgsql sends BEGIN with the first command, so that the whole of this is one round trip.</summary>
    private static NpgsqlBatch EnterWorkspace(NpgsqlConnection connection, Guid workspaceId, bool readOnly)
    {
        var batch = new NpgsqlBatch(connection);
        if (readOnly)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("set transaction read only"));
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand("select set_config('app.workspace_id', $1, true)")
        {
            Parameters = { new NpgsqlParameter { Value = workspaceId.ToString(), NpgsqlDbType = NpgsqlDbType.Text } },
        });
        return batch;
    }

    [LoggerMessage(2101, LogLevel.Information, "Transaction runs again after run {Run}: {Reason}")]
    private partial void LogConflict(int run, string reason);
}
