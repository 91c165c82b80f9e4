using System.Collections.Frozen;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Lifecycle.Rpc;

/// <summary>On whose behalf a call is made.</summary>
/// <param name="WorkspaceId">Workspace of the key; <see cref="Guid.Empty"/> for the bootstrap administrator, who belongs to none.</param>
/// <param name="TimeZone">Time zone of the workspace, in which report periods are cut.</param>
/// <param name="CurrencyCode">ISO 4217 code in which reports are told.</param>
/// <param name="Actor">Who acts, for histories: <c>key:&lt;id&gt;</c>, <c>service:&lt;name&gt;</c> or <c>admin</c>.</param>
/// <param name="Scopes">What the key may do, e.g. <c>capture:read</c>.</param>
public sealed record Caller(Guid WorkspaceId, TimeZoneInfo TimeZone, string CurrencyCode, string Actor, IReadOnlySet<string> Scopes)
{
    /// <summary>The scope that opens every method.</summary>
    public const string Admin = "admin";

    /// <summary>Whether the caller carries the scope, or <see cref="Admin"/>.</summary>
    public bool HasScope(string scope) => Scopes.Contains(scope) || Scopes.Contains(Admin);

    /// <summary>A service acting by itself (a consumer, a job) in one workspace, with every right in it.</summary>
    /// <param name="service">Name of the acting service, e.g. <c>conversion</c>.</param>
    /// <param name="workspaceId">Workspace.</param>
    /// <param name="timeZone">Time zone of the workspace; UTC where it does not matter.</param>
    /// <param name="currencyCode">Currency of the workspace; may be empty where it does not matter.</param>
    public static Caller Service(string service, Guid workspaceId, TimeZoneInfo? timeZone = null, string currencyCode = "") =>
        new(workspaceId, timeZone ?? TimeZoneInfo.Utc, currencyCode, $"service:{service}", FrozenSet.Create(StringComparer.Ordinal, Admin));
}

/// <summary>The verified caller of the current call.</summary>
public static class CallerExtensions
{
    /// <exception cref="InvalidOperationException">The endpoint is public: there is no caller.</exception>
    public static Caller Caller(this ServerCallContext context) => context.GetHttpContext().Caller();

    /// <exception cref="InvalidOperationException">The endpoint is public: there is no caller.</exception>
    public static Caller Caller(this HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("A public endpoint has no caller.");

    /// <summary>Sets the caller of a request; for the gateway, which verifies keys instead of tokens.</summary>
    public static void SetCaller(this HttpContext context, Caller caller) => context.Features.Set(caller);
}
