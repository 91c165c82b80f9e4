using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ImportLeads;

/// <summary>
/// Makes an import with a request id resumable: how far it has come is written in the transaction of its rows. The same file sent again with the same
/// id goes on where the earlier attempt ended, however that ended, and answers for the whole; after the end it changes nothing and gets the first
/// answer. Another file with the id, or a second request while the first still runs, is refused. Without a request id it does nothing.
/// </summary>
internal sealed class ImportJournal : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
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
    public ImportResponse? Before => before is null ? null : ProtoJson.Parse<ImportResponse>(before.Answer).OrThrow();

    private bool IsKept => requestId.Length > 0;

    /// <summary>Reads how far an earlier attempt came.</summary>
    public static async Task<ImportJournal> Open(
        UnitOfWork<CaptureDbContext> work, Guid workspaceId, string kind, ImportRows import, CancellationToken ct)
    {
        // A dry run changes nothing, so there is nothing to go on with.
        var requestId = import.DryRun ? "" : import.RequestId;
        var before = requestId.Length == 0 ? null : await work.Read(workspaceId, tx => tx.Connection.QuerySingleOrDefaultAsync<ImportJobRow>(
            """
            select workspace_id, kind, request_id, rows, hash, answer, complete, update_time from import_job
            where workspace_id = @workspace and kind = @kind and request_id = @requestId
            """,
            new { workspace = workspaceId, kind, requestId }), ct);
        return new(kind, requestId, before);
    }

    /// <summary>Takes note of the next row. True: an earlier attempt has handled it. An error: the file is another one.</summary>
    public Result<bool> WasHandled(ImportRow row)
    {
        Rows++;
        if (!IsKept)
        {
            return false;
        }

        Append(row);
        if (before is null || Rows > before.Rows)
        {
            return before is { Complete: true } ? Another() : false;
        }

        return Rows == before.Rows && !hash.GetCurrentHash().AsSpan().SequenceEqual(before.Hash) ? Another() : true;
    }

    /// <summary>At the end of the file: an error when an earlier attempt saw more of it.</summary>
    public Error? Fault => before is not null && Rows < before.Rows ? Another() : null;

    /// <summary>Whether the end was reached before: nothing is left to do.</summary>
    public bool WasComplete => before is { Complete: true };

    /// <summary>Writes how far the import has come, in the transaction of the rows. An error when another request with the id got there first.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="answer">The answer so far.</param>
    /// <param name="isComplete">The file is read to its end.</param>
    public async Task<Error?> Keep(Transaction<CaptureDbContext> tx, ImportResponse answer, bool isComplete)
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
                rows = Rows,
                hash = hash.GetCurrentHash(),
                answer = ProtoJson.Format(answer),
                isComplete,
                now = tx.Now,
                kept,
            });
        return written == 1 ? null : Error.Aborted($"Another request with the id {requestId} is importing; send it again when that has ended.");
    }

    /// <summary>The transaction is committed.</summary>
    public void Kept() => kept = Rows;

    public void Dispose() => hash.Dispose();

    private Error Another() => Error.Aborted($"Request id {requestId} was used before with another file.");

    private void Append(ImportRow row)
    {
        Append(row.Error);
        foreach (var (column, cell) in row.Values)
        {
            Append(column);
            Append(cell);
        }

        hash.AppendData([1]);
    }

    private void Append(string? text)
    {
        hash.AppendData(MemoryMarshal.AsBytes(text.AsSpan()));
        hash.AppendData([0]);
    }
}
