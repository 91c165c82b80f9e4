using System.Text.Json;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>The gRPC side of ingest: the same messages, read by the same rules.</summary>
internal sealed class IngestGrpcService(Ingest ingest) : IngestService.IngestServiceBase
{
    // Unset fields are left out, as senders of JSON leave them out.
    private static readonly Google.Protobuf.JsonFormatter Json = new(
        Google.Protobuf.JsonFormatter.Settings.Default.WithFormatDefaultValues(false));

    public override async Task<BatchResponse> Batch(BatchRequest request, ServerCallContext context)
    {
        var bytes = request.CalculateSize();
        if (!ingest.Room.TryTake(bytes))
        {
            throw RpcErrors.ToException(IngestRoom.Full);
        }

        try
        {
            return await Take(request, context);
        }
        finally
        {
            ingest.Room.Give(bytes);
        }
    }

    private async Task<BatchResponse> Take(BatchRequest request, ServerCallContext context)
    {
        using var document = JsonDocument.Parse(Json.Format(request));
        var answer = (await ingest.Take(context.Caller().WorkspaceId, document.RootElement, type: null, userAgent: null)).OrThrow();
        return new()
        {
            Accepted = answer.Accepted,
            Duplicates = answer.Duplicates,
            Rejected = { answer.Rejected.Select(rejected => new RejectedMessage { Index = rejected.Index, Errors = { rejected.Errors } }) },
        };
    }
}
