using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

public sealed class QualifierTests
{
    private static readonly ScoringModel Simple = Model(
        Rule("form", Category.Behavior, "activity.type = 'FORM'", 40),
        Rule("careers", Category.Behavior, "activity.type = 'PAGE'", -50));

    [Fact]
    public void Walk_CrossingThenDecay_QualifiesOnceAndFallsDue()
    {
        var outcome = Walk([Did(1, "FORM", Start), Did(2, "FORM", Start.AddDays(1))], Standing.New);

        var transition = Assert.Single(outcome.Transitions);
        Assert.Equal((true, Start.AddDays(1)), (transition.Qualified, transition.Time));
        // 40 · 2^(−1/30) + 40 = 79.09 halves to below 40 after 29.5 days.
        Assert.Equal(79.09m, transition.Score);
        Assert.Equal(29.5, (outcome.Due!.Value - Start.AddDays(1)).TotalDays, 1);
    }

    [Fact]
    public void Walk_LongSilence_CeasesAndQualifiesAgain()
    {
        var activities = new[] { 0, 1, 200, 201 }.Select((day, index) => Did(index + 1, "FORM", Start.AddDays(day))).ToArray();
        var outcome = Walk(activities, Standing.New);

        Assert.Equal([true, false, true], outcome.Transitions.Select(transition => transition.Qualified));
        Assert.True(outcome.Transitions[1].Decayed);
        Assert.Equal(40m, outcome.Transitions[1].Score);
        Assert.Equal(Start.AddDays(201), outcome.Transitions[2].Time);
    }

    [Fact]
    public void Walk_PointsAgainst_CeaseAtOnce()
    {
        var outcome = Walk([Did(1, "FORM", Start), Did(2, "FORM", Start), Did(3, "PAGE", Start.AddHours(1))], Standing.New);

        Assert.Equal(
            [(true, Start), (false, Start.AddHours(1))], outcome.Transitions.Select(transition => (transition.Qualified, transition.Time)));
        Assert.False(outcome.Transitions[1].Decayed);
        Assert.Null(outcome.Due);
    }

    [Fact]
    public void Walk_BeforeTheLeadIsKnown_WaitsForItsCreation()
    {
        var activities = new[] { Did(1, "FORM", Start), Did(2, "FORM", Start) };

        Assert.Empty(Qualifier.Walk(Simple, Scorer.Score(Simple, null, NoSince, activities), null, Standing.New).Transitions);
        var lead = Lead(Start.AddDays(2));
        var outcome = Qualifier.Walk(Simple, Scorer.Score(Simple, lead, NoSince, activities), lead.CreateTime, Standing.New);
        Assert.Equal(Start.AddDays(2), Assert.Single(outcome.Transitions).Time);
    }

    [Fact]
    public void Walk_AfterReturn_NeedsAnActivity()
    {
        var returned = new Standing(false, Start.AddDays(3), true, true);
        Activity[] before = [Did(1, "FORM", Start), Did(2, "FORM", Start.AddDays(1))];

        Assert.Empty(Walk(before, returned).Transitions);
        var again = Assert.Single(Walk([.. before, Did(3, "FORM", Start.AddDays(4))], returned).Transitions);
        Assert.Equal((true, Start.AddDays(4)), (again.Qualified, again.Time));
    }

    [Fact]
    public void Walk_InSalesHands_DoesNotQualify() =>
        Assert.Empty(Walk([Did(1, "FORM", Start), Did(2, "FORM", Start)], Standing.New with { MayQualify = false }).Transitions);

    [Fact]
    public void Walk_AgainFromItsOutcome_ChangesNothing() =>
        Prop.ForAll(Histories.ToArbitrary(), history =>
        {
            var first = Walk(history, Standing.New);
            var again = Walk(history, first.Standing);
            return again.Transitions.Count == 0 && again.Standing == first.Standing && again.Due == first.Due;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));

    [Fact]
    public void Walk_AnyHistory_AlternatesAndKeepsToTheThresholds() =>
        Prop.ForAll(Histories.ToArbitrary(), history =>
        {
            var transitions = Walk(history, Standing.New).Transitions;
            return transitions.Index().All(entry => entry.Item.Qualified == (entry.Index % 2 == 0)
                && (entry.Item.Qualified ? entry.Item.Score >= 60 : entry.Item.Score <= 40)
                && (entry.Index == 0 || entry.Item.Time > transitions[entry.Index - 1].Time));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));

    [Fact]
    public void Walk_PieceByPieceInOrder_DecidesAsAtOnce() =>
        Prop.ForAll(Histories.ToArbitrary(), history =>
        {
            var ordered = history.OrderBy(activity => activity.Time).ToArray();
            var (standing, pieces) = (Standing.New, new List<(bool, DateTimeOffset)>());
            for (var count = 1; count <= ordered.Length; count++)
            {
                var outcome = Walk(ordered[..count], standing);
                standing = outcome.Standing;
                pieces.AddRange(outcome.Transitions.Select(transition => (transition.Qualified, transition.Time)));
            }

            return pieces.SequenceEqual(
                Walk(history, Standing.New).Transitions.Select(transition => (transition.Qualified, transition.Time)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static readonly Gen<Activity[]> Histories =
        from minutes in Gen.Choose(0, 200 * 24 * 60).Some(25)
        select minutes.Distinct()
            .Select((minute, index) => Did(index + 1, minute % 7 == 0 ? "PAGE" : "FORM", Start.AddMinutes(minute))).ToArray();

    private static QualifierOutcome Walk(Activity[] activities, Standing standing)
    {
        var lead = Lead(Start);
        return Qualifier.Walk(Simple, Scorer.Score(Simple, lead, NoSince, activities), lead.CreateTime, standing);
    }
}
