using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.ManageSuppressions;

/// <summary>Suppresses many addresses, in transactions of some hundred. Rows stand for themselves: what broke off is simply sent again.</summary>
internal static class ImportSuppressionsHandler
{
    private const int BatchSize = 500;
    private const int MaxRejections = 1000;
    private static readonly string[] Reasons = ["UNSUBSCRIBED", "BOUNCED", "COMPLAINED", "MANUAL"];

    public static async Task<ImportResponse> Import(
        UnitOfWork<NurtureDbContext> unitOfWork, IAsyncStreamReader<ImportChunk> stream, Guid workspaceId, CancellationToken ct)
    {
        var import = (await ImportRows.Open(stream, ct)).OrThrow();
        var response = new ImportResponse();
        var batch = new Dictionary<string, string>(StringComparer.Ordinal);
        var rows = 0;
        await foreach (var row in import.Rows(ct))
        {
            var email = EmailAddress.Normalize(row["email"]);
            var reason = (row["reason"] ?? "MANUAL").ToUpperInvariant();
            var fault = row.Error ?? (email is null ? "email must be an address such as ada@example.com."
                : Reasons.Contains(reason) ? null : $"reason must be {string.Join(", ", Reasons)} or empty.");
            if (fault is not null)
            {
                response.RejectedCount++;
                if (response.Rejected.Count < MaxRejections)
                {
                    response.Rejected.Add(new ImportRejection { Line = row.Line, Errors = { fault } });
                }

                continue;
            }

            rows++;
            batch.TryAdd(email!, reason);
            if (batch.Count == BatchSize)
            {
                await Store();
            }
        }

        await Store();
        response.Unchanged = rows - response.Created;
        return response;

        async Task Store()
        {
            if (batch.Count > 0)
            {
                response.Created += await Add(unitOfWork, workspaceId, batch, import.DryRun, ct);
                batch.Clear();
            }
        }
    }

    private static async Task<int> Add(
        UnitOfWork<NurtureDbContext> unitOfWork, Guid workspaceId, Dictionary<string, string> batch, bool isDryRun, CancellationToken ct)
    {
        var added = 0;
        // In order of the address, so that two imports never wait for each other.
        var rows = batch.OrderBy(row => row.Key, StringComparer.Ordinal).ToArray();
        await unitOfWork.Run(workspaceId, async tx =>
        {
            var known = await SendMails.Suppressions.Among(tx, batch.Keys);
            var fresh = rows.Where(row => !known.Contains(row.Key)).ToArray();
            added = fresh.Length;
            if (!isDryRun && fresh.Length > 0)
            {
                await Bulk.Insert(
                    tx,
                    "suppression",
                    [
                        BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, fresh, _ => tx.WorkspaceId),
                        BulkColumn.From("id", NpgsqlDbType.Uuid, fresh, _ => tx.NewId()),
                        BulkColumn.From("email_hash", NpgsqlDbType.Bytea, fresh, row => EmailAddress.Hash(row.Key)),
                        BulkColumn.From("email", NpgsqlDbType.Text, fresh, row => row.Key),
                        BulkColumn.From("reason", NpgsqlDbType.Text, fresh, row => row.Value),
                        BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, fresh, _ => tx.Now.UtcDateTime),
                    ],
                    "on conflict do nothing");
            }
        }, ct);
        return added;
    }
}
