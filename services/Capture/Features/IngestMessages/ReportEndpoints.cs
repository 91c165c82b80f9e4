using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// The REST side of calls and chats: a flat JSON object or a form, as vendors' webhooks send them. The answer is that of a batch of one message: 200
/// also when the report cannot be recorded, so that no vendor sends it again and again or switches the webhook off.
/// </summary>
internal static class ReportEndpoints
{
    private const int MaxBytes = 256 * 1024;

    public static void MapReports(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/v1/calls", (HttpContext http, Ingest ingest) => Take(http, ingest, VendorReports.Call)).RequireScope("capture:write");
        endpoints.MapPost("/v1/chats", (HttpContext http, Ingest ingest) => Take(http, ingest, VendorReports.Chat)).RequireScope("capture:write");
    }

    /// <summary>Records one report.</summary>
    public static Task<Result<IngestAnswer>> Take(Ingest ingest, Guid workspaceId, JsonElement report, Func<JsonElement, JsonObject> read)
    {
        var batch = new JsonObject { ["batch"] = new JsonArray(read(report)) };
        return ingest.Take(workspaceId, JsonSerializer.SerializeToElement(batch), type: null, userAgent: null);
    }

    private static async Task<IResult> Take(HttpContext http, Ingest ingest, Func<JsonElement, JsonObject> read)
    {
        if (!(await Read(http)).TryGet(out var report, out var fault))
        {
            return ProblemResults.From(fault, http);
        }

        var taken = await Take(ingest, http.Caller().WorkspaceId, report, read);
        return taken.TryGet(out var answer, out var error) ? Results.Json(answer, IngestJson.Default.IngestAnswer) : ProblemResults.From(error, http);
    }

    private static async Task<Result<JsonElement>> Read(HttpContext http)
    {
        var buffer = new byte[MaxBytes + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted);
        if (length > MaxBytes)
        {
            return Error.Invalid("body", $"The body is larger than {MaxBytes} bytes.");
        }

        if (http.Request.HasFormContentType)
        {
            var form = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(System.Text.Encoding.UTF8.GetString(buffer, 0, length));
            return JsonSerializer.SerializeToElement(form.ToDictionary(field => field.Key, field => field.Value.ToString()));
        }

        try
        {
            using var document = JsonDocument.Parse(buffer.AsMemory(0, length));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : Error.Invalid("body", "The body must be a JSON object.");
        }
        catch (JsonException exception)
        {
            return Error.Invalid("body", $"The JSON is malformed at line {exception.LineNumber + 1}, position {exception.BytePositionInLine + 1}.");
        }
    }
}
