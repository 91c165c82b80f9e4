namespace Lifecycle.Capture.Domain.Messages;

/// <summary>What the headers of a request say of its sender; each is null where the header is absent.</summary>
/// <param name="UserAgent">User-Agent.</param>
/// <param name="AcceptLanguage">Accept-Language.</param>
/// <param name="Purpose">Sec-Purpose, else the older Purpose, X-Purpose or X-Moz.</param>
/// <param name="From">From: the address that well-behaved crawlers give.</param>
public sealed record SenderHeaders(string? UserAgent, string? AcceptLanguage, string? Purpose, string? From)
{
    public static readonly SenderHeaders None = new(null, null, null, null);
}

/// <summary>
/// Tells by a request's headers what no person sent: pages that a browser loads ahead, crawlers that say whose they are, and scripts that
/// pretend to be a browser. Only a sender that calls itself a browser is judged: a server that reports for others is none.
/// </summary>
public static class BotSignals
{
    /// <summary>Name for what a browser loads ahead of a visit that may never come.</summary>
    public const string Prefetch = "prefetch";

    /// <summary>Name for a browser that speaks no language: every real one says which its user reads.</summary>
    public const string NoLanguage = "no-accept-language";

    /// <summary>The robot's name, or null.</summary>
    /// <param name="headers">Headers of the request.</param>
    /// <param name="requireLanguage">Whether a browser without Accept-Language is one.</param>
    public static string? Find(SenderHeaders headers, bool requireLanguage)
    {
        if (headers.Purpose is { } purpose && (Says(purpose, "prefetch") || Says(purpose, "prerender") || Says(purpose, "preview")))
        {
            return Prefetch;
        }

        if (Browser(headers) is null)
        {
            return null;
        }

        return Bots.Find(headers.From?.Split('@', '(')[0])
            ?? (requireLanguage && string.IsNullOrWhiteSpace(headers.AcceptLanguage) ? NoLanguage : null);
    }

    /// <summary>
    /// User agent of a sender that calls itself a browser, null for any other: it stands for the visitor's in messages that do not say one
    /// themselves.
    /// </summary>
    public static string? Browser(SenderHeaders headers) =>
        headers.UserAgent?.StartsWith("Mozilla/", StringComparison.Ordinal) is true ? headers.UserAgent : null;

    private static bool Says(string purpose, string word) => purpose.Contains(word, StringComparison.OrdinalIgnoreCase);
}
