using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.QueryMetrics;

/// <summary>Metrics of this service.</summary>
internal sealed class MetricsGrpcService(CaptureMetrics metrics) : MetricsService.MetricsServiceBase
{
    public override async Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context) =>
        (await metrics.Query(context.Caller(), request, context.CancellationToken)).OrThrow();
}
