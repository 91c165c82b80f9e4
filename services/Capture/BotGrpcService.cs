using Grpc.Core;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Capture.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture;

/// <summary>Corrections of what was taken for a robot.</summary>
internal sealed class BotGrpcService(DeclareHuman declareHuman) : BotService.BotServiceBase
{
    public override async Task<DeclareHumanResponse> DeclareHuman(DeclareHumanRequest request, ServerCallContext context) =>
        (await declareHuman.Handle(context.Caller(), request, context.CancellationToken)).OrThrow();
}
