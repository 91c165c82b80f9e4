using System.Net;
using Lifecycle.Common.V1;
using Lifecycle.Gateway.Http;
using Lifecycle.Gateway.Keys;
using Lifecycle.Gateway.Limits;
using Lifecycle.Gateway.OpenApi;
using Lifecycle.Gateway.Routes;
using Lifecycle.Gateway.Scorecard;
using Lifecycle.Rpc;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Lifecycle.Gateway;

/// <summary>Puts the gateway together.</summary>
internal static class GatewaySetup
{
    public static void AddGateway(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        var options = builder.Configuration.GetSection(GatewayOptions.Section).Get<GatewayOptions>() ?? new GatewayOptions();
        builder.WebHost.ConfigureKestrel((context, kestrel) => Listen(kestrel, context.Configuration, options));
        builder.Services.AddSingleton<KeyDirectory>();
        builder.Services.AddSingleton<RateLimits>();
        builder.Services.AddSingleton<KeyUse>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<KeyUse>());
        builder.Services.AddHostedService<KeyChanges>();
        builder.Services.AddSingleton<ServiceMetrics>();
        builder.Services.AddSingleton<TargetOutlooks>();
        builder.Services.AddHostedService<TargetWatcher>();
        foreach (var service in RouteTable.Services)
        {
            builder.AddRpcClient<MetricsService.MetricsServiceClient>(service, ServiceMetrics.ClientName(service));
        }

        var table = new RouteTable(options);
        builder.Services.AddSingleton(table);
        builder.Services.AddSingleton<Forwarding>();
        builder.Services.AddRequestTimeouts();
        builder.Services.AddReverseProxy()
            .LoadFromMemory(table.Routes, RouteTable.Clusters(builder.Configuration))
            .AddTransforms(context => context.Services.GetRequiredService<Forwarding>().Transform(context));
        // The proxy adds data protection for sticky sessions, which are not used: it would write keys into the user's home.
        foreach (var unused in builder.Services.Where(
            service => service.ImplementationType?.Name == "DataProtectionHostedService").ToList())
        {
            builder.Services.Remove(unused);
        }
    }

    public static void UseGateway(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        if (options.TrustedProxies.Count > 0)
        {
            var forwarded =
                new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto };
            foreach (var proxy in options.TrustedProxies)
            {
                forwarded.KnownProxies.Add(IPAddress.Parse(proxy));
            }

            app.UseForwardedHeaders(forwarded);
        }

        app.UseMiddleware<ResponseHeaders>();
        app.UseMiddleware<Cors>();
        app.UseMiddleware<GrpcWeb>();
        app.UseMiddleware<KeyMiddleware>();
        app.UseLifecycleRpc();
        app.UseMiddleware<BodyLimitMiddleware>();
        app.UseRequestTimeouts();
    }

    public static void MapGateway(this WebApplication app)
    {
        app.MapRpcService<WorkspaceGrpcService>();
        app.MapRpcService<KeyGrpcService>();
        app.MapRpcService<MetricsGrpcService>();
        app.MapRpcService<ScorecardGrpcService>();
        app.MapRpcService<TargetsGrpcService>();
        app.MapDocs();
        app.MapReverseProxy(pipeline =>
        {
            pipeline.Use(Forwarding.ExplainFaults);
            pipeline.UseLoadBalancing();
            pipeline.UsePassiveHealthChecks();
        }).ConfigureEndpoints(app.Services.GetRequiredService<RouteTable>().Describe);
    }

    private static void Listen(KestrelServerOptions kestrel, IConfiguration configuration, GatewayOptions options)
    {
        var address = configuration["BIND_ADDRESS"] is { Length: > 0 } text ? IPAddress.Parse(text) : IPAddress.Loopback;
        kestrel.AddServerHeader = false;
        kestrel.Listen(
            address, configuration.GetValue("GATEWAY_HTTP_PORT", options.HttpPort), listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Listen(
            address, configuration.GetValue("GATEWAY_GRPC_PORT", options.GrpcPort), listen => listen.Protocols = HttpProtocols.Http2);
        if (options.CertificatePath.Length > 0)
        {
            var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(
                options.CertificatePath, options.CertificateKeyPath);
            kestrel.Listen(address, options.TlsPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(certificate);
            });
        }
    }
}
