namespace Lifecycle.Retention.Domain;

/// <summary>Where referral links may lead.</summary>
public static class LandingPages
{
    private const int MaxLength = 2000;

    private static readonly string[] Own = [ReferralCodes.Name, "utm_source", "utm_medium", "utm_campaign"];

    /// <summary>An absolute http or https address without user name or password; null for anything else.</summary>
    public static Uri? Parse(string text) =>
        text.Length <= MaxLength && Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
        && address.UserInfo.Length == 0
        && address.Host.Length > 0
            ? address
            : null;

    /// <summary>
    /// Whether the address lies at or below one of the roots: same scheme, host and port, and a path that begins with whole segments of the
    /// root's.
    /// </summary>
    public static bool IsAllowed(Uri address, IEnumerable<string> roots) => roots.Select(Parse).Any(root => root is not null
        && root.Scheme == address.Scheme && root.IdnHost.Equals(address.IdnHost, StringComparison.OrdinalIgnoreCase)
        && root.Port == address.Port
        && IsBelow(address.AbsolutePath, root.AbsolutePath));

    /// <summary>The landing page with the code and the UTM parameters, which replace any of the same name.</summary>
    public static Uri Target(Uri landing, string code, string source, string program)
    {
        var kept = landing.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Where(pair => !Own.Contains(pair.Split('=')[0], StringComparer.OrdinalIgnoreCase));
        string[] values = [code, source, "referral", program];
        return new UriBuilder(landing)
        {
            Query = string.Join('&', kept.Concat(Own.Zip(values, (name, value) => $"{name}={Uri.EscapeDataString(value)}")))
        }.Uri;
    }

    private static bool IsBelow(string path, string root)
    {
        var folder = root.TrimEnd('/');
        return path.StartsWith(folder, StringComparison.Ordinal) && (path.Length == folder.Length || path[folder.Length] == '/');
    }
}
