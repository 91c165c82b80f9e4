using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

public sealed class ScorerTests
{
    private static readonly Config Thorough = Config.QuickThrowOnFailure.WithMaxTest(500);

    private static readonly Gen<Activity[]> Histories =
        from kinds in Gen.Choose(0, 7).Some(60)
        from minutes in Gen.Choose(0, 90 * 24 * 60).ArrayOf(kinds.Length)
        select kinds.Zip(minutes).Select((entry, index) => OfKind(index + 1, entry.First, Start.AddMinutes(entry.Second))).ToArray();

    [Fact]
    public void Score_AnyOrderOfActivities_GivesTheSameSheet() =>
        Prop.ForAll(Histories.ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (history, seed) =>
        {
            var shuffled = history.ToArray();
            new Random(seed).Shuffle(shuffled);
            var (first, second) = (Score(history), Score(shuffled));
            return first.Contributions.SequenceEqual(second.Contributions)
                && first.State.At == second.State.At
                && first.State.Behavior.Buckets.SequenceEqual(second.State.Behavior.Buckets);
        }).Check(Thorough);

    [Fact]
    public void Score_AnyHistory_SumsToItsContributions() =>
        Prop.ForAll(Histories.ToArbitrary(), Gen.Choose(0, 100_000).ToArbitrary(), (history, later) =>
        {
            var sheet = Score(history);
            var time = sheet.State.At.AddMinutes(later);
            var points = sheet.State.PointsAt(time);
            var values = sheet.Contributions.Select(contribution => contribution.ValueAt(time)).ToArray();
            return points.Fit + points.Behavior + points.Bant == points.Total
                && Math.Abs((double)points.Total - values.Sum()) < 0.006
                && ScorePoints.Split(points.Total, values).Sum() == points.Total;
        }).Check(Thorough);

    [Fact]
    public void Score_AnyHistory_NeverPassesACap() =>
        Prop.ForAll(Histories.ToArbitrary(), history =>
        {
            var sheet = Score(history.Where(activity => activity.Path != "/careers").ToArray());
            var sum = new ScoreAccumulator();
            return sheet.Contributions.All(contribution =>
            {
                sum.Add(contribution);
                return sum.ValueAt(Category.Behavior, contribution.Time) <= 60 + 1e-6 && sum.ValueAt(Category.Bant, contribution.Time) <= 20
                    && sheet.Contributions.Where(other => other.RuleId == contribution.RuleId && other.Time <= contribution.Time)
                        .Sum(other => Math.Abs(other.ValueAt(contribution.Time)))
                        <= (double)(DefaultModel.Instance.Find(contribution.RuleId)!.Cap ?? 1_000) + 1e-6;
            });
        }).Check(Thorough);

    [Fact]
    public void Score_CategoryCapOfManyDecimals_GivesWhatRedisKeepsToo()
    {
        var definition = Definition(Rule("a", Category.Fit, "true", 40)) with { CategoryCaps = new(10.123456, null, null) };

        Assert.Equal(10.1234m, Assert.Single(
            Scorer.Score(ModelCompiler.Compile(definition, 1).Value, Lead(Start), NoSince, []).Contributions).Points);
    }

    [Fact]
    public void Score_AfterOneHalfLife_IsHalf()
    {
        var sheet = Scorer.Score(Model(Rule("a", Category.Behavior, "activity.type = 'PAGE'", 40)), null, NoSince, [Did(1, "PAGE", Start)]);

        Assert.Equal(20m, sheet.State.PointsAt(Start.AddDays(30)).Total);
        Assert.Equal(10m, sheet.State.PointsAt(Start.AddDays(60)).Total);
        Assert.Equal(28.28m, sheet.State.PointsAt(Start.AddDays(15)).Total);
    }

    [Fact]
    public void Score_RuleWithItsOwnHalfLife_DecaysBeside()
    {
        var model = Model(
            Rule("slow", Category.Behavior, "activity.type = 'PAGE'", 10),
            Rule("fast", Category.Behavior, "activity.type = 'PAGE'", 8) with { HalfLife = "1d" });
        var sheet = Scorer.Score(model, null, NoSince, [Did(1, "PAGE", Start)]);

        Assert.Equal(18m, sheet.State.PointsAt(Start).Total);
        Assert.Equal(5.01m, sheet.State.PointsAt(Start.AddDays(30)).Total + 0.01m);
        Assert.Equal(2, sheet.State.Behavior.Buckets.Count);
    }

    [Fact]
    public void Score_CapWithoutWindow_RefillsAsPointsDecay()
    {
        var model = Model(Rule("a", Category.Behavior, "activity.type = 'PAGE'", 10) with { Cap = 10 });
        var sheet = Scorer.Score(model, null, NoSince, [Did(1, "PAGE", Start), Did(2, "PAGE", Start), Did(3, "PAGE", Start.AddDays(30))]);

        Assert.Equal([10m, 5m], sheet.Contributions.Select(contribution => contribution.Points));
    }

    [Fact]
    public void Score_CapWithWindow_CountsPointsGivenInIt()
    {
        var model = Model(Rule("a", Category.Behavior, "activity.type = 'PAGE'", 4) with { Cap = 10, Window = "7d" });
        var days = new[] { 0, 1, 2, 3, 8 };
        var sheet = Scorer.Score(model, null, NoSince, days.Select(day => Did(day + 1, "PAGE", Start.AddDays(day))));

        // 4 + 4 + 2 fill the window; day 3 gets nothing; by day 8 the first two have left it.
        Assert.Equal([4m, 4m, 2m, 4m], sheet.Contributions.Select(contribution => contribution.Points));
    }

    [Theory]
    [InlineData("LEAD", null, 1)]
    [InlineData("LEAD", "2d", 2)]
    [InlineData("DAY", null, 3)]
    [InlineData("SESSION", null, 2)]
    [InlineData("activity.url", null, 4)]
    [InlineData("activity.properties.plan", null, 1)]
    public void Score_OncePer_CountsTheFirstOfAnOccasion(string oncePer, string? window, int count)
    {
        var model = Model(Rule("a", Category.Behavior, "activity.type = 'PAGE'", 1) with { OncePer = oncePer, Window = window });
        var sheet = Scorer.Score(model, null, NoSince,
        [
            Did(1, "PAGE", Start, url: "/a", session: 1),
            Did(2, "PAGE", Start.AddHours(1), url: "/b", session: 1, properties: ("plan", "pro")),
            Did(3, "PAGE", Start.AddDays(1), url: "/c", session: 2),
            Did(4, "PAGE", Start.AddDays(2), url: "/d", properties: ("plan", "PRO".ToLowerInvariant())),
        ]);

        Assert.Equal(count, sheet.Contributions.Count);
    }

    [Fact]
    public void Score_ProfileRule_HoldsSinceItWasKnown()
    {
        var since = new Dictionary<string, DateTimeOffset> { ["fit-senior-title"] = Start.AddDays(3) };
        var sheet = Scorer.Score(DefaultModel.Instance, Lead(Start, "VP", 100), since, []);

        Assert.Equal(
            [("fit-midsize-company", Start), ("fit-senior-title", Start.AddDays(3))],
            sheet.Contributions.Select(contribution => (contribution.RuleId, contribution.Time)));
    }

    private static ScoreSheet Score(Activity[] history) =>
        Scorer.Score(DefaultModel.Instance, Lead(Start, "VP Sales", 80), NoSince, history);

    internal static Activity OfKind(int number, int kind, DateTimeOffset time) => kind switch
    {
        0 => Did(number, "FORM", time, "Form Submitted", null, number / 3, ("formType", "demo")),
        1 => Did(number, "DOWNLOAD", time, "Content Downloaded", null, number / 3),
        2 => Did(number, Activity.EmailType, time, "CLICK"),
        3 => Did(number, Activity.EmailType, time, "OPEN"),
        4 => Did(number, "PAGE", time, "Careers", "https://acme.example/careers", number / 3),
        5 => Did(number, "PAGE", time, "Pricing", "https://acme.example/pricing", number / 3),
        6 => Did(number, "CALL", time),
        _ => Did(number, "PAGE", time, "Page", "https://acme.example/", number / 3),
    };
}
