using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

public sealed class RuleMatcherTests
{
    private static readonly ScoringModel Mixed = Model(
        Rule("type", Category.Behavior, "activity.type = 'PAGE'", 1),
        Rule("path", Category.Behavior, "activity.path startsWith '/pricing' or activity.name = 'Demo'", 1),
        Rule("property", Category.Behavior, "activity.type = 'FORM' and activity.properties.kind = 'demo'", 1),
        Rule("either", Category.Behavior, "activity.type = 'CALL' or exists activity.sessionId", 1),
        Rule("both", Category.Behavior, "not activity.url contains 'blog' and lead.title = 'VP'", 1),
        Rule("time", Category.Behavior, "exists activity.name and activity.time >= '2026-11-10'", 1));

    private static readonly Gen<Activity> Activities =
        from number in Gen.Choose(1, 1_000_000)
        from type in Gen.Elements("PAGE", "FORM", "CALL")
        from name in Gen.Elements("", "Demo", "Home")
        from url in Gen.Elements(null, "https://acme.example/pricing?x=1", "https://acme.example/blog/a", "/pricing")
        from kind in Gen.Elements("demo", "other")
        from session in Gen.Elements<int?>(null, 1)
        from days in Gen.Choose(0, 20)
        select Did(number, type, Start.AddDays(days), name, url, session, ("kind", kind));

    [Fact]
    public void Of_ManyActivitiesOfFewKeys_AnswersAsTheConditionsDo() =>
        Prop.ForAll(Activities.ToArbitrary(), Gen.Elements("VP", "Buyer").ToArbitrary(), (activity, title) =>
        {
            var source = new ActivitySource(activity, Lead(Start, title));
            var held = Mixed.Matcher.Of(activity)
                .Where(candidate => candidate.IsCertain || Mixed.Rules[candidate.Index].Condition.Holds(source, activity.Time))
                .Select(candidate => candidate.Index);
            return held.SequenceEqual(
                Enumerable.Range(0, Mixed.Rules.Count).Where(index => Mixed.Rules[index].Condition.Holds(source, activity.Time)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3_000));

    [Fact]
    public void Of_PageView_AsksOnlyWhatReadsMoreThanTheKey()
    {
        var candidates = Mixed.Matcher.Of(Did(1, "PAGE", Start, "Home", "https://acme.example/blog/a"));

        Assert.Equal([(0, true), (3, false), (5, false)], candidates.Select(candidate => (candidate.Index, candidate.IsCertain)));
    }
}
