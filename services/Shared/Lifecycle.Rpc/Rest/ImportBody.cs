using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Lifecycle.Common.V1;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Lifecycle.Rpc.Rest;

/// <summary>The body of an upload as the stream of chunks that the gRPC method reads.</summary>
internal sealed class ImportBody : IAsyncStreamReader<ImportChunk>
{
    private const int MaxChunk = 64 * 1024;
    private readonly PipeReader body;
    private bool first = true;
    private bool ended;

    private ImportBody(PipeReader body, ImportChunk settings) => (this.body, Current) = (body, settings);

    public ImportChunk Current { get; private set; }

    /// <summary>Checks content type and query; null and the chunks, or the problem to answer.</summary>
    /// <param name="http">The request.</param>
    /// <param name="media">The one content type that the method takes; empty: CSV and NDJSON.</param>
    /// <param name="chunks">The chunks, where there is no problem.</param>
    public static Problem? Open(HttpContext http, string media, out ImportBody? chunks)
    {
        chunks = null;
        var given = MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            ? type.MediaType.Value?.ToLowerInvariant() ?? ""
            : "";
        if (media.Length > 0 ? given != media : given is not ("text/csv" or "application/x-ndjson" or "application/ndjson"))
        {
            return Problem.ForStatus(
                http,
                StatusCodes.Status415UnsupportedMediaType,
                media.Length > 0 ? $"The method takes {media}." : "An import takes text/csv (header row) or application/x-ndjson.");
        }

        if (AcceptedTypes.EncodingFault(http) is { } encoded)
        {
            return encoded;
        }

        var violations = new Kernel.Violations();
        var dryRun = false;
        foreach (var (name, value) in http.Request.Query)
        {
            if (name is "dryRun" or "dry_run")
            {
                violations.Require(bool.TryParse(value.ToString(), out dryRun), name, "dryRun must be true or false.");
            }
            else if (name is not ("requestId" or "request_id"))
            {
                violations.Add(name, $"{name} is no parameter of this method; it takes dryRun and requestId.");
            }
        }

        if (violations.ToError() is { } error)
        {
            return Problem.From(error, http);
        }

        var requestId = http.Request.Headers[RequestBinder.IdempotencyHeader].ToString();
        chunks = new(http.Request.BodyReader, new ImportChunk
        {
            ContentType = given == "application/ndjson" ? "application/x-ndjson" : given,
            DryRun = dryRun,
            Parent = http.Request.RouteValues["parent"]?.ToString() ?? "",
            RequestId = requestId.Length > 0
                ? requestId
                : (http.Request.Query["requestId"].FirstOrDefault() ?? http.Request.Query["request_id"].FirstOrDefault() ?? ""),
        });
        return null;
    }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (ended)
        {
            return false;
        }

        var read = await body.ReadAsync(cancellationToken);
        var taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, MaxChunk));
        if (taken.IsEmpty && read.IsCompleted && !first)
        {
            // A read that is not ended spoils the next one, and readers of text ask again after the end.
            body.AdvanceTo(taken.End);
            ended = true;
            return false;
        }

        var data = ByteString.CopyFrom(taken.ToArray());
        body.AdvanceTo(taken.End);
        Current = first ? new ImportChunk(Current) { Data = data } : new ImportChunk { Data = data };
        first = false;
        return true;
    }
}
