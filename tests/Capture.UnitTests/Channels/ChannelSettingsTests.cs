using Lifecycle.Capture.Domain.Channels;

namespace Capture.UnitTests.Channels;

public sealed class ChannelSettingsTests
{
    [Theory]
    [InlineData("source = \"partner\"", "https://acme.example/?utm_source=Partner&utm_medium=cpc", null, "Own")]
    [InlineData("source = \"partner\"", "https://acme.example/?utm_source=google&utm_medium=cpc", null, "Paid Search")]
    [InlineData(
        "channel = \"Paid Search\" and campaign startsWith \"brand\"",
        "https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=Brand-de", null, "Own")]
    [InlineData("referrer endsWith \"partner.example\"", "https://acme.example/", "https://blog.partner.example/post", "Own")]
    [InlineData(
        "referrer = \"partner.example\"", "https://acme.example/?utm_source=google&utm_medium=cpc", "https://www.partner.example/", "Own")]
    [InlineData("landingPath startsWith \"/qr/\"", "https://acme.example/qr/booth?x=1", null, "Own")]
    [InlineData("landingHost = \"go.acme.example\"", "https://go.acme.example", null, "Own")]
    [InlineData("landingPage contains \"booth\"", "https://acme.example/qr/booth", null, "Own")]
    [InlineData("clickId = \"msclkid\"", "https://acme.example/?msclkid=abc", null, "Own")]
    [InlineData("keyword matches \"^crm\"", "https://acme.example/", "https://www.bing.com/search?q=crm+tool", "Own")]
    [InlineData("medium = \"(none)\"", "https://acme.example/", null, "Own")]
    [InlineData(
        "not exists keyword and medium in (\"email\", \"sms\")", "https://acme.example/?utm_source=crm&utm_medium=sms", null, "Own")]
    public void Read_CustomRule_DecidesBeforeTheDefaultOnes(string condition, string url, string? referrer, string channel) =>
        Assert.Equal(channel, Reader(new CustomChannelRule("Own", condition)).Read(new(url, referrer, null, null, null, null)).Channel);

    [Fact]
    public void Read_SeveralRulesHold_FirstDecides()
    {
        var reader = Reader(new("Never", "false"), new("First", "true"), new("Second", "true"));

        Assert.Equal("First", reader.Read(new("https://acme.example/", null, null, null, null, null)).Channel);
    }

    [Fact]
    public void Reread_ReferrerExcludedSince_IsDirectAndBackAgain()
    {
        var open = ChannelSettings.Default.Compile(ChannelRules.Default).Value;
        var closed = (ChannelSettings.Default with { Version = 4, ExcludedReferrers = ["partner.example"] }).Compile(
            ChannelRules.Default).Value;
        var before = open.Read(new("https://acme.example/", "https://partner.example/", null, null, null, null));

        var excluded = closed.Reread(before, "https://acme.example/");

        Assert.Equal(
            (EvidenceKind.Direct, "Direct", "(direct)", "2026-11/4"), (excluded.Kind, excluded.Channel, excluded.Source, excluded.Rules));
        Assert.Equal(before, open.Reread(excluded, "https://acme.example/"));
    }

    [Fact]
    public void Compile_Faults_AreNamedAll()
    {
        var settings = new ChannelSettings(
            0, [new("", "true"), new("Own", "colour = \"red\""), new("Own", "source = ")], ["https://acme.example/", "acme.example"],
            ["", "pay example"], true, true);

        Assert.Equal(
            [
                "settings.excludedReferrers[0]", "settings.excludedReferrers[1]", "settings.ownDomains[0]", "settings.rules[0].channel",
                "settings.rules[1].condition", "settings.rules[2].condition",
            ],
            settings.Compile(ChannelRules.Default, "settings.").Error!.Violations.Select(violation => violation.Field)
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Compile_TooMany_IsRefused()
    {
        var settings = ChannelSettings.Default with
        {
            Rules = Enumerable.Repeat(new CustomChannelRule("Own", "true"), 101).ToArray(),
            OwnDomains = Enumerable.Range(0, 501).Select(index => $"a{index}.example").ToArray(),
        };

        Assert.Equal(
            ["rules", "ownDomains"], settings.Compile(ChannelRules.Default).Error!.Violations.Select(violation => violation.Field));
    }

    private static SourceReader Reader(params CustomChannelRule[] rules) =>
        (ChannelSettings.Default with { Rules = rules }).Compile(ChannelRules.Default).Value;
}
