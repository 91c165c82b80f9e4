namespace Lifecycle.Nurture.Domain.Engagements;

/// <summary>What happened to a mail.</summary>
public enum EngagementKind
{
    Open = 1,
    Click = 2,
    Unsubscribe = 3,
    Bounce = 4,
}

/// <summary>Who did it.</summary>
public enum Classification
{
    Human = 1,

    /// <summary>Perhaps a machine: kept apart, never scored.</summary>
    Suspect = 2,

    /// <summary>A machine: kept apart, never scored.</summary>
    Bot = 3,
}

/// <summary>One request for a pixel or link.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="UserAgent">Header as it came.</param>
/// <param name="Client">What tells one client from another, e.g. a hash of its address.</param>
/// <param name="LinkIndex">Link followed; null for the pixel.</param>
/// <param name="IsHoneypot">The link that no person sees.</param>
public sealed record Hit(
    EngagementKind Kind, DateTimeOffset Time, string Method, string? UserAgent, string? Client, int? LinkIndex, bool IsHoneypot);

/// <summary>Limits of the rules.</summary>
/// <param name="FastClick">A click sooner than this after the sending is a machine's.</param>
/// <param name="Burst">Following every link of a mail within this time is a machine's way.</param>
public sealed record ClassifierRules(TimeSpan FastClick, TimeSpan Burst);

/// <summary>Who did it and why we think so.</summary>
/// <param name="Reason">E.g. <c>USER_AGENT_SCANNER</c>; for people <c>NO_SIGN_OF_A_MACHINE</c> or <c>IMAGE_PROXY</c>.</param>
public readonly record struct Verdict(Classification Classification, string Reason);

/// <summary>
/// Tells people from security gateways and prefetchers by what both cannot help showing: who they say they are, how fast they come, and
/// where they click. The first rule that fits decides.
/// </summary>
public static class EngagementClassifier
{
    /// <summary>Who followed the hidden link is a machine in what it does this long around, too.</summary>
    private static readonly TimeSpan HoneypotReach = TimeSpan.FromMinutes(5);

    /// <summary>Proxies that load images when a person opens the mail.</summary>
    private static readonly string[] ImageProxies = ["GoogleImageProxy", "YahooMailProxy", "ggpht.com", "DuckDuckGo-Image-Proxy"];

    private static readonly string[] Scanners =
    [
        "barracuda", "mimecast", "proofpoint", "urldefense", "safelinks", "messagelabs", "symantec", "forcepoint", "fireeye", "trendmicro",
        "trend micro", "sophos", "cisco", "ironport", "zscaler", "fortiguard", "fortinet", "checkpoint", "bitdefender",
        "kaspersky", "mailscanner", "virustotal", "urlscan", "skypeuripreview", "slackbot", "facebookexternalhit", "twitterbot",
        "linkedinbot", "whatsapp", "telegrambot", "discordbot",
    ];

    private static readonly string[] Programs =
    [
        "bot/", "bot;", "bot)", "+http", "crawl", "spider", "headless", "phantomjs", "curl/", "wget", "python", "aiohttp", "httpx",
        "go-http-client", "java/", "apache-httpclient", "okhttp", "libwww", "perl", "ruby", "node-fetch", "axios", "undici", "postman",
        "scanner", "preview", "prefetch", "monitor",
    ];

    /// <summary>Judges one hit.</summary>
    /// <param name="hit">The hit.</param>
    /// <param name="sentAt">When the mail server took the mail.</param>
    /// <param name="others">Every other hit on the same mail.</param>
    /// <param name="linkCount">Links that the mail has.</param>
    /// <param name="rules">Limits.</param>
    public static Verdict Classify(Hit hit, DateTimeOffset sentAt, IReadOnlyCollection<Hit> others, int linkCount, ClassifierRules rules)
    {
        if (hit.IsHoneypot)
        {
            return new(Classification.Bot, "HONEYPOT");
        }

        if (hit.Method is not ("GET" or "POST"))
        {
            return new(Classification.Bot, "METHOD");
        }

        if (string.IsNullOrWhiteSpace(hit.UserAgent))
        {
            return new(Classification.Bot, "NO_USER_AGENT");
        }

        if (Contains(hit.UserAgent, ImageProxies))
        {
            return hit.Kind == EngagementKind.Open ? new(Classification.Human, "IMAGE_PROXY") : new(Classification.Bot, "USER_AGENT_PROXY");
        }

        if (Contains(hit.UserAgent, Scanners))
        {
            return new(Classification.Bot, "USER_AGENT_SCANNER");
        }

        if (Contains(hit.UserAgent, Programs))
        {
            return new(Classification.Bot, "USER_AGENT_PROGRAM");
        }

        if (others.Any(other =>
            other.IsHoneypot && other.Client == hit.Client && other.UserAgent == hit.UserAgent && IsNear(other, hit, HoneypotReach)))
        {
            return new(Classification.Bot, "HONEYPOT");
        }

        if (hit.Kind == EngagementKind.Open)
        {
            // Apple's privacy proxy loads every image of every mail under this bare name, read or not.
            return hit.UserAgent.Trim() == "Mozilla/5.0" ? new(Classification.Suspect, "PRIVACY_PROXY") : People;
        }

        if (hit.Time - sentAt < rules.FastClick)
        {
            return new(Classification.Suspect, "FAST_CLICK");
        }

        var burst = others.Where(other => other is { Kind: EngagementKind.Click, IsHoneypot: false } && IsNear(other, hit, rules.Burst))
            .Select(other => other.LinkIndex).Append(hit.LinkIndex).Distinct().Count();
        return linkCount >= 2 && burst >= linkCount ? new(Classification.Suspect, "ALL_LINKS") : People;
    }

    private static Verdict People => new(Classification.Human, "NO_SIGN_OF_A_MACHINE");

    private static bool IsNear(Hit one, Hit other, TimeSpan limit) => (one.Time - other.Time).Duration() <= limit;

    private static bool Contains(string userAgent, string[] names) =>
        Array.Exists(names, name => userAgent.Contains(name, StringComparison.OrdinalIgnoreCase));
}
