using System.Text.Json;
using Lifecycle.Conversion.Domain.Crm;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Primitives;

namespace Lifecycle.Conversion.Features.SyncCrm;

/// <summary>Takes webhooks of CRMs. Anyone may knock; only what one of the connection's secrets has signed is read.</summary>
public sealed class ReceiveCrmWebhook(UnitOfWork<ConversionDbContext> work, SecretBox box, ApplyCrmRecords apply, TimeProvider time)
{
    private const int MaxBody = 1024 * 1024;

    public void Map(IEndpointRouteBuilder app) => app.MapPost("/v1/crm/{token}/inbound", Receive).AllowPublic();

    private async Task Receive(string token, HttpContext http)
    {
        var ct = http.RequestAborted;
        if (await ReadBody(http.Request.Body, ct) is not { } body)
        {
            http.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }

        var answered = await Handle(token, http.Request.Headers, body, ct);
        if (answered.TryGet(out var answer, out var error))
        {
            await http.Response.WriteAsJsonAsync(answer, ct);
        }
        else
        {
            await Problem.Refuse(http, error);
        }
    }

    private async Task<Result<Answer>> Handle(string token, IHeaderDictionary headers, byte[] body, CancellationToken ct)
    {
        if (InboundToken.Read(token) is not var (workspaceId, connectionId))
        {
            return new Error(ErrorKind.NotFound, "There is no such connection.");
        }

        var connection = await work.Read(
            workspaceId, tx => tx.Db.CrmConnections.SingleOrDefaultAsync(row => row.Id == connectionId && row.Enabled, ct), ct);
        if (connection is null)
        {
            return new Error(ErrorKind.NotFound, "There is no such connection.");
        }

        var (now, id) = (time.GetUtcNow(), One(headers[WebhookSignature.IdHeader]));
        var verified = WebhookSignature.Verify(
            connection.Signing(box, now), id, One(headers[WebhookSignature.TimestampHeader]),
                One(headers[WebhookSignature.SignatureHeader]), body, now);
        if (verified.Error is { } refused)
        {
            return refused;
        }

        JsonDocument message;
        try
        {
            message = JsonDocument.Parse(body);
        }
        catch (JsonException exception)
        {
            return Error.Invalid("body", $"The body is no JSON: {exception.Message}");
        }

        using (message)
        {
            var mapping = CrmChecks.ReadMapping(connection.Inbound);
            var found = mapping.Records(message.RootElement);
            if (!found.TryGet(out var records, out var empty))
            {
                return empty;
            }

            var aboutLeads = JsonPointer.Text(JsonPointer.Find(message.RootElement, "/type"))?.StartsWith("lead.",
                StringComparison.Ordinal) == true;
            var applied = await apply.Handle(workspaceId, connection, mapping, records, aboutLeads, id!, ct);
            return applied.Map(result => new Answer(
                result.Receipt.Applied, result.Receipt.Unchanged, result.Receipt.Ignored, result.Receipt.Rejected, !result.IsNew,
                    result.Receipt.Errors));
        }
    }

    private static string? One(StringValues values) => values.Count == 1 ? values[0] : null;

    /// <summary>Null where it is too large.</summary>
    private static async Task<byte[]?> ReadBody(Stream stream, CancellationToken ct)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(chunk, ct)) > 0)
        {
            if (buffer.Length + read > MaxBody)
            {
                return null;
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private sealed record Answer(int Applied, int Unchanged, int Ignored, int Rejected, bool Duplicate, IReadOnlyList<string> Errors);
}
