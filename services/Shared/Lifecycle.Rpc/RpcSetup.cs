using Grpc.AspNetCore.Server;
using Lifecycle.Rpc.Errors;
using Lifecycle.Rpc.Identity;
using Lifecycle.Rpc.Rest;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Lifecycle.Rpc;

/// <summary>Puts gRPC, REST over the same messages, and the identity check into a host.</summary>
public static class RpcSetup
{
    /// <summary>
    /// gRPC server with the suite's errors and limits, and the identity token. Reads section <c>Rpc</c> and
    /// <c>Lifecycle:IdentitySecret</c>.
    /// </summary>
    public static TBuilder AddLifecycleRpc<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddOptions<RpcOptions>().BindConfiguration("Rpc").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddIdentity();
        builder.Services.TryAddSingleton<ErrorInterceptor>();
        builder.Services.AddGrpc(options =>
        {
            options.Interceptors.Add<ErrorInterceptor>();

            // The library's own answer is a route for any verb and any path of two segments: it would hide 405s.
            options.IgnoreUnknownServices = true;
        });
        builder.Services.AddOptions<GrpcServiceOptions>().Configure<IOptions<RpcOptions>>((grpc, rpc) =>
        {
            grpc.MaxReceiveMessageSize = rpc.Value.MaxMessageBytes;
            grpc.EnableDetailedErrors = false;
        });
        return builder;
    }

    /// <summary>Checks identity and scope of every request and gives bare error statuses a body. Goes before the endpoints.</summary>
    public static IApplicationBuilder UseLifecycleRpc(this IApplicationBuilder app) => app.UseMiddleware<AccessMiddleware>();

    /// <summary>Maps a gRPC service, and over REST each of its methods that carries <c>(lifecycle.common.v1.rpc)</c>.</summary>
    public static IEndpointRouteBuilder MapRpcService<TService>(this IEndpointRouteBuilder endpoints)
        where TService : class
    {
        var methods = RpcMethod.Of(typeof(TService)).ToDictionary(method => method.FullName, StringComparer.Ordinal);
        endpoints.MapGrpcService<TService>().Add(endpoint =>
        {
            if (endpoint.Metadata.OfType<GrpcMethodMetadata>().FirstOrDefault() is not { } grpc)
            {
                // The library's answer UNIMPLEMENTED for a method that is not there.
                endpoint.Metadata.Add(new PublicEndpoint());
            }
            else
            {
                endpoint.Metadata.Add(methods[grpc.Method.FullName].AccessMetadata);
                endpoint.Metadata.Add(methods[grpc.Method.FullName]);
            }
        });
        foreach (var method in methods.Values.Where(method => method.Rest is not null))
        {
            RestEndpoint.Map<TService>(endpoints, method);
        }

        return endpoints;
    }

    internal static void AddIdentity(this IServiceCollection services)
    {
        services.AddOptions<IdentityOptions>().BindConfiguration("Lifecycle").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IdentityToken>();
        services.TryAddSingleton<RpcCalls>();
    }
}
