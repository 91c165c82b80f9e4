using System.Diagnostics;
using Lifecycle.Contracts;
using Lifecycle.Postgres.Outbox;
using Npgsql;

namespace Lifecycle.Postgres;

/// <summary>
/// One transaction of one workspace. Changes made through <see cref="Db"/>, statements on
/// <see cref="Connection"/> and published events are committed together by the unit of work, or not at all.
/// </summary>
public sealed class Transaction<TContext> : IAsyncDisposable
    where TContext : LifecycleDbContext
{
    private readonly Func<Transaction<TContext>, TContext> openContext;
    private readonly List<PendingEvent> events = [];
    private readonly List<Func<NpgsqlDataReader, Task>> answers = [];
    private TContext? db;
    private NpgsqlBatch? closing;

    internal Transaction(
        NpgsqlConnection connection,
        NpgsqlTransaction dbTransaction,
        Guid workspaceId,
        DateTimeOffset now,
        Func<Transaction<TContext>, TContext> openContext,
        CancellationToken cancellationToken)
    {
        (Connection, DbTransaction, WorkspaceId, CancellationToken) = (connection, dbTransaction, workspaceId, cancellationToken);
        // Postgres keeps microseconds: what was written and what is read back are then equal.
        Now = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
        this.openContext = openContext;
    }

    /// <summary>EF Core on this transaction, made at its first use. Saved by the unit of work before the commit.</summary>
    public TContext Db => db ??= openContext(this);

    /// <summary>For hand-written SQL; the search path is the service's schema. Dapper needs no transaction argument here.</summary>
    public NpgsqlConnection Connection { get; }

    public NpgsqlTransaction DbTransaction { get; }

    /// <summary>The workspace whose rows this transaction sees.</summary>
    public Guid WorkspaceId { get; }

    /// <summary>Time at the start of the transaction, UTC, whole microseconds.</summary>
    public DateTimeOffset Now { get; }

    public CancellationToken CancellationToken { get; }

    /// <summary>
    /// Statements that nothing in the transaction waits for: they go to the server in one round trip with its events, before the commit, in
    /// the order in which they were added. What reads what they write calls <see cref="Flush"/> before.
    /// </summary>
    public NpgsqlBatch Closing => closing ??= new NpgsqlBatch(Connection, DbTransaction);

    /// <summary>Whether the next <see cref="Flush"/> answers a question.</summary>
    public bool Asks => answers.Count > 0;

    internal IReadOnlyList<PendingEvent> Events => events;

    /// <summary>A new UUIDv7 at <see cref="Now"/>.</summary>
    public Guid NewId() => Guid.CreateVersion7(Now);

    /// <summary>
    /// Publishes the event if, and only if, the transaction commits. The broker gets it at least once, with the event id as message id.
    /// </summary>
    public void Publish(ILifecycleEvent e) => events.Add(new(e, EventTypes.Serialize(e), Activity.Current?.Id));

    /// <summary>
    /// Adds a question to <see cref="Closing"/>: it sees what stands there before it, and costs no round trip of its own.
    /// </summary>
    /// <param name="question">One statement that answers rows.</param>
    /// <param name="answer">
    /// Reads the rows, within the next <see cref="Flush"/> and before it returns; it must not use the connection.
    /// </param>
    public void Ask(NpgsqlBatchCommand question, Func<NpgsqlDataReader, Task> answer)
    {
        Closing.BatchCommands.Add(question);
        answers.Add(answer);
    }

    /// <summary>Sends what stands in <see cref="Closing"/>, and has the answers read.</summary>
    public async Task Flush()
    {
        if (closing is not { BatchCommands.Count: > 0 } batch)
        {
            return;
        }

        var asked = answers.ToArray();
        closing = null;
        answers.Clear();
        await using (batch)
        {
            if (asked.Length == 0)
            {
                await batch.ExecuteNonQueryAsync(CancellationToken);
                return;
            }

            await using var results = await batch.ExecuteReaderAsync(CancellationToken);
            foreach (var answer in asked)
            {
                await answer(results);
                await results.NextResultAsync(CancellationToken);
            }
        }
    }

    /// <summary>Commits, in the round trip that sends what still stands in <see cref="Closing"/>.</summary>
    internal async Task Commit()
    {
        if (closing is not { BatchCommands.Count: > 0 })
        {
            await DbTransaction.CommitAsync(CancellationToken);
            return;
        }

        // After a statement that fails the server passes over the rest of the batch, this too.
        closing.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
        await Flush();
    }

    /// <summary>
    /// As <see cref="Flush"/>, and while the server works on it runs <paramref name="work"/>, which must not use the connection.
    /// </summary>
    public async Task FlushWhile(Action work)
    {
        var sending = Flush();
        try
        {
            work();
        }
        finally
        {
            await sending;
        }
    }

    public ValueTask DisposeAsync() => db?.DisposeAsync() ?? ValueTask.CompletedTask;

    internal async Task Save()
    {
        if (db is not null && db.ChangeTracker.HasChanges())
        {
            await db.SaveChangesAsync(CancellationToken);
        }
    }

    internal readonly record struct PendingEvent(ILifecycleEvent Event, string Body, string? TraceParent);
}
