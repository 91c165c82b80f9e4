using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ImportCustomers;

/// <summary>
/// Runs the rows of a streamed import in transactions of some hundred. Rows are matched by external id, so that an import that broke off is simply sent
/// again. A dry run does the same and rolls each transaction back.
/// </summary>
internal static class ImportBatches
{
    /// <param name="work">The database.</param>
    /// <param name="stream">The chunks.</param>
    /// <param name="caller">Who imports.</param>
    /// <param name="size">Rows of one transaction.</param>
    /// <param name="parse">A sound row as a command, or its faults.</param>
    /// <param name="run">The command, in the transaction; an error rejects the row alone.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<Result<ImportResponse>> Run<TCommand>(
        UnitOfWork<RetentionDbContext> work,
        IAsyncStreamReader<ImportChunk> stream,
        Caller caller,
        int size,
        Func<ImportRow, Result<TCommand>> parse,
        Func<Transaction<RetentionDbContext>, TCommand, Task<Result<RowOutcome>>> run,
        CancellationToken ct)
    {
        var opened = await ImportRows.Open(stream, ct);
        if (!opened.TryGet(out var import, out var error))
        {
            return error;
        }

        var tally = new ImportTally();
        var batch = new List<(int Line, TCommand Command)>(size);
        await foreach (var row in import.Rows(ct))
        {
            var parsed = row.Error is null ? parse(row) : Error.Invalid("row", row.Error);
            if (parsed.TryGet(out var command, out var fault))
            {
                batch.Add((row.Line, command));
            }
            else
            {
                tally.Reject(row.Line, fault.Violations.Select(violation => violation.Message));
            }

            if (batch.Count == size)
            {
                await Commit(work, caller, batch, run, import.DryRun, tally, ct);
            }
        }

        await Commit(work, caller, batch, run, import.DryRun, tally, ct);
        return tally.ToResponse();
    }

    private static async Task Commit<TCommand>(
        UnitOfWork<RetentionDbContext> work,
        Caller caller,
        List<(int Line, TCommand Command)> batch,
        Func<Transaction<RetentionDbContext>, TCommand, Task<Result<RowOutcome>>> run,
        bool dryRun,
        ImportTally tally,
        CancellationToken ct)
    {
        // The work may run again after a deadlock: outcomes count only once the transaction has ended.
        var outcomes = new List<(int Line, Result<RowOutcome> Outcome)>();
        await work.Run<Unit>(
            caller.WorkspaceId,
            async tx =>
            {
                outcomes.Clear();
                foreach (var (line, command) in batch)
                {
                    outcomes.Add((line, await run(tx, command)));
                }

                return dryRun ? Error.Aborted("A dry run changes nothing.") : new Unit();
            },
            ct);
        foreach (var (line, outcome) in outcomes)
        {
            if (outcome.TryGet(out var done, out var error))
            {
                tally.Count(done);
            }
            else
            {
                tally.Reject(line, [error.Message]);
            }
        }

        batch.Clear();
    }
}
