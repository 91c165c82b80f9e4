using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ImportCustomers;

/// <summary>
/// Runs the rows of a streamed import in transactions of a thousand or so; while one set is written the next is read. Rows are matched by
/// external id, so that an import that broke off is simply sent again; with a request id it goes on where it ended
/// (<see cref="ImportJournal"/>). A dry run does the same and rolls each transaction back.
/// </summary>
internal sealed class ImportBatches<TCommand>(
    UnitOfWork<RetentionDbContext> work, Caller caller, ImportRows import, ImportJournal journal, int size,
    Func<ImportRow, Result<TCommand>> parse,
    Func<Transaction<RetentionDbContext>, IReadOnlyList<(int Line, TCommand Command)>, ImportTally, Task> apply, Action? committed)
{
    private static readonly Error RolledBack = Error.Aborted("A dry run changes nothing.");

    private readonly ImportTally tally = new(journal.Before<ImportResponse>());

    /// <param name="work">The database.</param>
    /// <param name="stream">The chunks.</param>
    /// <param name="caller">Who imports.</param>
    /// <param name="kind">What is imported; request ids of different kinds do not meet.</param>
    /// <param name="size">Rows of one transaction.</param>
    /// <param name="parse">A sound row as a command, or its faults.</param>
    /// <param name="apply">Applies the rows of one transaction together, in a few statements, and counts what became of each.</param>
    /// <param name="ct">Cancels.</param>
    /// <param name="committed">Called when a transaction is committed.</param>
    public static async Task<Result<ImportResponse>> Run(
        UnitOfWork<RetentionDbContext> work, IAsyncStreamReader<ImportChunk> stream, Caller caller, string kind, int size,
        Func<ImportRow, Result<TCommand>> parse,
        Func<Transaction<RetentionDbContext>, IReadOnlyList<(int Line, TCommand Command)>, ImportTally, Task> apply, CancellationToken ct,
        Action? committed = null)
    {
        if (!(await ImportRows.Open(stream, ct)).TryGet(out var import, out var error))
        {
            return error;
        }

        using var journal = await ImportJournal.Open(work, caller.WorkspaceId, kind, import.DryRun ? "" : import.RequestId, ct);
        return await new ImportBatches<TCommand>(work, caller, import, journal, size, parse, apply, committed).Run(ct);
    }

    private async Task<Result<ImportResponse>> Run(CancellationToken ct)
    {
        var writing = Task.FromResult<Error?>(null);
        try
        {
            var batch = new Batch(size);
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

                batch.Add(row, parse);
                if (batch.Count == size)
                {
                    if (await writing is { } lost)
                    {
                        return lost;
                    }

                    var (full, mark) = (batch, journal.Mark());
                    writing = Task.Run(() => Commit(full, mark, isLast: false, ct), ct);
                    batch = new(size);
                }
            }

            if ((await writing ?? journal.Fault) is { } broken)
            {
                return broken;
            }

            return !journal.WasComplete && await Commit(batch, journal.Mark(), isLast: true, ct) is { } last ? last : tally.ToResponse();
        }
        finally
        {
            // What is being written ends before the answer, whatever that is.
            await ((Task)writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Error?> Commit(Batch batch, ImportMark mark, bool isLast, CancellationToken ct)
    {
        // The work may run again after a deadlock: outcomes count only once the transaction has ended.
        var counted = tally;
        var result = await work.Run<Unit>(
            caller.WorkspaceId,
            async tx =>
            {
                counted = tally.Copy();
                counted.Add(batch.Faults);
                if (batch.Rows.Count > 0)
                {
                    await FreshPlans.Use(tx);
                    await apply(tx, batch.Rows, counted);
                }

                return import.DryRun ? RolledBack
                    : await journal.Keep(tx, mark, counted.ToResponse(), isLast) is { } taken ? taken : default(Unit);
            },
            ct);
        if (result.Error is { } lost && lost != RolledBack)
        {
            return lost;
        }

        journal.Kept(mark);
        tally.Take(counted);
        committed?.Invoke();
        return null;
    }

    private sealed class Batch(int size)
    {
        public int Count { get; private set; }

        public List<(int Line, TCommand Command)> Rows { get; } = new(size);

        public ImportTally Faults { get; } = new();

        public void Add(ImportRow row, Func<ImportRow, Result<TCommand>> parse)
        {
            Count++;
            if ((row.Error is { } broken ? Error.Invalid("row", broken) : parse(row)).TryGet(out var command, out var fault))
            {
                Rows.Add((row.Line, command));
            }
            else
            {
                Faults.Reject(row.Line, fault.Violations.Select(violation => violation.Message));
            }
        }
    }
}
