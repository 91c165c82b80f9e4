using System.Runtime.ExceptionServices;
using Google.Protobuf;
using Lifecycle.Kernel;
using Npgsql;

namespace Lifecycle.Postgres;

/// <summary>
/// Writes that cost less together: requests of a workspace that wait at the same time run in one transaction, each idempotent by its own id
/// and with its own answer, which is given after the commit. Nothing waits for company: a request that comes alone runs at once. Safe for
/// concurrent use; one per kind of request and process.
/// </summary>
/// <remarks>
/// One cannot spoil its neighbours: when several fail together, each runs alone. Only where the server is away, or nobody knows whether the
/// transaction was committed, all fail; a request with an id may then be sent again.
/// </remarks>
/// <typeparam name="TContext">The service's database.</typeparam>
/// <typeparam name="TItem">What the work needs of a request.</typeparam>
/// <typeparam name="TResponse">The answer.</typeparam>
/// <param name="work">The service's unit of work.</param>
/// <param name="maxTogether">Most requests of a transaction.</param>
/// <param name="concurrent">Most transactions of a workspace at a time.</param>
public sealed class RequestGatherer<TContext, TItem, TResponse>(UnitOfWork<TContext> work, int maxTogether, int concurrent)
    where TContext : LifecycleDbContext
    where TItem : class
    where TResponse : IMessage<TResponse>, new()
{
    private readonly Gatherer<Entry> gatherer = new(maxTogether, concurrent);

    /// <summary>Runs the request, perhaps with others.</summary>
    /// <param name="workspaceId">The caller's workspace.</param>
    /// <param name="method">Full name of the RPC, the same in all calls.</param>
    /// <param name="requestId">The caller's id; may be empty.</param>
    /// <param name="request">Compared as by <see cref="UnitOfWork{TContext}"/>.RunIdempotent.</param>
    /// <param name="item">What the work needs of it.</param>
    /// <param name="together">
    /// Answers several, in their order; null for one that has to run alone. For what is answered by an error or null it must have written
    /// nothing. It may run again after a conflict. The same in all calls.
    /// </param>
    /// <param name="alone">Answers this one.</param>
    /// <param name="ct">
    /// Gives up: the request does not run when it still stands in line; once it has begun it goes on, for others are in it.
    /// </param>
    public async Task<Result<TResponse>> Run(
        Guid workspaceId, string method, string requestId, IMessage request, TItem item,
        Func<Transaction<TContext>, IReadOnlyList<TItem>, Task<IReadOnlyList<Result<TResponse>?>>> together,
        Func<Transaction<TContext>, Task<Result<TResponse>>> alone, CancellationToken ct)
    {
        var entry = new Entry(item, requestId, request, ct);
        var fault = await gatherer
            .Gather(workspaceId, entry, 1, (entries, _) => Together(workspaceId, method, entries, together), CancellationToken.None)
            .WaitAsync(ct);
        if (fault is not null && !WasRolledBack(fault))
        {
            ExceptionDispatchInfo.Throw(fault);
        }

        return fault is null && entry.Answer is { } answer
            ? answer
            : await work.RunIdempotent(workspaceId, method, requestId, request, alone, ct);
    }

    private async Task Together(
        Guid workspaceId, string method, IReadOnlyList<Entry> entries,
        Func<Transaction<TContext>, IReadOnlyList<TItem>, Task<IReadOnlyList<Result<TResponse>?>>> together)
    {
        var running = entries.Where(entry => !entry.GaveUp).ToArray();
        if (running.Length == 0)
        {
            return;
        }

        var answers = await work.RunTogether<TResponse>(
            workspaceId, method, [.. running.Select(entry => (entry.RequestId, entry.Request))],
            (tx, positions) => together(tx, [.. positions.Select(position => running[position].Item)]), CancellationToken.None);
        foreach (var (entry, answer) in running.Zip(answers))
        {
            entry.Answer = answer;
        }
    }

    /// <summary>
    /// Whether it is sure that nothing was written, and running alone can help: not with a server that is away, or a commit without an
    /// answer.
    /// </summary>
    private static bool WasRolledBack(Exception fault) =>
        Faults.IsConflict(fault) || !(Faults.IsTransient(fault) || fault.GetBaseException() is NpgsqlException and not PostgresException);

    private sealed class Entry(TItem item, string requestId, IMessage request, CancellationToken ct)
    {
        public TItem Item => item;

        public string RequestId => requestId;

        public IMessage Request => request;

        public bool GaveUp => ct.IsCancellationRequested;

        public Result<TResponse>? Answer { get; set; }
    }
}
