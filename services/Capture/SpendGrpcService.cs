using Grpc.Core;
using Lifecycle.Capture.Features.Spend;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture;

/// <summary>Spend of a workspace.</summary>
internal sealed class SpendGrpcService(SpendImport import, SpendReader reader) : SpendService.SpendServiceBase
{
    public override async Task<ImportResponse> ImportSpend(IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await import.Import(context.Caller(), requestStream, context.CancellationToken)).OrThrow();

    public override async Task<ListSpendResponse> ListSpend(ListSpendRequest request, ServerCallContext context) =>
        (await reader.List(context.Caller(), request, context.CancellationToken)).OrThrow();
}
