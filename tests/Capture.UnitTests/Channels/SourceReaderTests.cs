using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Capture.Domain.Channels;

namespace Capture.UnitTests.Channels;

public sealed class SourceReaderTests
{
    [Theory]
    [InlineData("https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring", null, "Paid Search", "google", "cpc")]
    [InlineData("https://acme.example/?utm_source=newsletter&utm_medium=email", "https://www.google.com/", "Email", "newsletter", "email")]
    // An explicit campaign wins over the click id, the click id over the referrer.
    [InlineData("https://acme.example/?utm_source=partner&utm_medium=referral&gclid=x", null, "Referral", "partner", "referral")]
    [InlineData("https://acme.example/?gclid=x", "https://www.linkedin.com/", "Paid Search", "google", "cpc")]
    [InlineData("https://acme.example/?utm_campaign=spring&gclid=x", null, "Paid Search", "google", "cpc")]
    [InlineData("https://acme.example/?msclkid=x", null, "Paid Search", "bing", "cpc")]
    [InlineData("https://acme.example/?li_fat_id=x", null, "Paid Social", "linkedin", "cpc")]
    [InlineData("https://acme.example/?dclid=x", null, "Display", "google", "display")]
    // Facebook puts fbclid on every link: it tells the site, not that anybody paid.
    [InlineData("https://acme.example/?fbclid=x", null, "Organic Social", "facebook.com", "referral")]
    [InlineData("https://acme.example/?fbclid=x", "https://l.instagram.com/", "Organic Social", "instagram.com", "referral")]
    [InlineData("https://acme.example/", "https://www.linkedin.com/feed", "Organic Social", "linkedin.com", "referral")]
    [InlineData("https://acme.example/", "https://lnkd.in/abc", "Organic Social", "lnkd.in", "referral")]
    [InlineData("https://acme.example/", "https://www.google.co.uk/", "Organic Search", "google", "organic")]
    [InlineData("https://acme.example/", "https://www.google.com/", "Organic Search", "google", "organic")]
    [InlineData("https://acme.example/", "https://duckduckgo.com/", "Organic Search", "duckduckgo", "organic")]
    [InlineData("https://acme.example/", "android-app://com.google.android.googlequicksearchbox/", "Organic Search", "google", "organic")]
    [InlineData("https://acme.example/", "android-app://com.linkedin.android/", "Organic Social", "linkedin.com", "referral")]
    [InlineData("https://acme.example/", "https://mail.google.com/", "Email", "mail.google.com", "email")]
    [InlineData("https://acme.example/", "https://docs.google.com/document", "Referral", "docs.google.com", "referral")]
    [InlineData("https://acme.example/", "https://gemini.google.com/app", "AI Assistant", "gemini.google.com", "referral")]
    [InlineData("https://acme.example/", "https://m.youtube.com/watch", "Organic Video", "youtube.com", "referral")]
    [InlineData("https://acme.example/", "https://tieba.baidu.com/p/1", "Organic Social", "tieba.baidu.com", "referral")]
    [InlineData("https://acme.example/", "https://www.baidu.com/s", "Organic Search", "baidu", "organic")]
    [InlineData("https://acme.example/", "https://industry-news.example/story", "Referral", "industry-news.example", "referral")]
    // A name under another's suffix is not the other.
    [InlineData("https://acme.example/", "https://google.evil.example/", "Referral", "google.evil.example", "referral")]
    public void Read_PageAndReferrer_IsTheStrongestEvidence(string url, string? referrer, string channel, string source, string medium)
    {
        var found = SourceReader.Default.Read(new(url, referrer, null, null, null, null));

        Assert.Equal((channel, source, medium), (found.Channel, found.Source, found.Medium));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("https://acme.example/earlier")]
    [InlineData("https://shop.acme.example/")]
    [InlineData("not a url")]
    [InlineData("about:blank")]
    public void Read_OwnOrNoReferrer_IsDirect(string? referrer) =>
        Assert.Equal(TrafficSource.Direct with { Rules = "2026-11" }, Page("https://www.acme.example/", referrer));

    [Theory]
    [InlineData("https://pay.example/", EvidenceKind.Direct)]
    [InlineData("https://checkout.PAY.example./done", EvidenceKind.Direct)]
    [InlineData("https://checkout.stripe.com/c/pay/1", EvidenceKind.Direct)]
    [InlineData("https://www.paypal.com/", EvidenceKind.Direct)]
    [InlineData("https://login.microsoftonline.com/common/oauth2", EvidenceKind.Direct)]
    [InlineData("https://accounts.google.de/", EvidenceKind.Direct)]
    [InlineData("https://acme.okta.com/", EvidenceKind.Direct)]
    [InlineData("https://www.okta.com/blog", EvidenceKind.Referrer)]
    [InlineData("https://xn--mnchen-3ya.example/", EvidenceKind.Direct)]
    [InlineData("https://blog.München.example/", EvidenceKind.Direct)]
    [InlineData("https://repay.example/", EvidenceKind.Referrer)]
    public void Read_ExcludedOrOwnReferrer_IsDirect(string referrer, EvidenceKind kind)
    {
        var reader = (ChannelSettings.Default with { OwnDomains = ["münchen.example"], ExcludedReferrers = ["pay.example"] }).Compile(
            ChannelRules.Default).Value;

        Assert.Equal(kind, reader.Read(new("https://acme.example/", referrer, null, null, null, null)).Kind);
    }

    [Fact]
    public void Read_PaymentAndLoginNotExcluded_IsReferrer()
    {
        var reader = (ChannelSettings.Default with { PaymentAndLoginExcluded = false }).Compile(ChannelRules.Default).Value;

        Assert.Equal(("Organic Shopping", "checkout.stripe.com"), Found(
            reader.Read(new("https://acme.example/", "https://checkout.stripe.com/", null, null, null, null))));
    }

    [Fact]
    public void Read_NoPage_SaysNothing() => Assert.Equal(EvidenceKind.None, SourceReader.Default.Read(PageContext.Empty).Kind);

    [Fact]
    public void Read_ContextCampaign_WinsOverTheUrl()
    {
        var found = SourceReader.Default.Read(
            new("https://acme.example/?utm_source=google&utm_medium=cpc", null, "Partner", "Referral", "Launch", "crm"));

        Assert.Equal(
            new TrafficSource(EvidenceKind.Campaign, "Referral", "partner", "referral", "Launch", "crm", null) { Rules = "2026-11" },
            found);
    }

    [Fact]
    public void Read_EncodedParameters_AreDecodedAndKeepTheClickId()
    {
        var found = SourceReader.Default.Read(new(
            "https://acme.example/?UTM_SOURCE=Google&utm_medium=cpc&utm_campaign=Spring%20Sale&utm_term=crm+software&gclid=Abc", null,
            null, null, null, null));

        Assert.Equal(("google", "Spring Sale", "crm software", "gclid:Abc"), (found.Source, found.Campaign, found.Keyword, found.ClickId));
    }

    [Fact]
    public void Read_NulInParameter_IsDropped() =>
        Assert.Equal("spring", SourceReader.Default.Read(
            new("https://acme.example/?utm_campaign=spr%00ing", null, null, null, null, null)).Campaign);

    [Theory]
    [InlineData("gclid", "Paid Search", "google", "cpc")]
    [InlineData("gbraid", "Paid Search", "google", "cpc")]
    [InlineData("wbraid", "Paid Search", "google", "cpc")]
    [InlineData("dclid", "Display", "google", "display")]
    [InlineData("msclkid", "Paid Search", "bing", "cpc")]
    [InlineData("ttclid", "Paid Social", "tiktok", "cpc")]
    [InlineData("twclid", "Paid Social", "twitter", "cpc")]
    [InlineData("li_fat_id", "Paid Social", "linkedin", "cpc")]
    [InlineData("rdt_cid", "Paid Social", "reddit", "cpc")]
    [InlineData("ScCid", "Paid Social", "snapchat", "cpc")]
    [InlineData("epik", "Paid Social", "pinterest", "cpc")]
    [InlineData("mc_cid", "Email", "mailchimp", "email")]
    [InlineData("_kx", "Email", "klaviyo", "email")]
    [InlineData("irclid", "Affiliates", "impact", "affiliate")]
    [InlineData("fbclid", "Organic Social", "facebook.com", "referral")]
    [InlineData("igshid", "Organic Social", "instagram.com", "referral")]
    public void Read_ClickIdAlone_TellsTheCampaign(string name, string channel, string source, string medium)
    {
        var found = Page($"https://acme.example/?{name}=Ab1", null);

        Assert.Equal(
            (channel, source, medium, $"{name.ToLowerInvariant()}:Ab1"), (found.Channel, found.Source, found.Medium, found.ClickId));
    }

    [Theory]
    // Ports, capitals, trailing dots, addresses without a scheme.
    [InlineData(
        "https://acme.example:8443/", "HTTPS://WWW.Google.COM.:443/search?q=Crm+Software", "Organic Search", "google", "Crm Software")]
    [InlineData("https://acme.example/", "//www.bing.com/search?q=crm", "Organic Search", "bing", "crm")]
    [InlineData("https://acme.example/", "www.ecosia.org/search", "Organic Search", "ecosia", null)]
    [InlineData("https://acme.example/", "https://yandex.com.tr/search/?text=crm", "Organic Search", "yandex", "crm")]
    [InlineData("https://acme.example/", "https://search.yahoo.co.jp/search?p=crm", "Organic Search", "yahoo", "crm")]
    [InlineData("https://acme.example/", "https://www.baidu.com/s?wd=%E5%AE%A2%E6%88%B7", "Organic Search", "baidu", "客户")]
    // Who publishes under the same host of a platform is somebody else.
    [InlineData("https://acme.github.io/", "https://other.github.io/", "Referral", "other.github.io", null)]
    // The same site whatever it is called.
    [InlineData("https://blog.acme.co.uk/", "https://shop.ACME.co.uk:8080/", "Direct", "(direct)", null)]
    [InlineData("https://münchen.example/", "https://xn--mnchen-3ya.example/", "Direct", "(direct)", null)]
    [InlineData("http://localhost:3000/", "http://localhost:5000/", "Direct", "(direct)", null)]
    // Internationalised names keep their one form.
    [InlineData("https://acme.example/", "https://www.Bücher.example/", "Referral", "xn--bcher-kva.example", null)]
    // What names no page before.
    [InlineData("https://acme.example/", "null", "Direct", "(direct)", null)]
    [InlineData("https://acme.example/", "undefined", "Direct", "(direct)", null)]
    [InlineData("https://acme.example/", "javascript:void(0)", "Direct", "(direct)", null)]
    [InlineData("https://acme.example/", "mailto:ada@google.com", "Direct", "(direct)", null)]
    [InlineData("https://acme.example/", "file:///home/ada/list.html", "Direct", "(direct)", null)]
    [InlineData("https://acme.example/", "https://", "Direct", "(direct)", null)]
    [InlineData("https://acme.example/", "1.0", "Direct", "(direct)", null)]
    [InlineData("https://acme.example/", "https://google.com@evil.example/", "Referral", "evil.example", null)]
    // Parameters in odd places.
    [InlineData("https://acme.example/#utm_source=partner&utm_medium=referral", null, "Referral", "partner", null)]
    [InlineData("https://acme.example/#/pricing?utm_source=partner&utm_medium=referral", null, "Referral", "partner", null)]
    [InlineData("/pricing?utm_source=partner&utm_medium=referral", null, "Referral", "partner", null)]
    [InlineData(
        "https://acme.example/?utm_source=null&utm_medium=undefined&gclid=null", "https://www.bing.com/", "Organic Search", "bing", null)]
    [InlineData("https://acme.example/?utm_source=%zz%&&=&utm_medium=email", null, "Email", "%zz%", null)]
    public void Read_OddInput_FindsWhatItSays(string url, string? referrer, string channel, string source, string? keyword)
    {
        var found = Page(url, referrer);

        Assert.Equal((channel, source, keyword), (found.Channel, found.Source, found.Keyword));
    }

    [Fact]
    public void Read_TenKilobytes_IsCut()
    {
        var text = new string('ä', 10_240);

        var found = Page($"https://acme.example/?utm_source={text}&utm_campaign={text}&gclid={text}", $"https://{text}.example/{text}");

        Assert.Equal((200, 200, 200), (found.Source!.Length, found.Campaign!.Length, found.ClickId!.Length));
        Assert.Equal(EvidenceKind.Direct, Page("https://acme.example/", new string('a', 10_240) + ".example").Kind);
    }

    [Fact]
    public void Read_AnyText_NamesAChannelAndReadsAgainTheSame() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(10_000), Prop.ForAll<string?, string?, string?>((url, referrer, source) =>
        {
            var found = SourceReader.Default.Read(new(url, referrer, source, null, null, null));
            return found.Channel.Length > 0 && found == SourceReader.Default.Reread(found, PageContext.Stored(url));
        }));

    [Fact]
    public void Read_AnyTextInAnAddress_ReadsAgainTheSame() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(10_000), Prop.ForAll<NonNull<string>, NonNull<string>>((text, name) =>
        {
            var url = $"https://acme.example/{text.Get}?utm_source={name.Get}&gclid={text.Get}";
            var found = Page(url, $"https://{name.Get}/?q={text.Get}");
            return found == SourceReader.Default.Reread(found, PageContext.Stored(url));
        }));

    private static TrafficSource Page(string? url, string? referrer) =>
        SourceReader.Default.Read(new(url, referrer, null, null, null, null));

    private static (string Channel, string? Source) Found(TrafficSource source) => (source.Channel, source.Source);
}
