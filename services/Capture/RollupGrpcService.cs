using Grpc.Core;
using Lifecycle.Capture.Features.QueryMetrics;
using Lifecycle.Capture.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture;

/// <summary>Rollups of a workspace.</summary>
internal sealed class RollupGrpcService(RebuildMetrics rebuild) : RollupService.RollupServiceBase
{
    public override Task<RebuildRollupsResponse> RebuildRollups(RebuildRollupsRequest request, ServerCallContext context) =>
        rebuild.Run(context.Caller(), context.CancellationToken);
}
