namespace Lifecycle.Capture.Domain.Channels;

/// <summary>What an activity says about where its visitor came from, weakest first.</summary>
public enum EvidenceKind
{
    /// <summary>Nothing: the activity names no page and no campaign.</summary>
    None = 0,

    /// <summary>A page reached from the site itself, or from nowhere known.</summary>
    Direct = 1,

    /// <summary>A page reached from another site.</summary>
    Referrer = 2,

    /// <summary>Campaign parameters or an advertising click id.</summary>
    Campaign = 3,
}

/// <summary>Where a visitor came from.</summary>
/// <param name="Kind">How strong the evidence is.</param>
/// <param name="Channel">GA4 default channel group.</param>
/// <param name="Source">Lower case: utm_source, the search engine's name, the referring host or <c>(direct)</c>.</param>
/// <param name="Medium">Lower case: utm_medium, <c>organic</c>, <c>referral</c>, <c>email</c> or <c>(none)</c>.</param>
/// <param name="Campaign">utm_campaign as sent.</param>
/// <param name="Keyword">utm_term as sent.</param>
/// <param name="ClickId">Advertising click id as <c>name:value</c>.</param>
public sealed record TrafficSource(
    EvidenceKind Kind, string Channel, string? Source, string? Medium, string? Campaign, string? Keyword, string? ClickId)
{
    public static readonly TrafficSource None = new(EvidenceKind.None, ChannelNames.Direct, "(direct)", "(none)", null, null, null);

    public static readonly TrafficSource Direct = None with { Kind = EvidenceKind.Direct };

    /// <summary>
    /// Host of the page before, if it is another site's, also where it is not the source: rules that change later need it.
    /// </summary>
    public string? ReferrerHost { get; init; }

    /// <summary>
    /// Version of the rules that read it: that of the default rules, with that of the workspace's settings: <c>2026-11/3</c>.
    /// </summary>
    public string? Rules { get; init; }

    /// <summary>What channel rules look at.</summary>
    public ChannelFacts Facts(string? landingPage) => new(Source, Medium, Campaign, Keyword, ReferrerHost, landingPage, ClickId);

    /// <summary>
    /// Whether two activities were led here by the same campaign: by campaign parameters or a click id, not by a referrer that reads alike.
    /// So where sessions begin follows from what was sent, and no change of rules moves it.
    /// </summary>
    public bool SameCampaign(TrafficSource other) =>
        Kind == EvidenceKind.Campaign && other.Kind == EvidenceKind.Campaign
        && Source == other.Source && Medium == other.Medium && Campaign == other.Campaign && Keyword == other.Keyword
        && ClickId == other.ClickId;
}

/// <summary>The groups of GA4's default channel grouping.</summary>
public static class ChannelNames
{
    public const string Direct = "Direct";
    public const string CrossNetwork = "Cross-network";
    public const string PaidShopping = "Paid Shopping";
    public const string PaidSearch = "Paid Search";
    public const string PaidSocial = "Paid Social";
    public const string PaidVideo = "Paid Video";
    public const string Display = "Display";
    public const string PaidOther = "Paid Other";
    public const string OrganicShopping = "Organic Shopping";
    public const string OrganicSocial = "Organic Social";
    public const string OrganicVideo = "Organic Video";
    public const string OrganicSearch = "Organic Search";
    public const string AiAssistant = "AI Assistant";
    public const string Referral = "Referral";
    public const string Email = "Email";
    public const string Affiliates = "Affiliates";
    public const string Audio = "Audio";
    public const string Sms = "SMS";
    public const string MobilePush = "Mobile Push";
    public const string Unassigned = "Unassigned";
}
