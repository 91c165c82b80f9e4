using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Dapper;
using Google.Protobuf;
using Lifecycle.Kernel;
using Lifecycle.Postgres.Model;

namespace Lifecycle.Postgres;

/// <summary>How far a file has been read: what <see cref="ImportJournal.Keep"/> writes once the rows so far are handled.</summary>
/// <param name="Rows">Rows read.</param>
/// <param name="Hash">SHA-256 over them; empty where nothing is kept.</param>
public readonly record struct ImportMark(long Rows, byte[] Hash);

/// <summary>
/// Makes an import with a request id resumable: how far it has come is written in the transaction of its rows. The same file sent again
/// with the same id goes on where the earlier attempt ended, however that ended, and answers for the whole; after the end it changes
/// nothing and gets the first answer. Another file with the id, or a second request while the first still runs, is refused. Without a
/// request id it does nothing.
/// </summary>
/// <remarks>
/// The service's model has the table by <see cref="ImportJournals.AddImportJournal(Microsoft.EntityFrameworkCore.ModelBuilder)"/>. One
/// reader, one writer: rows may be read on while the mark before them is being kept.
/// </remarks>
public sealed class ImportJournal : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> buffer = new(1024);
    private readonly string kind;
    private readonly string requestId;
    private readonly ImportJobRow? before;
    private long kept;

    private ImportJournal(string kind, string requestId, ImportJobRow? before)
    {
        (this.kind, this.requestId, this.before) = (kind, requestId, before);
        kept = before?.Rows ?? 0;
    }

    /// <summary>Rows read so far.</summary>
    public long Rows { get; private set; }

    /// <summary>The answer to what was handled before; null when nothing was.</summary>
    public TAnswer? Before<TAnswer>()
        where TAnswer : class, IMessage, new() =>
        before is null ? null : (TAnswer)JsonParser.Default.Parse(before.Answer, new TAnswer().Descriptor);

    /// <summary>Whether the end was reached before: nothing is left to do.</summary>
    public bool WasComplete => before is { Complete: true };

    /// <summary>At the end of the file: an error when an earlier attempt saw more of it.</summary>
    public Error? Fault => before is not null && Rows < before.Rows ? Another() : null;

    private bool IsKept => requestId.Length > 0;

    /// <summary>Reads how far an earlier attempt came.</summary>
    /// <param name="work">The service's unit of work.</param>
    /// <param name="workspaceId">The caller's workspace.</param>
    /// <param name="kind">What is imported; ids of different kinds do not meet.</param>
    /// <param name="requestId">The caller's id. Empty for a dry run too: it changes nothing, so there is nothing to go on with.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<ImportJournal> Open<TContext>(
        UnitOfWork<TContext> work, Guid workspaceId, string kind, string requestId, CancellationToken ct)
        where TContext : LifecycleDbContext
    {
        var before = requestId.Length == 0
            ? null
            : await work.Read(workspaceId, tx => tx.Connection.QuerySingleOrDefaultAsync<ImportJobRow>(
            """
            select workspace_id, kind, request_id, rows, hash, answer, complete, update_time from import_job
            where workspace_id = @workspace and kind = @kind and request_id = @requestId
            """,
            new { workspace = workspaceId, kind, requestId }), ct);
        return new(kind, requestId, before);
    }

    /// <summary>Takes note of the next row. True: an earlier attempt has handled it. ABORTED: the file is another one.</summary>
    /// <param name="fault">Why the row cannot be read; null for a sound row.</param>
    /// <param name="cells">Cells by column, in the order of the file.</param>
    public Result<bool> WasHandled(string? fault, IReadOnlyDictionary<string, string?> cells)
    {
        Rows++;
        if (!IsKept)
        {
            return false;
        }

        Append(fault, cells);
        if (before is null || Rows > before.Rows)
        {
            return before is { Complete: true } ? Another() : false;
        }

        return Rows == before.Rows && !hash.GetCurrentHash().AsSpan().SequenceEqual(before.Hash) ? Another() : true;
    }

    /// <summary>How far the file has been read.</summary>
    public ImportMark Mark() => new(Rows, IsKept ? hash.GetCurrentHash() : []);

    /// <summary>
    /// Writes how far the import has come, in the transaction of the rows. ABORTED when another request with the id got there first.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="mark">Taken when the last of its rows was read.</param>
    /// <param name="answer">The answer so far.</param>
    /// <param name="isComplete">The file is read to its end.</param>
    public async Task<Error?> Keep<TContext>(Transaction<TContext> tx, ImportMark mark, IMessage answer, bool isComplete)
        where TContext : LifecycleDbContext
    {
        if (!IsKept)
        {
            return null;
        }

        var written = await tx.Connection.ExecuteAsync(
            """
            insert into import_job (workspace_id, kind, request_id, rows, hash, answer, complete, update_time)
            values (@workspace, @kind, @requestId, @rows, @hash, @answer, @isComplete, @now)
            on conflict (workspace_id, kind, request_id) do update set
              rows = excluded.rows, hash = excluded.hash, answer = excluded.answer, complete = excluded.complete, update_time = excluded.update_time
            where import_job.rows = @kept and not import_job.complete
            """,
            new
            {
                workspace = tx.WorkspaceId,
                kind,
                requestId,
                rows = mark.Rows,
                hash = mark.Hash,
                answer = JsonFormatter.Default.Format(answer),
                isComplete,
                now = tx.Now,
                kept,
            });
        return written == 1
            ? null
            : Error.Aborted($"Another request with the id {requestId} is importing; send it again when that has ended.");
    }

    /// <summary>The transaction that kept the mark is committed.</summary>
    public void Kept(ImportMark mark) => kept = mark.Rows;

    public void Dispose() => hash.Dispose();

    private Error Another() => Error.Aborted($"Request id {requestId} was used before with another file.");

    private void Append(string? fault, IReadOnlyDictionary<string, string?> cells)
    {
        buffer.ResetWrittenCount();
        Append(fault);
        foreach (var (column, cell) in cells)
        {
            Append(column);
            Append(cell);
        }

        buffer.Write<byte>([1]);
        hash.AppendData(buffer.WrittenSpan);
    }

    private void Append(string? text)
    {
        buffer.Write(MemoryMarshal.AsBytes(text.AsSpan()));
        buffer.Write<byte>([0]);
    }
}
