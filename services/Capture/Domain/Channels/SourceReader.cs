namespace Lifecycle.Capture.Domain.Channels;

/// <summary>What a message says of its page and campaign.</summary>
/// <param name="Url">Page, absolute.</param>
/// <param name="Referrer">Page before, absolute.</param>
/// <param name="Source">context.campaign.source; wins over the URL's utm_source, as the others do.</param>
public sealed record PageContext(string? Url, string? Referrer, string? Source, string? Medium, string? Campaign, string? Keyword)
{
    private const int MaxStoredUrl = 2048;

    public static readonly PageContext Empty = new(null, null, null, null, null, null);

    /// <summary>
    /// The page's address as it is kept: without its fragment, unless that is a route, as in #/pricing or #!pricing, which says which page
    /// it is; at most 2,048 characters.
    /// </summary>
    public static string? Stored(string? url) =>
        Texts.Clip(
            url?.Split('#', 2) is [var page, var fragment] && !fragment.StartsWith('/') && !fragment.StartsWith('!') ? page : url,
            MaxStoredUrl);
}

/// <summary>
/// Derives where an activity's visitor came from. Precedence: explicit campaign (context.campaign, then the URL's utm parameters), click
/// id, referrer, direct. What an explicit campaign leaves open is filled from the next evidence.
/// </summary>
public sealed class SourceReader
{
    private const int MaxText = 200;

    private static readonly Dictionary<string, string> NoParameters = [];

    private readonly ChannelRules rules;
    private readonly HostTable<bool> own;
    private readonly HostTable<bool> excluded;
    private readonly bool paymentAndLoginExcluded;
    private readonly TrafficSource none;
    private readonly TrafficSource direct;

    internal SourceReader(
        ChannelRules rules, ChannelClassifier classifier, HostTable<bool> own, HostTable<bool> excluded,
        bool paymentAndLoginExcluded, string version)
    {
        (this.rules, this.own, this.excluded, this.paymentAndLoginExcluded) = (rules, own, excluded, paymentAndLoginExcluded);
        (Channels, Version) = (classifier, version);
        none = TrafficSource.None with { Rules = version };
        direct = TrafficSource.Direct with { Rules = version };
    }

    /// <summary>With the rules this build ships and settings that nobody has changed.</summary>
    public static SourceReader Default { get; } = ChannelSettings.Default.Compile(ChannelRules.Default).Value;

    /// <summary>Assigns channels.</summary>
    public ChannelClassifier Channels { get; }

    /// <summary>Version of the rules, <see cref="TrafficSource.Rules"/>.</summary>
    public string Version { get; }

    /// <summary>Reads what a message says. Never throws, whatever the text.</summary>
    public TrafficSource Read(PageContext context)
    {
        var page = HostName.OfAddress(context.Url)?.Host;
        var query = Parameters(context.Url);
        var source = Lower(context.Source) ?? Lower(query.GetValueOrDefault("utm_source"));
        var medium = Lower(context.Medium) ?? Lower(query.GetValueOrDefault("utm_medium"));
        var campaign = Word(context.Campaign) ?? Word(query.GetValueOrDefault("utm_campaign"));
        var keyword = Word(context.Keyword) ?? Word(query.GetValueOrDefault("utm_term"));
        var click = query.Count == 0 ? null : rules.ClickIds.FirstOrDefault(rule => Word(query.GetValueOrDefault(rule.Name)) is not null);
        var clickId = click is null ? null : Texts.Clip($"{click.Name}:{query[click.Name].Trim()}", MaxText);
        var host = ReferrerHost(context.Referrer, page);
        var referral = Referral(host, page);

        if (source is null && medium is null && campaign is null && click is null)
        {
            return referral is { } by
                ? Classified(
                    new(EvidenceKind.Referrer, "", by.Source, by.Medium, null, keyword ?? Searched(by.Engine, context.Referrer), null),
                    host, context.Url)
                : Unreferred(string.IsNullOrWhiteSpace(context.Url) ? none : direct, host, context.Url);
        }

        if (source is null)
        {
            var unpaid = click is { Medium: "referral" };
            var next = click is null || (unpaid && referral is not null)
                ? (referral?.Source, referral?.Medium)
                : (click.Source, click.Medium);
            source = next.Item1;
            medium ??= next.Item2;
        }

        return Classified(new(EvidenceKind.Campaign, "", source, medium, campaign, keyword, clickId), host, context.Url);
    }

    /// <summary>
    /// Reads again, by these rules, what was read before: referrers are looked up anew, the channel is assigned anew; what campaign
    /// parameters said stays as it is.
    /// </summary>
    /// <param name="stored">As it was read.</param>
    /// <param name="page">Address of the page.</param>
    public TrafficSource Reread(TrafficSource stored, string? page)
    {
        if (stored.Kind is EvidenceKind.Referrer or EvidenceKind.Direct && stored.ReferrerHost is { } host)
        {
            return Referral(host, HostName.OfAddress(page)?.Host) is { } by
                ? Classified(stored with { Kind = EvidenceKind.Referrer, Source = by.Source, Medium = by.Medium }, host, page)
                : Unreferred(direct, host, page);
        }

        return stored.Kind is EvidenceKind.Referrer or EvidenceKind.Campaign
            ? Classified(stored, stored.ReferrerHost, page)
            : Unreferred(stored.Kind == EvidenceKind.None ? none : direct, null, page);
    }

    private TrafficSource Classified(TrafficSource source, string? referrerHost, string? page)
    {
        var known = source with { ReferrerHost = referrerHost, Rules = Version };
        return known with { Channel = Channels.Classify(known.Facts(PageContext.Stored(page))) };
    }

    private TrafficSource Unreferred(TrafficSource source, string? referrerHost, string? page) =>
        Channels.HasCustomRules ? Classified(source, referrerHost, page)
            : referrerHost is null ? source : source with { ReferrerHost = referrerHost };

    // The page's own site is not kept: on most pages it is the referrer, and no rule makes a source of it.
    private string? ReferrerHost(string? referrer, string? page)
    {
        if (Word(referrer) is null || HostName.OfAddress(referrer) is not (var scheme, var host))
        {
            return null;
        }

        var site = scheme switch { "http" or "https" => host, "android-app" => rules.OfApplication(host) ?? host, _ => null };
        return site is not null && !SameSite(site, page) ? site : null;
    }

    private (string Source, string Medium, SearchEngine? Engine)? Referral(string? host, string? page)
    {
        if (host is null || SameSite(host, page) || own.Contains(host) || excluded.Contains(host)
            || (paymentAndLoginExcluded && rules.IsPaymentOrLogin(host)))
        {
            return null;
        }

        return rules.OfHost(host) switch
        {
            { Engine: { } engine } => (engine.Name, "organic", engine),
            { Category: SiteCategory.Mail } => (host, "email", null),
            { Category: SiteCategory.NotSearch } or null => (host, "referral", null),
            var known => (known.Value.Site, "referral", null),
        };
    }

    private bool SameSite(string host, string? page) =>
        page is not null
        && (host == page || (host.Contains('.', StringComparison.Ordinal) && !IsAddress(host)
            && rules.RegisteredName(host) == rules.RegisteredName(page)));

    private static bool IsAddress(string host) => char.IsAsciiDigit(host[^1]) || host[0] == '[';

    private static string? Searched(SearchEngine? engine, string? referrer)
    {
        if (engine is null)
        {
            return null;
        }

        var query = Parameters(referrer);
        return engine.Keywords.Select(name => Word(query.GetValueOrDefault(name))).FirstOrDefault(keyword => keyword is not null);
    }

    // Read from the text as it is: the address need not be a sound one. Single-page applications carry parameters behind the #, too.
    private static Dictionary<string, string> Parameters(string? url)
    {
        var start = url?.AsSpan().IndexOfAny('?', '#') ?? -1;
        if (start < 0)
        {
            return NoParameters;
        }

        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in url![(start + 1)..].Split(['&', '?', '#'], StringSplitOptions.RemoveEmptyEntries))
        {
            var split = part.IndexOf('=', StringComparison.Ordinal);
            if (split > 0 && split < part.Length - 1)
            {
                found.TryAdd(part[..split], Uri.UnescapeDataString(part[(split + 1)..].Replace('+', ' ')));
            }
        }

        return found;
    }

    private static string? Lower(string? text) => Word(text)?.ToLowerInvariant();

    // Scripts write the name of nothing where they have nothing.
    private static string? Word(string? text) =>
        Texts.Clip(text, MaxText) is { } word && word.ToLowerInvariant() is not ("null" or "undefined" or "(not set)" or "nan")
            ? word
            : null;
}
