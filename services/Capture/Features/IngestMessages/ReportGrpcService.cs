using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>The gRPC side of calls and chats: the same reports, read by the same rules.</summary>
internal sealed class ReportGrpcService(Ingest ingest) : ReportService.ReportServiceBase
{
    // Unset fields are left out, as vendors leave them out.
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(false));

    [TakesItemsApart]
    public override Task<BatchResponse> RecordCall(RecordCallRequest request, ServerCallContext context) =>
        Take(request, context, VendorReports.Call);

    [TakesItemsApart]
    public override Task<BatchResponse> RecordChat(RecordChatRequest request, ServerCallContext context) =>
        Take(request, context, VendorReports.Chat);

    private async Task<BatchResponse> Take(IMessage request, ServerCallContext context, Func<JsonElement, DateTimeOffset, JsonObject> read)
    {
        var malformed = new Violations();
        malformed.RequireWellFormed(request);
        if (malformed.Any)
        {
            return new() { Rejected = { new RejectedMessage { Errors = { malformed.Found.Select(fault => fault.Message) } } } };
        }

        using var document = JsonDocument.Parse(Json.Format(request));
        var answer = (await ReportEndpoints.Take(ingest, context.Caller().WorkspaceId, document.RootElement, read)).OrThrow();
        return new()
        {
            Accepted = answer.Accepted,
            Duplicates = answer.Duplicates,
            Rejected = { answer.Rejected.Select(rejected => new RejectedMessage { Index = rejected.Index, Errors = { rejected.Errors } }) },
        };
    }
}
