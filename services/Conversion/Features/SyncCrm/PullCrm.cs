using System.Net.Http.Headers;
using System.Text.Json;
using Lifecycle.Conversion.Domain.Crm;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.SyncCrm;

/// <summary>The places in the address of a pull.</summary>
internal static class CrmPullAddress
{
    public static string Fill(string url, DateTimeOffset updatedSince, string cursor) => url
        .Replace("{updatedSince}", Uri.EscapeDataString(updatedSince.ToUniversalTime()
            .ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", null)), StringComparison.Ordinal)
        .Replace("{cursor}", Uri.EscapeDataString(cursor), StringComparison.Ordinal);
}

/// <summary>An HTTP client for pulls: guarded, and bounded in what it reads.</summary>
public sealed class CrmPullClient
{
    private const int MaxAnswer = 10 * 1024 * 1024;

    public CrmPullClient(HttpClient http)
    {
        http.MaxResponseContentBufferSize = MaxAnswer;
        Http = http;
    }

    public HttpClient Http { get; }
}

/// <summary>
/// Pulls deals from REST interfaces, page by page, from the latest change that was seen. A connection is claimed by moving its due time
/// ahead; what was read twice changes nothing.
/// </summary>
public sealed partial class PullCrm(
    UnitOfWork<ConversionDbContext> work, CrmPullClient client, SecretBox box, ApplyCrmRecords apply, TimeProvider time,
        ILogger<PullCrm> logger)
{
    private const int MaxPages = 200;
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>Pulls what is due in the workspace.</summary>
    public async Task Handle(Guid workspaceId, CancellationToken ct)
    {
        while (await Claim(workspaceId, ct) is { } connection)
        {
            var (since, started) = (connection.PullSince ?? DateTimeOffset.UnixEpoch, time.GetUtcNow());
            var result = await Pages(workspaceId, connection, since, started, ct);
            await Record(workspaceId, connection.Id, result, started, ct);
        }
    }

    private async Task<CrmConnectionRow?> Claim(Guid workspaceId, CancellationToken ct)
    {
        CrmConnectionRow? claimed = null;
        await work.Run(workspaceId, async tx =>
        {
            claimed = (await tx.Db.CrmConnections.FromSql(
                $"""
                select * from crm_connection where workspace_id = {tx.WorkspaceId} and enabled and pull_url is not null and pull_due_time <= {tx.Now}
                order by pull_due_time limit 1 for update skip locked
                """).ToListAsync(ct)).SingleOrDefault();
            if (claimed is not null)
            {
                claimed.PullDueTime = tx.Now + Lease;
            }
        }, ct);
        return claimed;
    }

    /// <returns>The latest change seen, or why it broke off; what came before is kept.</returns>
    private async Task<Result<DateTimeOffset>> Pages(
        Guid workspaceId, CrmConnectionRow connection, DateTimeOffset since, DateTimeOffset started, CancellationToken ct)
    {
        var mapping = CrmChecks.ReadMapping(connection.PullMapping!);
        var (cursor, latest) = ("", since);
        for (var page = 1; page <= MaxPages; page++)
        {
            var answer = await Get(connection, CrmPullAddress.Fill(connection.PullUrl!, since, cursor), ct);
            if (!answer.TryGet(out var document, out var broken))
            {
                return broken;
            }

            using (document)
            {
                if (!mapping.Records(document.RootElement).TryGet(out var records, out var faulty))
                {
                    return faulty;
                }

                if (records.Length > 0)
                {
                    var applied = await apply.Handle(
                        workspaceId, connection, mapping, records, aboutLeads: false,
                        $"pull:{started.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}:{page}", ct);
                    if (applied.Error is { } failed)
                    {
                        return failed;
                    }
                }

                foreach (var changed in records.Select(mapping.Time).OfType<DateTimeOffset>()
                    .Where(changed => changed > latest && changed <= started))
                {
                    latest = changed;
                }

                var next = connection.NextCursor.Length == 0 ? null
                    : JsonPointer.Text(JsonPointer.Find(document.RootElement, connection.NextCursor));
                if (string.IsNullOrEmpty(next) || next == cursor)
                {
                    return latest;
                }

                cursor = next;
            }
        }

        return latest;
    }

    private async Task<Result<JsonDocument>> Get(CrmConnectionRow connection, string url, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            if (connection.AuthSecret is { } closed)
            {
                request.Headers.TryAddWithoutValidation(connection.AuthHeader,
                    box.Open(closed, CrmSecrets.Owner(connection.WorkspaceId, connection.Id)));
            }

            using var response = await client.Http.SendAsync(request, ct);
            return response.IsSuccessStatusCode
                ? JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(ct))
                : Error.Unavailable($"The CRM answered {(int)response.StatusCode}.");
        }
        catch (HttpRequestException exception)
        {
            return Error.Unavailable((exception.GetBaseException() as PrivateAddressException ?? (Exception)exception).Message);
        }
        catch (JsonException exception)
        {
            return Error.Unavailable($"The CRM's answer is no JSON: {exception.Message}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Error.Unavailable("The CRM did not answer in time.");
        }
    }

    private async Task Record(Guid workspaceId, Guid id, Result<DateTimeOffset> result, DateTimeOffset started, CancellationToken ct) =>
        await work.Run(workspaceId, async tx =>
        {
            var rows = await tx.Db.CrmConnections.FromSql(
                $"select * from crm_connection where workspace_id = {tx.WorkspaceId} and id = {id} for update").ToListAsync(ct);
            if (rows is not [var row])
            {
                return;
            }

            (row.LastPullTime, row.LastPullError) = (started, result.Error?.Message);
            row.PullFailures = result.Succeeded ? 0 : row.PullFailures + 1;
            row.PullSince = result.TryGet(out var latest, out var error) ? latest : row.PullSince;
            var pause = TimeSpan.FromSeconds(row.IntervalSeconds * Math.Pow(2, Math.Min(row.PullFailures, 10)));
            row.PullDueTime = row is { Enabled: true, PullUrl: not null }
                ? tx.Now + (pause < LongestPause || row.PullFailures == 0 ? pause : LongestPause) : null;
            if (error is not null)
            {
                LogFailed(id, row.PullFailures, error.Message);
            }
        }, ct);

    [LoggerMessage(4131, LogLevel.Information, "The pull of connection {ConnectionId} failed {Times} times: {Reason}")]
    private partial void LogFailed(Guid connectionId, int times, string reason);
}
