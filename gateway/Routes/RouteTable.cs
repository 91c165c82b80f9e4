using System.Net;
using System.Reflection;
using Google.Protobuf.Reflection;
using Lifecycle.Rpc;
using Lifecycle.ServiceDefaults;
using Yarp.ReverseProxy.Configuration;

namespace Lifecycle.Gateway.Routes;

/// <summary>Endpoint metadata: takes what sites and SDKs send; publishable keys, Basic and <c>?key=</c> are accepted.</summary>
internal sealed record IngestEndpoint : FrequentEndpoint;

/// <summary>Endpoint metadata: anyone may call; a good <c>?key=</c> tells for which workspace.</summary>
internal sealed record OptionalKey;

/// <summary>
/// Where requests go: every RPC of the services by REST and gRPC as its descriptor says, and the few paths that are no RPC.
/// </summary>
internal sealed class RouteTable
{
    /// <summary>The services behind the gateway, in the order of the funnel.</summary>
    public static readonly IReadOnlyList<string> Services = ["capture", "scoring", "nurture", "conversion", "retention"];

    private static readonly string[] IngestServices = ["lifecycle.capture.v1.IngestService", "lifecycle.capture.v1.ReportService"];

    private readonly Dictionary<string, object[]> metadata = [];
    private readonly List<RouteConfig> routes = [];

    public RouteTable(GatewayOptions options)
    {
        foreach (var method in Methods.Where(method => Services.Contains(Owner(method.Descriptor.Service))))
        {
            var timeout = method.Descriptor.IsClientStreaming || method.Descriptor.IsServerStreaming
                ? (TimeSpan?)null
                : TimeSpan.FromSeconds(options.RequestSeconds);
            var owner = Owner(method.Descriptor.Service);
            Add(owner, "POST", method.FullName, timeout, Metadata(method));
            if (method.Rest is { } rest)
            {
                Add(owner, rest.Verb, rest.Path, timeout, Metadata(method));
            }
        }

        foreach (var extra in ExtraRoutes.All)
        {
            Add(extra.Service, extra.Verb, extra.Path, TimeSpan.FromSeconds(options.RequestSeconds), extra.Metadata);
        }
    }

    /// <summary>Every RPC that may be reached from outside, the gateway's own among them.</summary>
    public static IReadOnlyList<RpcMethod> Methods { get; } = Assembly.Load("Lifecycle.Protos").GetExportedTypes()
        .Where(type => type.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
        .OfType<FileDescriptor>()
        .SelectMany(file => file.Services)
        .SelectMany(RpcMethod.Of)
        .Where(method => method.IsExposed)
        .OrderBy(method => method.FullName, StringComparer.Ordinal)
        .ToArray();

    public IReadOnlyList<RouteConfig> Routes => routes;

    /// <summary>The third word of the package, e.g. <c>scoring</c>; the metrics that all serve are the gateway's to forward.</summary>
    public static string Owner(Google.Protobuf.Reflection.ServiceDescriptor service) =>
        service.File.Package.Split('.') is ["lifecycle", var owner, ..] && owner != "common" ? owner : "gateway";

    public void Describe(IEndpointConventionBuilder endpoint, RouteConfig route) => endpoint.WithMetadata(metadata[route.RouteId]);

    /// <summary>The replicas of each service, from <c>services:{name}:grpc:{n}</c>.</summary>
    /// <exception cref="InvalidOperationException">A service has no address.</exception>
    public static IReadOnlyList<ClusterConfig> Clusters(IConfiguration configuration) => Services.Select(service => new ClusterConfig
    {
        ClusterId = service,
        LoadBalancingPolicy = "PowerOfTwoChoices",
        // A replica that fails is left alone for a moment, unless all do.
        HealthCheck = new()
        {
            Passive = new() { Enabled = true, Policy = "TransportFailureRate", ReactivationPeriod = TimeSpan.FromSeconds(5) },
            AvailableDestinationsPolicy = "HealthyOrPanic"
        },
        HttpClient = new() { EnableMultipleHttp2Connections = true },
        // Longer than the heartbeat of any stream.
        HttpRequest = new()
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            ActivityTimeout = TimeSpan.FromMinutes(10)
        },
        Destinations = configuration.GetSection($"services:{service}:grpc").GetChildren().ToDictionary(
            child => child.Key, child => new DestinationConfig { Address = child.Value! }) is { Count: > 0 } destinations
                ? destinations
                : throw new InvalidOperationException($"services:{service}:grpc:0 is not configured: the address of {service}."),
    }).ToArray();

    private static object[] Metadata(RpcMethod method)
    {
        object access = method.IsPublic ? new PublicEndpoint() : new RpcAccess(method.Scope);
        return IngestServices.Contains(method.Descriptor.Service.FullName) ? [access, method, new IngestEndpoint()] : [access, method];
    }

    private void Add(string service, string verb, string path, TimeSpan? timeout, object[] endpointMetadata)
    {
        var id = $"{verb} {path}";
        metadata.Add(id, endpointMetadata);
        routes.Add(new RouteConfig
        {
            RouteId = id,
            ClusterId = service,
            Match = new() { Path = path, Methods = verb.Split(',') },
            Timeout = timeout,
            TimeoutPolicy = timeout is null ? "Disable" : null,
        });
    }
}
