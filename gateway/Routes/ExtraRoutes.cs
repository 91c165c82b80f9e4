using Lifecycle.Gateway.Keys;
using Lifecycle.Rpc;

namespace Lifecycle.Gateway.Routes;

/// <summary>A path of a service that is no RPC.</summary>
/// <param name="Service">Service behind it.</param>
/// <param name="Verb">Verbs, by commas.</param>
/// <param name="Path">Path template.</param>
/// <param name="Metadata">Access.</param>
internal sealed record ExtraRoute(string Service, string Verb, string Path, object[] Metadata);

/// <summary>What is served beside the RPCs: Segment's ingest, the tracking script and pixel, the links in e-mails and surveys.</summary>
internal static class ExtraRoutes
{
    private static readonly object[] Ingest = [new RpcAccess(KeyScopes.Ingest), new IngestEndpoint()];
    private static readonly object[] Public = [new PublicEndpoint()];

    public static IReadOnlyList<ExtraRoute> All { get; } =
    [
        .. new[] { "batch", "identify", "track", "page", "screen", "group", "alias" }.Select(name => new ExtraRoute("capture", "POST", $"/v1/{name}", Ingest)),
        new("capture", "GET,HEAD", "/t.js", Public),
        new("capture", "GET", "/t.gif", Ingest),
        new("nurture", "GET,HEAD", "/e/o/{token}", Public),
        new("nurture", "GET,HEAD", "/e/c/{token}", Public),
        new("nurture", "GET,HEAD,POST", "/e/u/{token}", Public),
        new("retention", "GET,HEAD,POST", "/s/{token}", Public),
    ];
}
