using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

/// <summary>Points that begin and end by counts and by time passing alone.</summary>
public sealed class TimedRuleTests
{
    /// <summary>A demo request is enough.</summary>
    private static readonly ScoringModel Eager = Model(Rule("demo", Category.Behavior, "activity.type = 'FORM'", 70));

    private static readonly Config Thorough = Config.QuickThrowOnFailure.WithMaxTest(400);

    private static readonly ScoringModel Mixed = ModelCompiler.Compile(
        Definition(
            Rule("page", Category.Behavior, "activity.type = 'PAGE'", 10) with { Floor = 2, ExpireAfter = "20d", HalfLife = "5d" },
            Rule("third", Category.Behavior, "activity.type = 'PAGE' and count(activity.type = 'PAGE', 7d) >= 3", 6) with
            {
                MaxTimes = 2,
                Window = "10d"
            },
            Rule("busy", Category.Behavior, "count(activity.type = 'PAGE', 3d) >= 2", 8),
            Rule("visits", Category.Behavior, "visits(14d) >= 2 and company.employees >= 50", 7) with { HalfLife = "3d" },
            Rule("idle", Category.Behavior, "inactive(10d)", -9),
            Rule("fresh", Category.Fit, "lead.createTime within 15d", 5),
            Rule("title", Category.Fit, "lead.title contains 'VP'", 20)) with
        { CategoryCaps = new(null, 40, null) },
        1).Value;

    private static readonly Gen<Activity[]> Histories = Gen.Choose(0, 60 * 24).Some(25).Select(hours => hours.Select((hour, index) =>
        Did(index + 1, hour % 4 == 0 ? "CALL" : "PAGE", Start.AddHours(hour), "x", "/", hour / 30)).ToArray());

    [Fact]
    public void Score_Inactive_BeginsToTheTickAndEndsWithTheNextActivity()
    {
        var model = Model(Rule("idle", Category.Behavior, "inactive(30d)", -10) with { HalfLife = null });
        Activity[] history = [Did(1, "PAGE", Start.AddDays(1)), Did(2, "PAGE", Start.AddDays(40))];
        var lead = Lead(Start);

        var before = Scorer.Score(model, lead, NoSince, history[..1], now: Start.AddDays(31).AddTicks(-10));
        Assert.Empty(before.Contributions);
        Assert.Equal(Start.AddDays(31), before.NextChange);
        var idle = Assert.Single(Scorer.Score(model, lead, NoSince, history[..1], now: Start.AddDays(31)).Contributions);
        Assert.Equal((-10m, Start.AddDays(31), null, "nothing in 30d"), (idle.Points, idle.Time, idle.End, idle.Detail));
        var ended = Scorer.Score(model, lead, NoSince, history, now: Start.AddDays(41));
        Assert.Equal(Start.AddDays(40), Assert.Single(ended.Contributions).End);
        Assert.Equal(0m, ended.State.PointsAt(Start.AddDays(41)).Total);
    }

    [Fact]
    public void Score_HalfLifeWindowAndFloor_WorkTogether()
    {
        var model = Model(
            Rule("a", Category.Behavior, "activity.type = 'PAGE'", 10) with { HalfLife = "10d", ExpireAfter = "30d", Floor = 2 });
        var sheet = Scorer.Score(model, null, NoSince, [Did(1, "PAGE", Start)]);
        var expired = Scorer.Score(model, null, NoSince, [Did(1, "PAGE", Start)], now: Start.AddDays(30));

        // 2 stay; 8 halve every ten days, and end after thirty.
        Assert.Equal([10m, 6m, 4m], new[] { 0, 10, 20 }.Select(day => sheet.State.PointsAt(Start.AddDays(day)).Total));
        Assert.Equal(Start.AddDays(30), sheet.NextChange);
        Assert.Equal(2m, expired.State.PointsAt(Start.AddDays(300)).Total);
        Assert.Null(expired.NextChange);
    }

    [Fact]
    public void Score_MaxTimes_GivesSoManyInAnyWindow()
    {
        var model = Model(Rule("a", Category.Behavior, "activity.type = 'PAGE'", 1) with { MaxTimes = 2, Window = "7d" });
        var sheet = Scorer.Score(model, null, NoSince, new[] { 0, 1, 2, 7, 8, 9 }.Select(day => Did(day + 1, "PAGE", Start.AddDays(day))));

        Assert.Equal([0, 1, 7, 8], sheet.Contributions.Select(entry => (entry.Time - Start).Days));
        Assert.Equal(3, Scorer.Score(
            Model(Rule("a", Category.Behavior, "activity.type = 'PAGE'", 1) with { MaxTimes = 3 }), null, NoSince,
            Enumerable.Range(0, 9).Select(day => Did(day + 1, "PAGE", Start.AddDays(day)))).Contributions.Count);
    }

    [Fact]
    public void Score_CountInWindow_AddsAtTheThirdPage()
    {
        var model = Model(Rule("a", Category.Behavior, "activity.type = 'PAGE' and count(activity.type = 'PAGE', 7d) >= 3", 5));
        var sheet = Scorer.Score(model, null, NoSince, new[] { 0, 5, 6, 14, 15 }.Select(day => Did(day + 1, "PAGE", Start.AddDays(day))));

        Assert.Equal(6, (Assert.Single(sheet.Contributions).Time - Start).Days);
    }

    [Fact]
    public void Score_AnyMomentUntilTheNextChange_IsWhatAFreshScoringSays() =>
        Prop.ForAll(Histories.ToArbitrary(), Gen.Choose(0, 90 * 24).ToArbitrary(), (history, hours) =>
        {
            var lead = Lead(Start.AddDays(2), "VP", 100);
            var sheet = Scorer.Score(Mixed, lead, NoSince, history, now: Start.AddHours(hours));
            var until = sheet.NextChange ?? sheet.AsOf.AddDays(100);
            return new[] { 0, 0.3, 0.99 }.All(share =>
            {
                var moment = sheet.AsOf.AddTicks((long)((until - sheet.AsOf).Ticks * share));
                var fresh = Scorer.Score(Mixed, lead, NoSince, history, now: moment);
                return fresh.NextChange == sheet.NextChange && fresh.State.PointsAt(moment) == sheet.State.PointsAt(moment)
                    && Math.Abs(fresh.Contributions.Sum(entry => entry.ValueAt(moment)) - fresh.State.TotalAt(moment)) < 1e-9
                    && fresh.Contributions.SequenceEqual(sheet.Contributions);
            });
        }).Check(Thorough);

    [Fact]
    public void Score_StepByStepOrAtOnce_IsTheSame() =>
        Prop.ForAll(Histories.ToArbitrary(), Gen.Choose(0, 90 * 24).ToArbitrary(), (history, hours) =>
        {
            // The timer comes by at each change, or only once at the end: the ledger is the same.
            var (lead, end) = (Lead(Start.AddDays(2), "VP", 100), Start.AddHours(hours));
            var sheet = Scorer.Score(Mixed, lead, NoSince, history);
            var steps = 0;
            while (sheet.NextChange <= end && steps++ < 500)
            {
                sheet = Scorer.Score(Mixed, lead, NoSince, history, now: sheet.NextChange);
            }

            var atOnce = Scorer.Score(Mixed, lead, NoSince, history.Reverse(), now: end);
            return steps < 500 && atOnce.Contributions.SequenceEqual(sheet.Contributions)
                && atOnce.State.PointsAt(end) == sheet.State.PointsAt(end);
        }).Check(Thorough);

    [Fact]
    public void Score_CategoryCap_HoldsAtEveryMoment() =>
        Prop.ForAll(Histories.ToArbitrary(), history =>
        {
            var sheet = Scorer.Score(Mixed, Lead(Start.AddDays(2), "VP", 100), NoSince, history, now: Start.AddDays(120));
            return sheet.Contributions.Where(entry => entry.Category == Category.Behavior).All(entry => sheet.Contributions
                .Where(other => other.Category == Category.Behavior && other.Points > 0 && other.Time <= entry.Time)
                .Sum(other => other.ValueAt(entry.Time)) + sheet.Contributions
                    .Where(other => other.Category == Category.Behavior && other.Points < 0 && other.Time <= entry.Time
                        && !(other.End <= entry.Time))
                    .Sum(other => other.ValueAt(entry.Time)) <= 40 + 9 + 1e-6);
        }).Check(Thorough);

    [Fact]
    public void Walk_NegativePointsEnd_QualifiesThen()
    {
        var model = Model(
            Rule("page", Category.Fit, "activity.type = 'PAGE'", 70),
            Rule("careers", Category.Fit, "activity.type = 'CAREERS'", -30) with { ExpireAfter = "10d" });
        Activity[] history = [Did(1, "CAREERS", Start.AddDays(1)), Did(2, "PAGE", Start.AddDays(2))];
        var early = Qualifier.Walk(model, Scorer.Score(model, Lead(Start), NoSince, history, now: Start.AddDays(10)), Start, Standing.New);
        var sheet = Scorer.Score(model, Lead(Start), NoSince, history, now: Start.AddDays(20));
        var late = Qualifier.Walk(model, sheet, Start, Standing.New);

        Assert.Empty(early.Transitions);
        var transition = Assert.Single(late.Transitions);
        Assert.Equal((true, Start.AddDays(11), 70m), (transition.Qualified, transition.Time, transition.Score));
        Assert.Contains(
            "Points against the lead ended; the score is 70.",
            QualificationStory.Of(model, sheet, history, transition, again: false).Changes);
    }

    [Fact]
    public void Walk_HistoryStillOnItsWay_WaitsWithWhatTimeAloneDid()
    {
        var model = Model(Rule("page", Category.Fit, "activity.type = 'PAGE'", 70) with { ExpireAfter = "10d" });
        var sheet = Scorer.Score(model, Lead(Start), NoSince, [Did(1, "PAGE", Start.AddDays(1))], now: Start.AddDays(30));
        var waiting = Qualifier.Walk(model, sheet, Start, Standing.New, decideTo: Start.AddDays(1));
        var settled = Qualifier.Walk(model, sheet, Start, waiting.Standing, decideTo: Start.AddDays(30), settle: true);

        Assert.True(Assert.Single(waiting.Transitions).Qualified);
        Assert.Equal(Start.AddDays(11), waiting.Due);
        var ceased = Assert.Single(settled.Transitions);
        Assert.Equal((false, Start.AddDays(11), true), (ceased.Qualified, ceased.Time, ceased.Decayed));
        Assert.Null(settled.Due);
    }

    [Fact]
    public void Walk_Settled_CeasesWhereItsDecayWasDue() =>
        Prop.ForAll(Histories.ToArbitrary(), Gen.Choose(60 * 24, 200 * 24).ToArbitrary(), (history, hours) =>
        {
            var (lead, now) = (Lead(Start.AddDays(2), "VP", 100), Start.AddHours(hours));
            var sheet = Scorer.Score(
                Mixed with { Definition = Mixed.Definition with { Thresholds = new(30, 50, 15) } }, lead, NoSince, history, now: now);
            var model = Mixed with { Definition = Mixed.Definition with { Thresholds = new(30, 50, 15) } };
            var last = history.Max(activity => activity.Time);
            var first = Qualifier.Walk(model, sheet, lead.CreateTime, Standing.New, decideTo: last);
            var then = Qualifier.Walk(model, sheet, lead.CreateTime, first.Standing, decideTo: now, settle: true);
            var atOnce = Qualifier.Walk(model, sheet, lead.CreateTime, Standing.New, decideTo: now, settle: true);

            // Waiting changes when it is told, not what, and a lead whose turn has come is qualified by its total.
            return first.Transitions.Concat(then.Transitions).Select(Shown).SequenceEqual(atOnce.Transitions.Select(Shown))
                && (!atOnce.Standing.Qualified || sheet.State.TotalAt(now) >= 15 - 0.01)
                && (first.Due is null || first.Due > last) && (then.Due is null || then.Due > now);

            static (bool, DateTimeOffset, decimal) Shown(Transition transition) =>
                (transition.Qualified, transition.Time, transition.Score);
        }).Check(Thorough);

    [Fact]
    public void Walk_RequiredGradeMissing_WaitsForIt()
    {
        var model = ModelCompiler.Compile(
            Definition(
                Rule("page", Category.Behavior, "activity.type = 'PAGE'", 70) with { HalfLife = "3650d" },
                Rule("title", Category.Fit, "lead.title contains 'VP'", 30)) with
            { Requirements = new(null, "A") },
            1).Value;
        var low = Qualifier.Walk(model, Scorer.Score(model, Lead(Start), NoSince, [Did(1, "PAGE", Start)]), Start, Standing.New);
        var sheet = Scorer.Score(
            model, Lead(Start, "VP"), new Dictionary<string, DateTimeOffset> { ["title"] = Start.AddDays(2) }, [Did(1, "PAGE", Start)]);
        var high = Qualifier.Walk(model, sheet, Start, Standing.New);

        Assert.Empty(low.Transitions);
        Assert.Equal(Start.AddDays(2), Assert.Single(high.Transitions).Time);
    }

    [Fact]
    public void Score_Adjustment_StandsOutsideCapsUntilUndone()
    {
        var given = new Adjustment(Id(77), Category.Behavior, 55, Start.AddDays(1), null, null, null, "Met at the fair");
        var sheet = Scorer.Score(Mixed, Lead(Start, "VP"), NoSince, [], [given], Start.AddDays(2));
        var undone = Scorer.Score(Mixed, Lead(Start, "VP"), NoSince, [], [given with { UndoTime = Start.AddDays(3) }], Start.AddDays(3));

        Assert.Equal(55m + 25m, sheet.State.PointsAt(Start.AddDays(2)).Total);
        Assert.Equal(25m, undone.State.PointsAt(Start.AddDays(3)).Total);
        Assert.Equal("Adjusted by hand (Met at the fair, 3 Nov 2026)", Evidence.Text(
            Mixed.RuleName(Adjustment.RuleId), sheet.Contributions.Single(entry => entry.IsAdjustment)));
    }

    [Fact]
    public void Story_Qualification_TellsWhatRaisedTheScore()
    {
        var sheet = Scorer.Score(DefaultModel.Instance, Lead(WalkForm, "VP Sales", 250), NoSince, Walk);
        var transition = Qualifier.Walk(DefaultModel.Instance, sheet, WalkForm, Standing.New).Transitions.Single();
        var story = QualificationStory.Of(DefaultModel.Instance, sheet, Walk, transition, again: true);

        Assert.Equal("form demo, 4 Nov 2026 09:05 UTC", story.Recent[0]);
        Assert.Equal(5, story.Recent.Count);
        Assert.StartsWith("The score rose from ", story.Changes[0], StringComparison.Ordinal);
        Assert.Contains("Asked for a demo (+25)", story.Changes[0], StringComparison.Ordinal);
        Assert.Equal(["The lead is new: seven days before it had no points.", "It had been qualified before."], story.Changes.Skip(1));

        Assert.Equal(
            ["opened an e-mail", "gave contact details", "named a company"],
            new[] { Did(1, Activity.EmailType, Start, "OPEN"), Did(2, "IDENTIFY", Start, "Home"), Did(3, "GROUP", Start, "group") }
                .Select(activity => Evidence.Told(activity).Split(',')[0]));

        // Known for a year, and never did anything: it had no points either, and is not new.
        var known = Scorer.Score(Eager, Lead(WalkForm.AddYears(-1)), NoSince, Walk);
        var late = Qualifier.Walk(Eager, known, WalkForm.AddYears(-1), Standing.New).Transitions.Single();
        Assert.Equal("Seven days before it had no points.", QualificationStory.Of(Eager, known, Walk, late, again: false).Changes[1]);
    }
}
