using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Testing;

/// <summary>Tokens as the gateway issues them, for calling a service directly.</summary>
public static class IdentityTokens
{
    /// <summary>Value of <c>Lifecycle__IdentitySecret</c> in tests.</summary>
    public static readonly string Secret = Convert.ToBase64String("the secret of the integration tests"u8);

    private static readonly IdentityToken Issuer = new(Options.Create(new IdentityOptions { IdentitySecret = Secret }), new Ahead());

    /// <summary>
    /// A token good for a quarter of an hour: longer than the gateway's, since a test may hold one for as long as it runs.
    /// </summary>
    /// <param name="workspaceId">The caller's workspace.</param>
    /// <param name="scopes">E.g. <c>scoring:read</c>; none given: <c>admin</c>, which opens all of the workspace.</param>
    public static string Issue(Guid workspaceId, params string[] scopes) => Issue(workspaceId, "UTC", "USD", scopes);

    /// <param name="workspaceId">The caller's workspace.</param>
    /// <param name="timeZone">IANA name.</param>
    /// <param name="currencyCode">ISO 4217.</param>
    /// <param name="scopes">As above.</param>
    public static string Issue(Guid workspaceId, string timeZone, string currencyCode, params string[] scopes) =>
        Issuer.Issue(new Caller(
            workspaceId, TimeZoneInfo.FindSystemTimeZoneById(timeZone), currencyCode, "key:test",
            (scopes.Length == 0 ? ["admin"] : scopes).ToHashSet(StringComparer.Ordinal)));

    private sealed class Ahead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromMinutes(15) - IdentityToken.Lifetime;
    }
}
