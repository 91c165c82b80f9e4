namespace Lifecycle.Retention.Domain;

/// <summary>
/// Tells people from programs that follow links, by what these say they are. What hides is found by Capture, which sees the visit.
/// </summary>
public static class Visitors
{
    private static readonly string[] Signs =
    [
        "bot", "crawl", "spider", "preview", "scan", "monitor", "fetch", "headless", "curl/", "wget", "python", "java/",
        "okhttp", "go-http", "libwww", "facebookexternalhit", "whatsapp", "slack", "axios", "node", "http-client",
        "httpclient", "postman", "phantom",
    ];

    /// <summary>Whether a click is a program's: a request for the head alone, a prefetch, no user agent, or one that says so.</summary>
    /// <param name="method">HTTP method.</param>
    /// <param name="userAgent">Header as it came.</param>
    /// <param name="purpose">Header <c>Sec-Purpose</c> or <c>Purpose</c> as it came.</param>
    public static bool IsProgram(string method, string? userAgent, string? purpose) =>
        method != "GET" || string.IsNullOrWhiteSpace(userAgent) || purpose?.Contains("prefetch", StringComparison.OrdinalIgnoreCase) == true
        || purpose?.Contains("preview", StringComparison.OrdinalIgnoreCase) == true
        || Signs.Any(sign => userAgent.Contains(sign, StringComparison.OrdinalIgnoreCase));
}
