using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Microsoft.AspNetCore.WebUtilities;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// The REST side of calls and chats: a flat JSON object or a form, as vendors' webhooks send them. The answer is that of a batch of one
/// message: 200 also when the report cannot be recorded, so that no vendor sends it again and again or switches the webhook off.
/// </summary>
internal static class ReportEndpoints
{
    private const int MaxBytes = 256 * 1024;

    public static void MapReports(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/v1/calls", (HttpContext http, Ingest ingest) => Take(http, ingest, VendorReports.Call))
            .RequireScope("capture:write");
        endpoints.MapPost("/v1/chats", (HttpContext http, Ingest ingest) => Take(http, ingest, VendorReports.Chat))
            .RequireScope("capture:write");
    }

    /// <summary>Records one report.</summary>
    public static Task<Result<IngestAnswer>> Take(
        Ingest ingest, Guid workspaceId, JsonElement report, Func<JsonElement, DateTimeOffset, JsonObject> read)
    {
        var batch = new JsonObject { ["batch"] = new JsonArray(read(report, ingest.Now)) };
        return ingest.Take(workspaceId, JsonSerializer.SerializeToElement(batch, VendorReports.Json), type: null, userAgent: null);
    }

    private static Task<IResult> Take(HttpContext http, Ingest ingest, Func<JsonElement, DateTimeOffset, JsonObject> read) =>
        IngestEndpoints.Answer(http, ingest, MaxBytes, takesForms: true, async body =>
        {
            using var report = http.Request.HasFormContentType ? Form(body.Span) : JsonDocument.Parse(body);
            return report.RootElement.ValueKind == JsonValueKind.Object
                ? await Take(ingest, http.Caller().WorkspaceId, report.RootElement, read)
                : Error.Invalid("body", "The body must be a JSON object.");
        });

    private static JsonDocument Form(ReadOnlySpan<byte> body) => JsonSerializer.SerializeToDocument(
        QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body)).ToDictionary(field => field.Key, field => field.Value.ToString()));
}
