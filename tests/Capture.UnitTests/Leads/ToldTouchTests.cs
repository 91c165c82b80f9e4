using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Leads;

namespace Capture.UnitTests.Leads;

public sealed class ToldTouchTests
{
    private static readonly DateTimeOffset Time = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly SourceReader Excluding = new ChannelSettings(2, [], [], ["partner.example"], true, true).Compile(
        ChannelRules.Default).Value;

    [Fact]
    public void Reclassified_ReferrerIsExcludedAndBack_ReadsItAnewEachTime()
    {
        var told = Told("https://acme.example/", "https://www.partner.example/list");

        var excluded = told.Reclassified(Excluding);
        var back = excluded.Reclassified(SourceReader.Default);

        Assert.Equal(("Referral", "partner.example", "referral"), (told.Channel, told.Source, told.Medium));
        Assert.Equal(("Direct", "(direct)", "(none)"), (excluded.Channel, excluded.Source, excluded.Medium));
        Assert.Equal(told, back);
    }

    [Fact]
    public void Reclassified_Campaign_KeepsWhatItsParametersSaid()
    {
        var told = Told("https://acme.example/?utm_source=partner.example&utm_medium=cpc", "https://www.partner.example/list");

        Assert.Equal(told, told.Reclassified(Excluding));
    }

    [Fact]
    public void Reclassified_ChannelNamedByAnImport_Stays()
    {
        var told = new Touch("Trade fair", "partner.example", null, null, null, null, null, Time, null).Classified(Excluding.Channels);

        Assert.Equal(told, told.Reclassified(SourceReader.Default));
    }

    private static Touch Told(string page, string referrer) =>
        Touch.Told(SourceReader.Default.Read(new(page, referrer, null, null, null, null)), page, Time);
}
