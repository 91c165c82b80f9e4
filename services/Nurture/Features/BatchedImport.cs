using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features;

/// <summary>
/// An import, some hundred rows a transaction. A request id makes it resumable; a dry run does the same work and takes it back.
/// </summary>
/// <param name="unitOfWork">The service's unit of work.</param>
/// <param name="workspaceId">The caller's workspace.</param>
/// <param name="import">The opened file.</param>
/// <param name="kind">What is imported; request ids of different kinds do not meet.</param>
internal sealed class BatchedImport(UnitOfWork<NurtureDbContext> unitOfWork, Guid workspaceId, ImportRows import, string kind)
{
    private const int BatchSize = 500;
    private const int MaxRejections = 1000;
    private static readonly Error TakenBack = Error.Aborted("A dry run changes nothing.");

    /// <typeparam name="TBatch">Rows made ready.</typeparam>
    /// <param name="prepare">Makes rows ready, outside of any transaction; it may run again for the same rows.</param>
    /// <param name="write">Writes them and counts them; it may run again after a conflict.</param>
    /// <param name="ct">Cancels. What is committed stays.</param>
    public async Task<Result<ImportResponse>> Run<TBatch>(
        Func<IReadOnlyList<ImportRow>, CancellationToken, Task<Result<TBatch>>> prepare,
        Func<Transaction<NurtureDbContext>, TBatch, ImportResponse, Task<Error?>> write,
        CancellationToken ct)
    {
        using var journal = await ImportJournal.Open(unitOfWork, workspaceId, kind, import.DryRun ? "" : import.RequestId, ct);
        var answer = journal.Before<ImportResponse>() ?? new ImportResponse();
        var batch = new List<ImportRow>(BatchSize);
        await foreach (var row in import.Rows(ct))
        {
            if (!journal.WasHandled(row.Error, row.Values).TryGet(out var wasHandled, out var error))
            {
                return error;
            }

            if (!wasHandled)
            {
                batch.Add(row);
            }

            if (batch.Count == BatchSize)
            {
                if (await Write(false) is { } fault)
                {
                    return fault;
                }

                batch.Clear();
            }
        }

        var last = journal.Fault ?? (journal.WasComplete ? null : await Write(true));
        return last is null ? answer : last;

        async Task<Error?> Write(bool isLast)
        {
            var mark = journal.Mark();
            if (!(await prepare(batch, ct)).TryGet(out var ready, out var unready))
            {
                return unready;
            }

            // The work may run again after a conflict: what it counts starts anew each time.
            var next = answer;
            var result = await unitOfWork.Run<ImportResponse>(
                workspaceId,
                async tx =>
                {
                    next = answer.Clone();
                    var fault = await write(tx, ready, next) ?? await journal.Keep(tx, mark, next, isLast)
                        ?? (import.DryRun ? TakenBack : null);
                    return fault is null ? next : fault;
                },
                ct);
            if (result.Error is { } error && error != TakenBack)
            {
                return error;
            }

            journal.Kept(mark);
            answer = next;
            return null;
        }
    }

    /// <summary>Tells of a refused row; of the first thousand with its faults.</summary>
    public static void Reject(ImportResponse answer, int line, params IEnumerable<string> faults)
    {
        answer.RejectedCount++;
        if (answer.Rejected.Count < MaxRejections)
        {
            answer.Rejected.Add(new ImportRejection { Line = line, Errors = { faults } });
        }
    }
}
