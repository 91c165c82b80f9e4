namespace Lifecycle.Capture.Domain.Channels;

/// <summary>What a message says of its page and campaign.</summary>
/// <param name="Url">Page, absolute.</param>
/// <param name="Referrer">Page before, absolute.</param>
/// <param name="Source">context.campaign.source; wins over the URL's utm_source, as the others do.</param>
public sealed record PageContext(string? Url, string? Referrer, string? Source, string? Medium, string? Campaign, string? Keyword)
{
    public static readonly PageContext Empty = new(null, null, null, null, null, null);
}

/// <summary>
/// Derives where an activity's visitor came from. Precedence: explicit campaign (context.campaign, then the URL's utm parameters), click id,
/// referrer, direct. What an explicit campaign leaves open is filled from the next evidence.
/// </summary>
public sealed class SourceReader(ChannelRules rules, ChannelClassifier classifier, IReadOnlySet<string> excludedReferrers)
{
    private const int MaxText = 200;

    /// <summary>With the rules this build ships and no excluded referrers.</summary>
    public static SourceReader Default { get; } = new(ChannelRules.Default, ChannelClassifier.Default, new HashSet<string>());

    public TrafficSource Read(PageContext context)
    {
        Uri.TryCreate(context.Url, UriKind.Absolute, out var page);
        var query = ReadQuery(page);
        var source = Lower(context.Source ?? query.GetValueOrDefault("utm_source"));
        var medium = Lower(context.Medium ?? query.GetValueOrDefault("utm_medium"));
        var campaign = Text(context.Campaign ?? query.GetValueOrDefault("utm_campaign"));
        var keyword = Text(context.Keyword ?? query.GetValueOrDefault("utm_term"));
        var click = rules.ClickIds.FirstOrDefault(rule => query.ContainsKey(rule.Name));
        var clickId = click is null ? null : Text($"{click.Name}:{query[click.Name]}");
        var referral = ReadReferrer(context.Referrer, page);

        var explicitly = source is not null || medium is not null || campaign is not null;
        if (!explicitly && click is null)
        {
            return referral is { } by
                ? Make(EvidenceKind.Referrer, by.Source, by.Medium, null, keyword, null)
                : page is null ? TrafficSource.None : TrafficSource.Direct;
        }

        if (source is null)
        {
            var unpaid = click is { Medium: "referral" };
            var next = click is null || (unpaid && referral is not null) ? referral : (click.Source, click.Medium);
            source = next?.Source;
            medium ??= next?.Medium;
        }

        return Make(EvidenceKind.Campaign, source, medium, campaign, keyword, clickId);
    }

    private TrafficSource Make(EvidenceKind kind, string? source, string? medium, string? campaign, string? keyword, string? clickId) =>
        new(kind, classifier.Classify(source, medium, campaign), source, medium, campaign, keyword, clickId);

    private (string Source, string Medium)? ReadReferrer(string? referrer, Uri? page)
    {
        if (!Uri.TryCreate(referrer, UriKind.Absolute, out var from) || from.Host.Length == 0)
        {
            return null;
        }

        var host = Bare(from.Host);
        if (from.Scheme == "android-app")
        {
            host = rules.OfApplication(host) ?? host;
        }
        else if (from.Scheme is not ("http" or "https"))
        {
            return null;
        }

        if (IsOwn(host, page) || excludedReferrers.Contains(host) || excludedReferrers.Contains(ChannelRules.RegisteredName(host)))
        {
            return null;
        }

        return rules.OfHost(host) switch
        {
            (SiteCategory.Search, var site) => (ChannelRules.RegisteredName(site).Split('.')[0], "organic"),
            (SiteCategory.Mail, _) => (host, "email"),
            (SiteCategory.Excluded, _) or null => (host, "referral"),
            (_, var site) => (site, "referral"),
        };
    }

    private static bool IsOwn(string host, Uri? page) =>
        page is not null && page.Host.Length > 0
        && (host == Bare(page.Host) || (page.HostNameType == UriHostNameType.Dns
            && ChannelRules.RegisteredName(host) == ChannelRules.RegisteredName(Bare(page.Host)) && host.Contains('.', StringComparison.Ordinal)));

    private static string Bare(string host)
    {
        var lower = host.ToLowerInvariant().TrimEnd('.');
        return lower.StartsWith("www.", StringComparison.Ordinal) ? lower[4..] : lower;
    }

    private static Dictionary<string, string> ReadQuery(Uri? page)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in page?.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            var split = part.IndexOf('=', StringComparison.Ordinal);
            if (split > 0 && split < part.Length - 1)
            {
                found.TryAdd(part[..split], Uri.UnescapeDataString(part[(split + 1)..].Replace('+', ' ')));
            }
        }

        return found;
    }

    private static string? Lower(string? text) => Text(text)?.ToLowerInvariant();

    private static string? Text(string? text) => Texts.Clip(text, MaxText);
}
