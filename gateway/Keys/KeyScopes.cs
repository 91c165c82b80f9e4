using System.Collections.Frozen;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Gateway.Keys;

/// <summary>What keys may be allowed to do.</summary>
public static class KeyScopes
{
    /// <summary>The one scope of a publishable key, which opens ingest only.</summary>
    public const string Ingest = "capture:write";

    public static readonly IReadOnlyList<string> Known =
    [
        "capture:write", "capture:read", "scoring:write", "scoring:read", "nurture:write", "nurture:read",
        "conversion:write", "conversion:read", "retention:write", "retention:read", "metrics:read", Caller.Admin,
    ];

    private static readonly FrozenSet<string> Set = Known.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The scopes to keep: each once, in the order of <see cref="Known"/>.</summary>
    public static string[] Check(IReadOnlyList<string> scopes, bool isPublishable, Violations violations)
    {
        for (var index = 0; index < scopes.Count; index++)
        {
            violations.Require(
                Set.Contains(scopes[index]), $"scopes[{index}]", $"{scopes[index]} is no scope; known: {string.Join(", ", Known)}.");
        }

        if (isPublishable)
        {
            violations.Require(
                scopes.All(scope => scope == Ingest || !Set.Contains(scope)), "scopes", $"A publishable key may have {Ingest} only.");
            return [Ingest];
        }

        violations.Require(scopes.Count > 0, "scopes", $"scopes is required; known: {string.Join(", ", Known)}.");
        return Known.Where(scopes.Contains).ToArray();
    }
}
