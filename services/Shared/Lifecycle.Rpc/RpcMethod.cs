using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Lifecycle.Common.V1;
using Rule = Lifecycle.Common.V1.Rpc;

namespace Lifecycle.Rpc;

/// <summary>How a method is reached over REST.</summary>
/// <param name="Verb">GET, POST, PUT, PATCH or DELETE.</param>
/// <param name="Path">Path template, e.g. <c>/v1/leads/{id}:export</c>.</param>
/// <param name="Body"><c>*</c>, a field's proto name, or empty.</param>
public sealed record RestBinding(string Verb, string Path, string Body);

/// <summary>One method of a service, with what its <c>(lifecycle.common.v1.rpc)</c> option says.</summary>
public sealed class RpcMethod
{
    private RpcMethod(MethodDescriptor descriptor)
    {
        Descriptor = descriptor;
        var rule = descriptor.GetOptions()?.GetExtension(RpcExtensions.Rpc);
        IsExposed = rule is not null;
        Scope = rule?.Scope ?? "";
        IsPublic = rule?.Public ?? false;
        Csv = rule?.Csv ?? "";
        TakesLargeBody = rule?.Large ?? false;
        Media = rule?.Media ?? "";
        Rest = rule?.PatternCase switch
        {
            Rule.PatternOneofCase.Get => new("GET", rule.Get, rule.Body),
            Rule.PatternOneofCase.Post => new("POST", rule.Post, rule.Body),
            Rule.PatternOneofCase.Put => new("PUT", rule.Put, rule.Body),
            Rule.PatternOneofCase.Patch => new("PATCH", rule.Patch, rule.Body),
            Rule.PatternOneofCase.Delete => new("DELETE", rule.Delete, rule.Body),
            _ => null,
        };
    }

    public MethodDescriptor Descriptor { get; }

    /// <summary>As gRPC calls it: <c>/lifecycle.scoring.v1.ScoringService/GetScore</c>.</summary>
    public string FullName => $"/{Descriptor.Service.FullName}/{Descriptor.Name}";

    /// <summary>Whether it has the option at all; one without is for calls between services only.</summary>
    public bool IsExposed { get; }

    /// <summary>REST binding; null for a method that is reached by gRPC only.</summary>
    public RestBinding? Rest { get; }

    /// <summary>Scope needed; empty: any verified caller.</summary>
    public string Scope { get; }

    /// <summary>Callable without a key.</summary>
    public bool IsPublic { get; }

    /// <summary>The field whose messages <c>Accept: text/csv</c> gives as rows; empty: JSON only.</summary>
    public string Csv { get; }

    /// <summary>Content type that an upload takes; empty: CSV and NDJSON.</summary>
    public string Media { get; }

    /// <summary>Takes bodies as large as ingest does.</summary>
    public bool TakesLargeBody { get; }

    internal object AccessMetadata => IsPublic ? new PublicEndpoint() : new RpcAccess(Scope);

    /// <summary>Methods of a service as its descriptor lists them.</summary>
    public static IEnumerable<RpcMethod> Of(ServiceDescriptor service) => service.Methods.Select(method => new RpcMethod(method));

    /// <summary>Methods of the service that a class implements.</summary>
    /// <exception cref="ArgumentException">The class derives from no generated service base.</exception>
    public static IEnumerable<RpcMethod> Of(Type implementation) => Of(DescriptorOf(implementation));

    private static ServiceDescriptor DescriptorOf(Type implementation)
    {
        for (var type = implementation; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } bind)
            {
                return (ServiceDescriptor)bind.BindType.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)!
                    .GetValue(null)!;
            }
        }

        throw new ArgumentException($"{implementation} derives from no generated gRPC service base.", nameof(implementation));
    }
}
