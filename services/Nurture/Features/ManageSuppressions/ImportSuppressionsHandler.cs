using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.ManageSuppressions;

/// <summary>Suppresses the addresses of a file (see <see cref="BatchedImport"/>).</summary>
internal static class ImportSuppressionsHandler
{
    private static readonly string[] Reasons = ["UNSUBSCRIBED", "BOUNCED", "COMPLAINED", "MANUAL"];

    public static async Task<Result<ImportResponse>> Import(
        UnitOfWork<NurtureDbContext> unitOfWork, IAsyncStreamReader<ImportChunk> stream, Guid workspaceId, CancellationToken ct) =>
        (await ImportRows.Open(stream, ct)).TryGet(out var import, out var error)
            ? await new BatchedImport(unitOfWork, workspaceId, import, "suppressions").Run<IReadOnlyList<ImportRow>>(
                (rows, _) => Task.FromResult<Result<IReadOnlyList<ImportRow>>>(rows.ToList()), Add, ct)
            : error;

    private static async Task<Error?> Add(Transaction<NurtureDbContext> tx, IReadOnlyList<ImportRow> rows, ImportResponse answer)
    {
        // In order of the address, so that two imports never wait for each other. Of an address that stands twice the first counts.
        var batch = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var sound = 0;
        foreach (var row in rows)
        {
            var email = EmailAddress.Normalize(row["email"]);
            var reason = (row["reason"] ?? "MANUAL").ToUpperInvariant();
            var fault = row.Error ?? (email is null ? "email must be an address such as ada@example.com."
                : Reasons.Contains(reason) ? null : $"reason must be {string.Join(", ", Reasons)} or empty.");
            if (fault is not null)
            {
                BatchedImport.Reject(answer, row.Line, fault);
                continue;
            }

            sound++;
            batch.TryAdd(email!, reason);
        }

        var added = await Bulk.Insert(
            tx,
            "suppression",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, batch, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, batch, _ => tx.NewId()),
                BulkColumn.From("email_hash", NpgsqlDbType.Bytea, batch, row => EmailAddress.Hash(row.Key)),
                BulkColumn.From("email", NpgsqlDbType.Text, batch, row => row.Key),
                BulkColumn.From("reason", NpgsqlDbType.Text, batch, row => row.Value),
                BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, batch, _ => tx.Now.UtcDateTime),
            ],
            "on conflict do nothing");
        answer.Created += added;
        answer.Unchanged += sound - added;
        return null;
    }
}
