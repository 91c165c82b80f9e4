using Grpc.Net.ClientFactory;
using Lifecycle.Common.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>Asks a service for its metrics on behalf of a caller.</summary>
internal sealed class ServiceMetrics(GrpcClientFactory clients, RpcCalls calls)
{
    public static string ClientName(string service) => $"metrics-{service}";

    public async Task<QueryMetricsResponse> Ask(
        string service, QueryMetricsRequest request, Caller caller, TimeSpan deadline, CancellationToken cancellationToken) =>
        await clients.CreateClient<MetricsService.MetricsServiceClient>(ClientName(service))
            .QueryMetricsAsync(request, calls.As(caller, cancellationToken, deadline));
}
