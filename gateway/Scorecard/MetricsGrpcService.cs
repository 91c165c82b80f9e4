using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Gateway.Routes;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>Passes the question on to the service that it names.</summary>
internal sealed class MetricsGrpcService(ServiceMetrics metrics, IOptions<GatewayOptions> options) : MetricsService.MetricsServiceBase
{
    public override async Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context)
    {
        if (!RouteTable.Services.Contains(request.Service))
        {
            throw RpcErrors.ToException(
                Error.Invalid("service", $"{request.Service} is no service; known: {string.Join(", ", RouteTable.Services)}."));
        }

        try
        {
            return await metrics.Ask(
                request.Service, request, context.Caller(), TimeSpan.FromSeconds(options.Value.RequestSeconds), context.CancellationToken);
        }
        catch (RpcException exception)
        {
            throw exception.Relay();
        }
    }
}
