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
        Assert.Equal(TrafficSource.Direct, SourceReader.Default.Read(new("https://www.acme.example/", referrer, null, null, null, null)));

    [Fact]
    public void Read_ExcludedReferrer_IsDirect()
    {
        var reader = new SourceReader(ChannelRules.Default, ChannelClassifier.Default, new HashSet<string> { "pay.example" });

        Assert.Equal(EvidenceKind.Direct, reader.Read(new("https://acme.example/", "https://checkout.pay.example/", null, null, null, null)).Kind);
    }

    [Fact]
    public void Read_NoPage_SaysNothing() => Assert.Equal(EvidenceKind.None, SourceReader.Default.Read(PageContext.Empty).Kind);

    [Fact]
    public void Read_ContextCampaign_WinsOverTheUrl()
    {
        var found = SourceReader.Default.Read(new("https://acme.example/?utm_source=google&utm_medium=cpc", null, "Partner", "Referral", "Launch", "crm"));

        Assert.Equal(new TrafficSource(EvidenceKind.Campaign, "Referral", "partner", "referral", "Launch", "crm", null), found);
    }

    [Fact]
    public void Read_EncodedParameters_AreDecodedAndKeepTheClickId()
    {
        var found = SourceReader.Default.Read(new("https://acme.example/?UTM_SOURCE=Google&utm_medium=cpc&utm_campaign=Spring%20Sale&utm_term=crm+software&gclid=Abc", null, null, null, null, null));

        Assert.Equal(("google", "Spring Sale", "crm software", "gclid:Abc"), (found.Source, found.Campaign, found.Keyword, found.ClickId));
    }

    [Fact]
    public void Read_NulInParameter_IsDropped() =>
        Assert.Equal("spring", SourceReader.Default.Read(new("https://acme.example/?utm_campaign=spr%00ing", null, null, null, null, null)).Campaign);
}
