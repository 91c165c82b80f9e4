using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Visits;

namespace Capture.UnitTests.Visits;

public sealed class VisitTimelineTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid Alice = Guid.CreateVersion7(Start);
    private static readonly Guid Bob = Guid.CreateVersion7(Start);
    private static readonly TrafficSource Spring = new(EvidenceKind.Campaign, "Paid Search", "google", "cpc", "spring", null, null);
    private static readonly TrafficSource Autumn = Spring with { Campaign = "autumn" };
    private static readonly TrafficSource LinkedIn = new(
        EvidenceKind.Referrer, "Organic Social", "linkedin.com", "referral", null, null, null);

    [Fact]
    public void Build_PauseOf30Minutes_StartsASession()
    {
        var timeline = VisitTimeline.Build([Page(0), Page(29.99), Page(59.99)]);

        Assert.Equal([2, 1], timeline.Sessions.Select(session => session.PageViews));
    }

    [Fact]
    public void Build_NewCampaign_StartsASession()
    {
        var timeline = VisitTimeline.Build([Page(0, Spring), Page(5), Page(6, Spring), Page(10, Autumn)]);

        Assert.Equal([("spring", 3), ("autumn", 1)], timeline.Sessions.Select(session => (session.Source.Campaign!, session.PageViews)));
    }

    [Fact]
    public void Build_ReferrerWithinASession_DoesNot() =>
        Assert.Single(VisitTimeline.Build([Page(0, Spring), Page(5, LinkedIn)]).Sessions);

    [Fact]
    public void Build_FirstActivitySaysNothing_TakesTheNextEvidence()
    {
        var session = Assert.Single(VisitTimeline.Build([Event(0), Page(0.1, Spring)]).Sessions);

        Assert.Equal((Spring, Start), (session.Source, session.Start));
    }

    [Fact]
    public void Build_SharedDevice_KeepsTwoPeopleApart()
    {
        var timeline = VisitTimeline.Build([Page(0, Spring), Page(1, lead: Alice), Page(2), Page(3, lead: Bob), Page(4)]);

        Assert.Equal([Alice, Alice, Alice, Bob, Bob], timeline.Activities.Select(activity => activity.Lead));
        Assert.Equal([(Alice, 3), (Bob, 2)], timeline.Sessions.Select(session => (session.Lead!.Value, session.Activities)));
    }

    [Fact]
    public void Build_ServersReport_JoinsASessionAndStartsNone()
    {
        var timeline = VisitTimeline.Build([Event(0, opens: false), Page(10), Event(20, opens: false), Event(90, opens: false)]);

        Assert.Equal([null, 0, 0, null], timeline.Activities.Select(activity => activity.Session));
    }

    [Fact]
    public void Build_AnyOrderOfArrival_IsTheSame() =>
        Prop.ForAll(Activities.ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (activities, seed) =>
        {
            var shuffled = activities.OrderBy(activity => HashCode.Combine(seed, activity.Id)).ToArray();
            var (left, right) = (VisitTimeline.Build(activities), VisitTimeline.Build(shuffled));
            return left.Sessions.SequenceEqual(right.Sessions) && left.Activities.SequenceEqual(right.Activities);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void Build_GoingOnFromAnySession_IsTheWhole() =>
        Prop.ForAll(Activities.ToArbitrary(), Gen.Choose(0, 30).ToArbitrary(), (activities, cut) =>
        {
            var ordered = activities.Order(VisitActivity.Order).ToArray();
            var (early, late) = (ordered.Take(cut).ToArray(), ordered.Skip(cut).ToArray());
            var before = VisitTimeline.Build(early);
            if (late.Length == 0 || (before.LastLead is null && late.Any(activity => activity.Lead is not null)))
            {
                return true;
            }

            var rest = VisitTimeline.Build(late, before.Sessions.Count > 0 ? before.Sessions[^1] : null, before.LastLead);
            var joined = before.Sessions.SkipLast(1).Concat(rest.Sessions);
            return joined.SequenceEqual(VisitTimeline.Build(ordered).Sessions);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void Build_AnyActivities_CountsEachOnce() =>
        Prop.ForAll(Activities.ToArbitrary(), activities =>
        {
            var timeline = VisitTimeline.Build(activities);
            return timeline.Sessions.Sum(session => session.Activities) == timeline.Activities.Count(
                activity => activity.Session is not null)
                && timeline.Sessions.Zip(timeline.Sessions.Skip(1)).All(pair => pair.First.End <= pair.Second.Start);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    private static Gen<VisitActivity[]> Activities =>
        (from minute in Gen.Choose(0, 300)
         from source in Gen.Elements(TrafficSource.None, TrafficSource.Direct, Spring, Autumn, LinkedIn)
         from lead in Gen.Elements<Guid?>(null, null, null, null, Alice, Bob)
         from opens in Gen.Elements(true, true, false)
         select Activity(minute, source.Kind != EvidenceKind.None, source, opens || source.Kind != EvidenceKind.None, lead)).ArrayOf()
            .Select(list => list.Take(30).ToArray());

    private static VisitActivity Page(double minute, TrafficSource? source = null, Guid? lead = null) =>
        Activity(minute, true, source ?? TrafficSource.Direct, true, lead);

    private static VisitActivity Event(double minute, bool opens = true) => Activity(minute, false, TrafficSource.None, opens, null);

    private static VisitActivity Activity(double minute, bool isPage, TrafficSource source, bool opens, Guid? lead) =>
        new(Guid.CreateVersion7(Start), Start.AddMinutes(minute), isPage, isPage ? "https://acme.example/" : null, source, opens, lead);
}
