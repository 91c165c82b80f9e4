using Lifecycle.Capture.Domain.Channels;

namespace Capture.UnitTests.Channels;

public sealed class ChannelClassifierTests
{
    [Theory]
    [InlineData("(direct)", "(none)", null, "Direct")]
    [InlineData("(direct)", "(not set)", null, "Direct")]
    [InlineData("google", "cpc", "cross-network|brand", "Cross-network")]
    [InlineData("google", "cpc", "summer shop", "Paid Shopping")]
    [InlineData("amazon", "cpc", null, "Paid Shopping")]
    [InlineData("google", "cpc", "spring", "Paid Search")]
    [InlineData("bing", "ppc", null, "Paid Search")]
    [InlineData("google", "retargeting", null, "Paid Search")]
    [InlineData("google", "paidsearch", null, "Paid Search")]
    [InlineData("google", "cpm", null, "Paid Search")]
    [InlineData("linkedin", "cpc", "abm", "Paid Social")]
    [InlineData("facebook", "paid-social", null, "Paid Social")]
    [InlineData("youtube", "cpv-cpm", null, "Paid Video")]
    [InlineData("newsroom", "display", null, "Display")]
    [InlineData("newsroom", "banner", null, "Display")]
    [InlineData("newsroom", "expandable", null, "Display")]
    [InlineData("newsroom", "interstitial", null, "Display")]
    [InlineData("newsroom", "cpm", null, "Display")]
    [InlineData("newsroom", "cpc", null, "Paid Other")]
    [InlineData("newsroom", "paid", null, "Paid Other")]
    [InlineData("ebay.de", "referral", null, "Organic Shopping")]
    [InlineData("partner", "referral", "shopping-week", "Organic Shopping")]
    [InlineData("linkedin.com", "referral", null, "Organic Social")]
    [InlineData("newsroom", "social", null, "Organic Social")]
    [InlineData("newsroom", "social media", null, "Organic Social")]
    [InlineData("newsroom", "sm", null, "Organic Social")]
    [InlineData("vimeo.com", "referral", null, "Organic Video")]
    [InlineData("newsroom", "promo-video", null, "Organic Video")]
    [InlineData("google", "organic", null, "Organic Search")]
    [InlineData("google", null, null, "Organic Search")]
    [InlineData("unknown-engine", "organic", null, "Organic Search")]
    [InlineData("chatgpt.com", "referral", null, "AI Assistant")]
    [InlineData("chatgpt.com", null, null, "AI Assistant")]
    [InlineData("perplexity", null, null, "AI Assistant")]
    [InlineData("blog.example", "referral", null, "Referral")]
    [InlineData("blog.example", "link", null, "Referral")]
    [InlineData("blog.example", "app", null, "Referral")]
    [InlineData("crm", "email", null, "Email")]
    [InlineData("e-mail", "drip", null, "Email")]
    [InlineData("crm", "e_mail", null, "Email")]
    [InlineData("partner", "affiliate", null, "Affiliates")]
    [InlineData("podcast", "audio", null, "Audio")]
    [InlineData("sms", "drip", null, "SMS")]
    [InlineData("crm", "sms", null, "SMS")]
    [InlineData("crm", "web-push", null, "Mobile Push")]
    [InlineData("crm", "mobile-app", null, "Mobile Push")]
    [InlineData("firebase", "drip", null, "Mobile Push")]
    [InlineData("crm", "drip", null, "Unassigned")]
    [InlineData(null, null, "orphan", "Unassigned")]
    [InlineData("GOOGLE", "CPC", "Spring", "Paid Search")]
    // An "eshop" is a shop, a "workshop" is none.
    [InlineData("partner", "referral", "eshop", "Organic Shopping")]
    [InlineData("partner", "referral", "workshop", "Referral")]
    [InlineData("partner", "referral", "my shop", "Organic Shopping")]
    public void Classify_SourceMediumCampaign_IsTheFirstGroupThatMatches(
        string? source, string? medium, string? campaign, string channel) =>
        Assert.Equal(channel, ChannelClassifier.Default.Classify(source, medium, campaign));

    [Fact]
    public void Classify_AssistantsSwitchedOff_IsReferral() =>
        Assert.Equal(
            "Referral", new ChannelClassifier(ChannelRules.Default, aiAssistants: false).Classify("chatgpt.com", "referral", null));
}
