using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Lifecycle.Kernel;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Lifecycle.Rpc;

/// <summary>The secret that the gateway and the services share; section <c>Lifecycle</c>.</summary>
public sealed class IdentityOptions : IValidatableObject
{
    /// <summary>Key of the internal identity token: base64 of at least 32 bytes.</summary>
    public string IdentitySecret { get; set; } = "";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var buffer = new byte[IdentitySecret.Length];
        if (!Convert.TryFromBase64String(IdentitySecret, buffer, out var length) || length < 32)
        {
            yield return new(
                "Lifecycle:IdentitySecret must be base64 of at least 32 bytes, the same in the gateway and every service.",
                [nameof(IdentitySecret)]);
        }
    }
}

/// <summary>
/// Issues and verifies the token that tells a service who calls: a JWT (RFC 7519) signed by HS256, good for 60 s, audience
/// <c>lifecycle</c>, claims <c>ws</c> (workspace id), <c>tz</c> (IANA zone), <c>cur</c> (currency), <c>scopes</c> (space-separated) and
/// <c>act</c> (actor).
/// </summary>
public sealed class IdentityToken(IOptions<IdentityOptions> options, TimeProvider time)
{
    /// <summary>Header that carries the token.</summary>
    public const string Header = "x-lifecycle-identity";

    /// <summary>How long a token is good for.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    private const string Audience = "lifecycle";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    /// <summary>Tokens remembered; the oldest of a busy gateway's are seconds old, so beginning anew costs little.</summary>
    private const int MaxVerified = 4096;

    private readonly ConcurrentDictionary<string, Verified> verified = new(StringComparer.Ordinal);
    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false, SetDefaultTimesOnTokenCreation = false };
    private readonly Lazy<SymmetricSecurityKey> key = new(() => new(Convert.FromBase64String(options.Value.IdentitySecret)));

    /// <summary>A token that is good for <see cref="Lifetime"/> from now.</summary>
    public string Issue(Caller caller)
    {
        var now = time.GetUtcNow();
        return handler.CreateToken(new SecurityTokenDescriptor
        {
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            Expires = (now + Lifetime).UtcDateTime,
            SigningCredentials = new(key.Value, SecurityAlgorithms.HmacSha256),
            Claims = new Dictionary<string, object>
            {
                ["ws"] = caller.WorkspaceId.ToString(),
                ["tz"] = caller.TimeZone.Id,
                ["cur"] = caller.CurrencyCode,
                ["scopes"] = string.Join(' ', caller.Scopes),
                ["act"] = caller.Actor,
            },
        });
    }

    /// <summary>The caller that the token names; UNAUTHENTICATED for one that is forged, stale or incomplete.</summary>
    public Result<Caller> Verify(string token)
    {
        // The gateway sends a token with many requests. What it named stays true until it ends.
        if (verified.TryGetValue(token, out var known))
        {
            return time.GetUtcNow().UtcDateTime < known.End + ClockSkew ? known.Caller : Refused;
        }

        var result = Validate(token, out var end);
        if (result.TryGet(out var caller, out _))
        {
            if (verified.Count >= MaxVerified)
            {
                verified.Clear();
            }

            verified[token] = new(caller, end);
        }

        return result;
    }

    private Result<Caller> Validate(string token, out DateTime end)
    {
        // With a key at hand validation completes synchronously.
        var validated = handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = key.Value,
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            ValidAudience = Audience,
            ValidateIssuer = false,
            LifetimeValidator = IsCurrent,
        }).GetAwaiter().GetResult();
        var claims = validated.ClaimsIdentity;
        end = validated.SecurityToken?.ValidTo ?? default;
        return validated.IsValid
            && Guid.TryParse(Claim(claims, "ws"), out var workspaceId)
            && TimeZoneInfo.TryFindSystemTimeZoneById(Claim(claims, "tz"), out var timeZone)
                ? new Caller(
                    workspaceId,
                    timeZone,
                    Claim(claims, "cur"),
                    Claim(claims, "act"),
                    Claim(claims, "scopes").Split(' ', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal))
                : Refused;
    }

    private bool IsCurrent(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return expires is { } end && now < end + ClockSkew && (notBefore is null || notBefore <= now + ClockSkew);
    }

    private static Error Refused { get; } = new(ErrorKind.Unauthenticated, "The identity token does not verify.");

    private static string Claim(ClaimsIdentity claims, string type) => claims.FindFirst(type)?.Value ?? "";

    private sealed record Verified(Caller Caller, DateTime End);
}
