using Grpc.Core;
using Lifecycle.Capture.Storage;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ImportLeads;

/// <summary>
/// Runs an import part by part, each a transaction: memory stays bounded whatever the size of the file, and what was imported before a
/// failure stays (see <see cref="ImportJournal"/> for how it goes on). While one part is written the next is read. A dry run rolls every
/// part back.
/// </summary>
/// <typeparam name="TRow">A sound row.</typeparam>
internal sealed class ImportRun<TRow>(
    UnitOfWork<CaptureDbContext> work, Caller caller, ImportRows import, ImportJournal journal,
    Func<ImportRow, Result<TRow>> read, Func<Transaction<CaptureDbContext>, IReadOnlyList<TRow>, ImportTally, Task> write, Action written)
{
    /// <summary>Rows of one transaction: live messages of the workspace wait for no more than one.</summary>
    private const int RowsPerPart = 1_000;

    private static readonly Error RolledBack = Error.Precondition("Dry run.");

    private readonly ImportTally tally = ImportTally.From(journal.Before<ImportResponse>());

    /// <param name="work">The database.</param>
    /// <param name="caller">Who imports.</param>
    /// <param name="kind"><c>leads</c> or <c>spend</c>.</param>
    /// <param name="stream">The file.</param>
    /// <param name="read">A sound row, or its faults.</param>
    /// <param name="write">Writes rows and counts what became of them.</param>
    /// <param name="written">After the commit of a part.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<Result<ImportResponse>> Run(
        UnitOfWork<CaptureDbContext> work, Caller caller, string kind, IAsyncStreamReader<ImportChunk> stream,
        Func<ImportRow, Result<TRow>> read,
        Func<Transaction<CaptureDbContext>, IReadOnlyList<TRow>, ImportTally, Task> write, Action written, CancellationToken ct)
    {
        if (!(await ImportRows.Open(stream, ct)).TryGet(out var import, out var error))
        {
            return error;
        }

        using var journal = await ImportJournal.Open(work, caller.WorkspaceId, kind, import.DryRun ? "" : import.RequestId, ct);
        return await new ImportRun<TRow>(work, caller, import, journal, read, write, written).Run(ct);
    }

    private async Task<Result<ImportResponse>> Run(CancellationToken ct)
    {
        var writing = Task.FromResult<Error?>(null);
        try
        {
            var part = new Part();
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

                part.Add(row, read);
                if (part.Count == RowsPerPart)
                {
                    if (await writing is { } lost)
                    {
                        return lost;
                    }

                    var (full, mark) = (part, journal.Mark());
                    writing = Task.Run(() => Write(full, mark, isLast: false, ct), ct);
                    part = new();
                }
            }

            if ((await writing ?? journal.Fault) is { } broken)
            {
                return broken;
            }

            return !journal.WasComplete && await Write(part, journal.Mark(), isLast: true, ct) is { } last ? last : tally.ToResponse();
        }
        finally
        {
            // What is being written ends before the answer, whatever that is.
            await ((Task)writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Error?> Write(Part part, ImportMark mark, bool isLast, CancellationToken ct)
    {
        var counted = new ImportTally();
        var result = await work.Run<Unit>(caller.WorkspaceId, async tx =>
        {
            counted = new ImportTally();
            counted.Add(part.Faults);
            if (part.Rows.Count > 0)
            {
                await write(tx, part.Rows, counted);
            }

            return import.DryRun ? RolledBack
                : await journal.Keep(tx, mark, tally.With(counted), isLast) is { } taken ? taken : default(Unit);
        }, ct);
        if (result.Error is { } error && error != RolledBack)
        {
            return error;
        }

        journal.Kept(mark);
        tally.Add(counted);
        written();
        return null;
    }

    private sealed class Part
    {
        public int Count { get; private set; }

        public List<TRow> Rows { get; } = new(RowsPerPart);

        public ImportTally Faults { get; } = new();

        public void Add(ImportRow row, Func<ImportRow, Result<TRow>> read)
        {
            Count++;
            if ((row.Error is { } broken ? Error.Invalid("row", broken) : read(row)).TryGet(out var sound, out var fault))
            {
                Rows.Add(sound);
            }
            else
            {
                Faults.Reject(row.Line, fault);
            }
        }
    }
}
