using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Visits;

namespace Capture.UnitTests.Visits;

/// <summary>Where sessions begin follows from what was sent: no change of channel rules moves it.</summary>
public sealed class SessionStartTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    private static readonly SourceReader Changed = new ChannelSettings(
        3, [new("Partners", "source = \"google\" or referrer endsWith \"partner.example\"")], ["partner.example"],
        ["google.com", "linkedin.com"], false, false)
        .Compile(ChannelRules.Default).Value;

    private static readonly string?[] Referrers =
        [null, "https://www.google.com/search?q=crm", "https://partner.example/", "https://www.linkedin.com/feed",
            "https://pay.stripe.com/x", "https://acme.example/a"];

    private static readonly string[] Pages =
    [
        "https://acme.example/", "https://acme.example/?utm_source=google&utm_medium=organic", "https://acme.example/?utm_campaign=spring",
        "https://acme.example/?utm_source=partner.example&utm_medium=referral", "https://acme.example/?gclid=a",
        "https://acme.example/?fbclid=b",
    ];

    [Fact]
    public void Build_SourcesReadAnewByOtherRules_BeginsTheSameSessions()
    {
        var activity = from minutes in Gen.Choose(0, 120)
                       from page in Gen.Elements(Pages)
                       from referrer in Gen.Elements(Referrers)
                       select (Minutes: minutes, Page: page, Referrer: referrer);
        Prop.ForAll(activity.ArrayOf().ToArbitrary(), sent =>
        {
            var read = sent.Select((item, index) => new VisitActivity(
                new Guid(index + 1, 0, 0, new byte[8]), Start.AddMinutes(item.Minutes), true, item.Page,
                SourceReader.Default.Read(new(item.Page, item.Referrer, null, null, null, null)), true, null)).ToArray();
            var anew = read.Select(one => one with { Source = Changed.Reread(one.Source, one.Url) }).ToArray();
            return Starts(read).SequenceEqual(Starts(anew));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
    }

    [Fact]
    public void Build_CampaignNamedLikeTheReferrerBefore_StartsASession()
    {
        var timeline = VisitTimeline.Build([Page(0, "https://acme.example/", "https://www.google.com/"), Page(5, Pages[1], null)]);

        Assert.Equal([EvidenceKind.Referrer, EvidenceKind.Campaign], timeline.Sessions.Select(session => session.Source.Kind));
    }

    // Activities at one time are ordered by the strength of their evidence, which rules may change, and then by id: their sessions'
    // beginnings stay.
    private static IEnumerable<(DateTimeOffset Start, int Count)> Starts(IEnumerable<VisitActivity> activities) =>
        VisitTimeline.Build(activities).Sessions.Select(session => (session.Start, session.Activities));

    private static VisitActivity Page(double minutes, string url, string? referrer) => new(
        Guid.CreateVersion7(Start.AddMinutes(minutes)), Start.AddMinutes(minutes), true, url,
        SourceReader.Default.Read(new(url, referrer, null, null, null, null)), true, null);
}
