using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Messages;

namespace Capture.UnitTests.Channels;

public sealed class ChannelRulesTests
{
    private static readonly ChannelRules Rules = ChannelRules.Default;

    [Theory]
    [InlineData(SiteCategory.Search, 150)]
    [InlineData(SiteCategory.Social, 80)]
    [InlineData(SiteCategory.Shopping, 40)]
    [InlineData(SiteCategory.Video, 40)]
    [InlineData(SiteCategory.Assistants, 15)]
    [InlineData(SiteCategory.Mail, 40)]
    public void Hosts_OfACategory_AreAtLeast(SiteCategory category, int count) => Assert.InRange(Rules.Hosts[category], count, 1_000);

    [Fact]
    public void Hosts_CountsInTheDocs_AreTrue()
    {
        var docs = File.ReadAllText(Path.Combine(Root(), "docs", "capture.md"));

        Assert.Contains(
            $"| search engines ({Rules.SearchEngines}, with the parameters that carry the keyword) | {Rules.Hosts[SiteCategory.Search]} |",
            docs, StringComparison.Ordinal);
        Assert.Contains($"| social | {Rules.Hosts[SiteCategory.Social]} |", docs, StringComparison.Ordinal);
        Assert.Contains($"| shopping | {Rules.Hosts[SiteCategory.Shopping]} |", docs, StringComparison.Ordinal);
        Assert.Contains($"| video | {Rules.Hosts[SiteCategory.Video]} |", docs, StringComparison.Ordinal);
        Assert.Contains($"| AI assistants | {Rules.Hosts[SiteCategory.Assistants]} |", docs, StringComparison.Ordinal);
        Assert.Contains($"| webmail | {Rules.Hosts[SiteCategory.Mail]} |", docs, StringComparison.Ordinal);
        Assert.Contains($"| payment and login, never a source | {Rules.PaymentAndLoginHosts} |", docs, StringComparison.Ordinal);
        Assert.Contains($"version `{Rules.Version}`", docs, StringComparison.Ordinal);
        Assert.Contains($"the {Bots.TokenCount} tokens", docs, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("google.co.uk", SiteCategory.Search, "google")]
    [InlineData("google.com.br", SiteCategory.Search, "google")]
    [InlineData("images.google.de", SiteCategory.Search, "google")]
    [InlineData("yandex.com.tr", SiteCategory.Search, "yandex")]
    [InlineData("docs.google.com", SiteCategory.NotSearch, null)]
    [InlineData("gemini.google.com", SiteCategory.Assistants, null)]
    [InlineData("shopping.google.fr", SiteCategory.Shopping, null)]
    [InlineData("mail.google.com", SiteCategory.Mail, null)]
    [InlineData("l.facebook.com", SiteCategory.Social, null)]
    [InlineData("uk.pinterest.com", SiteCategory.Social, null)]
    [InlineData("smile.amazon.co.jp", SiteCategory.Shopping, null)]
    [InlineData("m.youtube.com", SiteCategory.Video, null)]
    public void OfHost_KnownSite_IsTheMostSpecific(string host, SiteCategory category, string? engine)
    {
        var site = Rules.OfHost(host);

        Assert.Equal((category, engine), (site!.Value.Category, site.Value.Engine?.Name));
    }

    [Theory]
    [InlineData("google.evil.example")]
    [InlineData("notgoogle.com")]
    [InlineData("facebook.com.evil.example")]
    [InlineData("example.com")]
    public void OfHost_AnyOther_IsUnknown(string host) => Assert.Null(Rules.OfHost(host));

    [Theory]
    [InlineData("a.b.example.com", "example.com")]
    [InlineData("a.example.co.uk", "example.co.uk")]
    [InlineData("example.co.uk", "example.co.uk")]
    [InlineData("acme.github.io", "acme.github.io")]
    [InlineData("www.acme.github.io", "acme.github.io")]
    [InlineData("localhost", "localhost")]
    public void RegisteredName_Host_IsWhatOneOwnerHolds(string host, string name) => Assert.Equal(name, Rules.RegisteredName(host));

    [Fact]
    public void ClickIds_Every_IsKnownAndInLowerCase() =>
        Assert.Equal(
            ["gclid", "gbraid", "wbraid", "dclid", "msclkid", "yclid", "ttclid", "twclid", "li_fat_id", "rdt_cid", "sccid", "epik", "qclid",
                "irclid", "_kx", "mc_cid", "fbclid", "igshid"],
            Rules.ClickIds.Select(rule => rule.Name));

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Lifecycle.Aspire.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
