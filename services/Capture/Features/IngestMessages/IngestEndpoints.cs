using System.IO.Compression;
using System.Text.Json;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Microsoft.Net.Http.Headers;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>The REST side of ingest: Segment's JSON as it is, so that Segment-compatible SDKs work unchanged.</summary>
internal static partial class IngestEndpoints
{
    private const string Scope = "capture:write";

    // A message nested too deep is told from its neighbours by its reader, not here.
    private static readonly JsonDocumentOptions Json = new() { MaxDepth = MessageReader.MaxBytes };

    public static void MapIngest(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/v1/batch", (HttpContext http, Ingest ingest) => Take(http, ingest, null)).RequireScope(Scope);
        foreach (var type in new[] { "identify", "track", "page", "screen", "group", "alias" })
        {
            endpoints.MapPost($"/v1/{type}", (HttpContext http, Ingest ingest) => Take(http, ingest, type)).RequireScope(Scope);
        }
    }

    private static Task<IResult> Take(
        HttpContext http, Ingest ingest, string? type) => Answer(http, ingest, ingest.Options.MaxBodyBytes, takesForms: false, async body =>
        {
            using var document = JsonDocument.Parse(body, Json);
            return await ingest.Take(
                http.Caller().WorkspaceId, document.RootElement, type, SenderSignals.BrowserOf(http),
                SenderSignals.BotOf(http, ingest.Options, ingest.Networks));
        });

    /// <summary>Reads the body within the room there is for requests under way, hands it on and answers with what became of it.</summary>
    /// <param name="http">The request.</param>
    /// <param name="ingest">Where messages go.</param>
    /// <param name="maxBytes">Most bytes of a body, decompressed.</param>
    /// <param name="takesForms">Whether the body may be a form.</param>
    /// <param name="take">Takes the body, which is gone when it is done.</param>
    public static async Task<IResult> Answer(
        HttpContext http, Ingest ingest, int maxBytes, bool takesForms, Func<ReadOnlyMemory<byte>, Task<Result<IngestAnswer>>> take)
    {
        try
        {
            using var body = new PooledBody(ingest.Room);
            if (await Read(http, body, maxBytes, takesForms) is { } problem)
            {
                return new ProblemResult(problem);
            }

            return (await take(body.Bytes)).TryGet(out var answer, out var error)
                ? Results.Json(answer, IngestJson.Default.IngestAnswer)
                : ProblemResults.From(error, http);
        }
        catch (JsonException exception)
        {
            var place = $"line {exception.LineNumber + 1}, position {exception.BytePositionInLine + 1}";
            return new ProblemResult(Problem.From(Error.Invalid("body", $"The JSON is malformed at {place}."), http));
        }
        catch (BadHttpRequestException exception)
        {
            return new ProblemResult(Problem.ForStatus(http, exception.StatusCode));
        }
        catch (IOException)
        {
            // A page that is left takes its connection along; the script sends again what nobody answered for.
            return new ProblemResult(Problem.ForStatus(http, StatusCodes.Status400BadRequest, "The body ended early."));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFailed(ingest.Logger, http.Request.Path, Problem.TraceIdOf(http), exception);
            return new ProblemResult(
                Problem.ForStatus(http, StatusCodes.Status500InternalServerError, $"Internal error. Trace {Problem.TraceIdOf(http)}."));
        }
    }

    private static async Task<Problem?> Read(HttpContext http, PooledBody body, int maxBytes, bool takesForms)
    {
        // navigator.sendBeacon sends text/plain: a JSON type would need a preflight that a page on its way out cannot wait for.
        // RudderStack's SDK leaves the type of its gzipped JSON to its HTTP client, which calls any bytes a form.
        var encoding = http.Request.Headers.ContentEncoding.ToString().ToLowerInvariant();
        if (http.Request.ContentType is { Length: > 0 } given
            && !(MediaTypeHeaderValue.TryParse(given, out var type)
                && (type.MediaType.Value?.ToLowerInvariant() is "application/json" or "text/plain"
                    || ((takesForms || encoding == "gzip")
                        && type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)))))
        {
            return Problem.ForStatus(
                http, StatusCodes.Status415UnsupportedMediaType, $"The method takes application/json{(takesForms ? " or a form" : "")}.");
        }

        if (encoding is not ("" or "identity" or "gzip"))
        {
            return Problem.ForStatus(http, StatusCodes.Status415UnsupportedMediaType, "Content-Encoding must be gzip or absent.");
        }

        try
        {
            await using var stream = encoding == "gzip"
                ? new GZipStream(http.Request.Body, CompressionMode.Decompress, leaveOpen: true)
                : null;
            return await body.Read(stream ?? http.Request.Body, http.Request.ContentLength, maxBytes, http.RequestAborted) switch
            {
                BodyRead.Whole => null,
                BodyRead.NoRoom => Problem.From(IngestRoom.Full, http),
                _ => Problem.ForStatus(http, StatusCodes.Status413PayloadTooLarge, $"The body is larger than {maxBytes} bytes."),
            };
        }
        catch (InvalidDataException)
        {
            return Problem.From(Error.Invalid("body", "The body is no gzip data."), http);
        }
    }

    [LoggerMessage(EventId = 3003, Level = LogLevel.Error, Message = "{Path} failed, trace {TraceId}")]
    private static partial void LogFailed(ILogger logger, string path, string traceId, Exception exception);

    private sealed class ProblemResult(Problem problem) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => problem.Write(httpContext);
    }
}
