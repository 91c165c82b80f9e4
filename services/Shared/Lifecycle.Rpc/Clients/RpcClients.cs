using Grpc.Core;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lifecycle.Rpc;

/// <summary>Options of calls from one service to another.</summary>
public sealed class RpcCalls(IdentityToken tokens, TimeProvider time)
{
    /// <summary>Deadline of a call that names none.</summary>
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(5);

    /// <summary>Makes a call on behalf of a caller: identity token, deadline, cancellation.</summary>
    /// <param name="caller">The caller served, or <see cref="Caller.Service"/> for a service's own work.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <param name="deadline">How long the call may take, retries included; 5 s by default.</param>
    public CallOptions As(Caller caller, CancellationToken cancellationToken, TimeSpan? deadline = null) => new(
        new Metadata { { IdentityToken.Header, tokens.Issue(caller) } },
        time.GetUtcNow().UtcDateTime + (deadline ?? DefaultDeadline),
        cancellationToken);
}

/// <summary>Registers clients of the suite's services.</summary>
public static class RpcClients
{
    /// <summary>
    /// A client of a service at <c>services:{service}:grpc:0</c> (more indexes: more replicas, taken in turn). UNAVAILABLE is tried up to
    /// four times in all. Calls take their options from <see cref="RpcCalls"/>.
    /// </summary>
    /// <param name="builder">The host's builder.</param>
    /// <param name="service">Service called, e.g. <c>capture</c>.</param>
    /// <param name="name">Name for <c>GrpcClientFactory</c>, where several services are called by one type of client.</param>
    public static IHttpClientBuilder AddRpcClient<TClient>(this IHostApplicationBuilder builder, string service, string? name = null)
        where TClient : ClientBase
    {
        builder.Services.AddIdentity();
        return builder.Services
            .AddGrpcClient<TClient>(
                name ?? typeof(TClient).Name, (provider, options) => options.Address = Addresses(provider, service) is [var single]
                    ? single
                    : new Uri($"static:///{service}"))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                ConnectTimeout = TimeSpan.FromSeconds(2),
                PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
                KeepAlivePingDelay = TimeSpan.FromSeconds(30),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            })
            .ConfigureChannel((provider, options) =>
            {
                var addresses = Addresses(provider, service);
                options.Credentials = addresses[0].Scheme == Uri.UriSchemeHttps
                    ? ChannelCredentials.SecureSsl
                    : ChannelCredentials.Insecure;
                options.ServiceConfig = new ServiceConfig { MethodConfigs = { Retries() } };
                if (addresses.Count > 1)
                {
                    options.ServiceConfig.LoadBalancingConfigs.Add(new RoundRobinConfig());
                    options.ServiceProvider = new ServiceCollection()
                        .AddSingleton<ResolverFactory>(
                            new StaticResolverFactory(_ => addresses.Select(address => new BalancerAddress(address.Host, address.Port))))
                        .BuildServiceProvider();
                }
            });
    }

    private static MethodConfig Retries() => new()
    {
        Names = { MethodName.Default },
        RetryPolicy = new RetryPolicy
        {
            MaxAttempts = 4,
            InitialBackoff = TimeSpan.FromMilliseconds(50),
            MaxBackoff = TimeSpan.FromSeconds(1),
            BackoffMultiplier = 3,
            RetryableStatusCodes = { StatusCode.Unavailable },
        },
    };

    private static List<Uri> Addresses(IServiceProvider provider, string service)
    {
        var addresses = provider.GetRequiredService<IConfiguration>().GetSection($"services:{service}:grpc").GetChildren()
            .Select(child => new Uri(child.Value!)).ToList();
        return addresses.Count > 0
            ? addresses
            : throw new InvalidOperationException($"services:{service}:grpc:0 is not configured: the address of {service}.");
    }
}
