using System.Text.Json;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>The gRPC side of ingest: the same messages, read by the same rules.</summary>
internal sealed class IngestGrpcService(Ingest ingest) : IngestService.IngestServiceBase
{
    // Unset fields are left out, as senders of JSON leave them out.
    private static readonly Google.Protobuf.JsonFormatter Json = new(
        Google.Protobuf.JsonFormatter.Settings.Default.WithFormatDefaultValues(false));

    [TakesItemsApart]
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
        var envelope = new Violations();
        envelope.RequireWellFormed(new BatchRequest { SentAt = request.SentAt });
        envelope.OrThrow();
        var faults = new Dictionary<int, Violations>();
        for (var index = 0; index < request.Batch.Count; index++)
        {
            var violations = new Violations();
            violations.RequireWellFormed(request.Batch[index]);
            if (violations.Any)
            {
                // JSON cannot say it; what stands in its place is refused, too.
                faults.Add(index, violations);
                request.Batch[index] = new();
            }
        }

        using var document = JsonDocument.Parse(Json.Format(request));
        var answer = (await ingest.Take(context.Caller().WorkspaceId, document.RootElement, type: null, userAgent: null)).OrThrow();
        return new()
        {
            Accepted = answer.Accepted,
            Duplicates = answer.Duplicates,
            Rejected =
            {
                answer.Rejected.Select(rejected => new RejectedMessage
                {
                    Index = rejected.Index,
                    Errors =
                    {
                        faults.TryGetValue(rejected.Index, out var malformed)
                            ? malformed.Found.Select(fault => fault.Message)
                            : rejected.Errors
                    },
                }),
            },
        };
    }
}
