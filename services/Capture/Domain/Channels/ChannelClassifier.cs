using System.Text.RegularExpressions;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Capture.Domain.Channels;

/// <summary>
/// Assigns a channel: by the workspace's own rules, else by GA4's default channel grouping (support.google.com/analytics/answer/9756891).
/// The first rule that matches wins. The group <see cref="ChannelNames.AiAssistant"/> is the optional addition; without it such visits are
/// Referral.
/// </summary>
/// <param name="rules">Default rules.</param>
/// <param name="aiAssistants">Whether AI assistants are a channel of their own.</param>
/// <param name="custom">The workspace's own rules, in order.</param>
public sealed partial class ChannelClassifier(
    ChannelRules rules, bool aiAssistants = true, IReadOnlyList<(string Channel, Condition Condition)>? custom = null)
{
    /// <summary>With the rules this build ships.</summary>
    public static ChannelClassifier Default { get; } = new(ChannelRules.Default);

    /// <summary>Whether the workspace has rules of its own.</summary>
    public bool HasCustomRules => custom is { Count: > 0 };

    /// <summary>The channel by the workspace's own rules, else by the default ones.</summary>
    public string Classify(ChannelFacts facts)
    {
        var channel = Classify(facts.Source, facts.Medium, facts.Campaign);
        if (!HasCustomRules)
        {
            return channel;
        }

        var whole = facts with { DefaultChannel = channel };
        foreach (var rule in custom!)
        {
            // No field is an instant, so the time does not matter.
            if (rule.Condition.Holds(whole, DateTimeOffset.UnixEpoch))
            {
                return rule.Channel;
            }
        }

        return channel;
    }

    /// <summary>The channel of a source, medium and campaign by the default rules; any may be null or empty.</summary>
    public string Classify(string? source, string? medium, string? campaign)
    {
        var (from, by, name) = (Normal(source), Normal(medium), Normal(campaign));
        if (from is "(direct)" && by is "" or "(none)" or "(not set)")
        {
            return ChannelNames.Direct;
        }

        if (name.Contains("cross-network", StringComparison.Ordinal))
        {
            return ChannelNames.CrossNetwork;
        }

        var site = rules.OfSource(from);
        var shopping = site == SiteCategory.Shopping || ShoppingCampaign().IsMatch(name);
        return Paid().IsMatch(by) ? PaidChannel(site, shopping, by) : UnpaidChannel(site, shopping, from, by);
    }

    private static string PaidChannel(SiteCategory? site, bool shopping, string medium) => site switch
    {
        _ when shopping => ChannelNames.PaidShopping,
        SiteCategory.Search => ChannelNames.PaidSearch,
        SiteCategory.Social => ChannelNames.PaidSocial,
        SiteCategory.Video => ChannelNames.PaidVideo,
        _ when medium is "cpm" => ChannelNames.Display,
        _ => ChannelNames.PaidOther,
    };

    private string UnpaidChannel(SiteCategory? site, bool shopping, string source, string medium) => medium switch
    {
        "display" or "banner" or "expandable" or "interstitial" => ChannelNames.Display,
        _ when shopping => ChannelNames.OrganicShopping,
        _ when site == SiteCategory.Social => ChannelNames.OrganicSocial,
        "social" or "social-network" or "social-media" or "sm" or "social network" or "social media" => ChannelNames.OrganicSocial,
        _ when site == SiteCategory.Video || medium.Contains("video", StringComparison.Ordinal) => ChannelNames.OrganicVideo,
        _ when site == SiteCategory.Search || medium is "organic" => ChannelNames.OrganicSearch,
        _ when aiAssistants && site == SiteCategory.Assistants => ChannelNames.AiAssistant,
        "referral" or "app" or "link" => ChannelNames.Referral,
        _ when IsEmail(source) || IsEmail(medium) => ChannelNames.Email,
        "affiliate" or "affiliates" => ChannelNames.Affiliates,
        "audio" => ChannelNames.Audio,
        _ when source is "sms" || medium is "sms" => ChannelNames.Sms,
        _ when medium.EndsWith("push", StringComparison.Ordinal) || medium.Contains("mobile", StringComparison.Ordinal)
            || medium.Contains("notification", StringComparison.Ordinal) || source is "firebase" => ChannelNames.MobilePush,
        _ => ChannelNames.Unassigned,
    };

    private static bool IsEmail(string text) => text is "email" or "e-mail" or "e_mail" or "e mail";

    private static string Normal(string? text) => text?.Trim().ToLowerInvariant() ?? "";

    [GeneratedRegex("^(.*cp.*|ppc|retargeting|paid.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex Paid();

    [GeneratedRegex("^(.*(([^a-df-z]|^)shop|shopping).*)$", RegexOptions.CultureInvariant)]
    private static partial Regex ShoppingCampaign();
}
