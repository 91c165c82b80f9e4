using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Lifecycle.ServiceDefaults;

/// <summary>
/// What every process of the suite does alike: ports, telemetry, health and an orderly stop. Hosting only, nothing of the domain.
/// </summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Tag of the health checks that decide whether a process takes traffic.</summary>
    public const string ReadyTag = "ready";

    /// <summary>
    /// Listens on <c>HTTP_PORT</c> (HTTP/1.1: health, and REST by hand) and <c>GRPC_PORT</c> (HTTP/2 without TLS: all that the gateway
    /// sends), exports telemetry where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, and gives work under way 25 s to end at a stop.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="service">Service name, e.g. <c>scoring</c>; <c>OTEL_SERVICE_NAME</c> wins over it.</param>
    public static WebApplicationBuilder AddServiceDefaults(this WebApplicationBuilder builder, string service)
    {
        builder.Services.AddOptions<TelemetryOptions>()
            .BindConfiguration(TelemetryOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.AddTelemetry(service);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(25));
        builder.Services.AddHealthChecks().AddCheck<NotStopping>("not-stopping", tags: [ReadyTag]);
        builder.Services.AddSingleton<NotStopping>();
        builder.WebHost.ConfigureKestrel((context, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            Listen(kestrel, context.Configuration, "HTTP_PORT", HttpProtocols.Http1);
            Listen(kestrel, context.Configuration, "GRPC_PORT", HttpProtocols.Http2);
        });
        return builder;
    }

    /// <summary>
    /// Maps <c>/alive</c> (the process answers) and <c>/health</c> (ready: every check tagged <see cref="ReadyTag"/> passes), both as JSON.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.UseMiddleware<RequestSpan>();
        app.MapHealthChecks(
            RequestSpan.AlivePath, new HealthCheckOptions { Predicate = _ => false, ResponseWriter = HealthReportWriter.Write })
            .WithMetadata(new ProbeEndpoint());
        app.MapHealthChecks(
            RequestSpan.HealthPath,
            new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadyTag), ResponseWriter = HealthReportWriter.Write })
            .WithMetadata(new ProbeEndpoint());
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, IConfiguration configuration, string variable, HttpProtocols protocols)
    {
        if (configuration.GetValue<int?>(variable) is { } port)
        {
            var address = configuration["BIND_ADDRESS"] is { Length: > 0 } text ? IPAddress.Parse(text) : IPAddress.Loopback;
            kestrel.Listen(address, port, listen => listen.Protocols = protocols);
        }
    }

    private sealed class NotStopping(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested
                ? HealthCheckResult.Unhealthy("The process is stopping.")
                : HealthCheckResult.Healthy());
    }
}

/// <summary>Marks the endpoints that anyone on the machine may probe: they tell health and nothing else.</summary>
public sealed class ProbeEndpoint : IAllowAnonymous;
