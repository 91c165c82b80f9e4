using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Lifecycle.ServiceDefaults;

/// <summary>Traces, metrics and logs from the sources built into the runtime and the libraries, and from <c>Lifecycle.*</c>.</summary>
internal static class Telemetry
{
    private static readonly string[] Sources =
        ["Microsoft.AspNetCore", "System.Net.Http", "Grpc.Net.Client", "Npgsql", "MassTransit", "Lifecycle.*", "Yarp.ReverseProxy"];

    private static readonly string[] Meters =
    [
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime", "Npgsql",
        "MassTransit", "Lifecycle.*",
    ];

    /// <summary>Carries the context of traces that others record through outbox and broker, and records nothing.</summary>
    private static readonly ActivityListener PassOn = new()
    {
        ShouldListenTo = source => source.Name == "MassTransit" || source.Name.StartsWith("Lifecycle.", StringComparison.Ordinal),
        Sample = (ref _) => ActivitySamplingResult.PropagationData,
    };

    public static void AddTelemetry(this WebApplicationBuilder builder, string service)
    {
        var export = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
        // What these say at each request or probe is told by traces and health; what remains is worth reading.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
            .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning)
            .AddFilter("Npgsql", LogLevel.Warning)
            .AddFilter("System.Net.Http", LogLevel.Warning)
            .AddFilter("Grpc", LogLevel.Warning)
            .AddFilter("Yarp", LogLevel.Error);
        if (!export)
        {
            // Nobody would see what is recorded.
            ActivitySource.AddActivityListener(PassOn);
            return;
        }

        builder.Services.AddOpenTelemetry()
            .ConfigureResource(
                resource => resource.AddService(builder.Configuration["OTEL_SERVICE_NAME"] ?? service).AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing.AddSource(Sources).SetSampler(new ParentBasedSampler(new NoPollingSampler())))
            .WithMetrics(metrics => metrics.AddMeter(Meters))
            .UseOtlpExporter();
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
    }

    /// <summary>
    /// Drops traces that begin with a call to a server: polls of tables by relays and jobs, thousands an hour, of which none belongs to any
    /// work.
    /// </summary>
    private sealed class NoPollingSampler : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            new(samplingParameters.Kind == ActivityKind.Client ? SamplingDecision.Drop : SamplingDecision.RecordAndSample);
    }
}
