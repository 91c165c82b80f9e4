using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ImportCustomers;

/// <summary>
/// Runs the rows of a streamed import in transactions of some hundred. Rows are matched by external id, so that an import that broke off is simply sent
/// again; with a request id it goes on where it ended (<see cref="ImportJournal"/>). A dry run does the same and rolls each transaction back.
/// </summary>
internal static class ImportBatches
{
    private static readonly Error RolledBack = Error.Aborted("A dry run changes nothing.");

    /// <param name="work">The database.</param>
    /// <param name="stream">The chunks.</param>
    /// <param name="caller">Who imports.</param>
    /// <param name="kind">What is imported; request ids of different kinds do not meet.</param>
    /// <param name="size">Rows of one transaction.</param>
    /// <param name="parse">A sound row as a command, or its faults.</param>
    /// <param name="apply">Applies the rows of one transaction together, in a few statements, and counts what became of each.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<Result<ImportResponse>> Run<TCommand>(
        UnitOfWork<RetentionDbContext> work,
        IAsyncStreamReader<ImportChunk> stream,
        Caller caller,
        string kind,
        int size,
        Func<ImportRow, Result<TCommand>> parse,
        Func<Transaction<RetentionDbContext>, IReadOnlyList<(int Line, TCommand Command)>, ImportTally, Task> apply,
        CancellationToken ct)
    {
        var opened = await ImportRows.Open(stream, ct);
        if (!opened.TryGet(out var import, out var error))
        {
            return error;
        }

        using var journal = await ImportJournal.Open(work, caller.WorkspaceId, kind, import.DryRun ? "" : import.RequestId, ct);
        var tally = new ImportTally(journal.Before<ImportResponse>());
        var batch = new List<(int Line, TCommand Command)>(size);
        await foreach (var row in import.Rows(ct))
        {
            if (!journal.WasHandled(row.Error, row.Values).TryGet(out var isDone, out var another))
            {
                return another;
            }

            if (isDone)
            {
                continue;
            }

            var parsed = row.Error is null ? parse(row) : Error.Invalid("row", row.Error);
            if (parsed.TryGet(out var command, out var fault))
            {
                batch.Add((row.Line, command));
            }
            else
            {
                tally.Reject(row.Line, fault.Violations.Select(violation => violation.Message));
            }

            if (batch.Count == size && await Commit(work, caller, batch, apply, import.DryRun, tally, journal, isLast: false, ct) is { } lost)
            {
                return lost;
            }
        }

        if (journal.Fault is { } shorter)
        {
            return shorter;
        }

        return !journal.WasComplete && await Commit(work, caller, batch, apply, import.DryRun, tally, journal, isLast: true, ct) is { } last
            ? last
            : tally.ToResponse();
    }

    private static async Task<Error?> Commit<TCommand>(
        UnitOfWork<RetentionDbContext> work,
        Caller caller,
        List<(int Line, TCommand Command)> batch,
        Func<Transaction<RetentionDbContext>, IReadOnlyList<(int Line, TCommand Command)>, ImportTally, Task> apply,
        bool dryRun,
        ImportTally tally,
        ImportJournal journal,
        bool isLast,
        CancellationToken ct)
    {
        var mark = journal.Mark();
        // The work may run again after a deadlock: outcomes count only once the transaction has ended.
        var counted = tally;
        var result = await work.Run<Unit>(
            caller.WorkspaceId,
            async tx =>
            {
                counted = tally.Copy();
                if (batch.Count > 0)
                {
                    await apply(tx, batch, counted);
                }

                return dryRun ? RolledBack : await journal.Keep(tx, mark, counted.ToResponse(), isLast) is { } taken ? taken : default(Unit);
            },
            ct);
        if (result.Error is { } lost && lost != RolledBack)
        {
            return lost;
        }

        journal.Kept(mark);
        tally.Take(counted);
        batch.Clear();
        return null;
    }
}
