using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;

namespace Lifecycle.Rpc;

/// <summary>Endpoint metadata: what a caller needs to pass.</summary>
/// <param name="Scope">Scope that the key must carry; empty: any verified caller.</param>
public sealed record RpcAccess(string Scope);

/// <summary>Endpoint metadata: anyone may call.</summary>
public sealed record PublicEndpoint : IAllowAnonymous;

/// <summary>Access to endpoints that are no RPC. Those that say neither are refused.</summary>
public static class RpcAccessExtensions
{
    /// <summary>The caller's key must carry the scope, e.g. <c>capture:write</c>.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RpcAccess(scope));

    /// <summary>Anyone may call.</summary>
    public static TBuilder AllowPublic<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new PublicEndpoint());
}
