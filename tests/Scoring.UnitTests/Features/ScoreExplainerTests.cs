using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Features.ExplainScore;
using Scoring.UnitTests.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Features;

public sealed class ScoreExplainerTests
{
    [Fact]
    public void Explanation_AnyHistory_SumsToTheScoreToTheLastDigit() =>
        Prop.ForAll(
            Gen.Choose(0, 60 * 24 * 60).Some(80).ToArbitrary(), Gen.Choose(0, 200 * 24 * 60).ToArbitrary(), (minutes, later) =>
            {
                var activities = minutes.Select((minute, index) => Did(
                    index + 1, minute % 3 == 0 ? "DOWNLOAD" : "PAGE", Start.AddMinutes(minute), "x",
                    minute % 11 == 0 ? "/careers" : "/pricing", index));
                var sheet = Scorer.Score(DefaultModel.Instance, Lead(Start, "VP", 100, ("budget", "1")), NoSince, activities);
                var explained = ScoreExplainer.Explanation(
                    new(Id(9), 1, 0, false, sheet.State), "default", sheet.Contributions, DefaultModel.Instance,
                    sheet.State.At.AddMinutes(later));

                decimal Sum(Category category) =>
                    explained.Contributions.Where(entry => (int)entry.Category == (int)category).Sum(entry => (decimal)entry.DecayedPoints);
                return explained.Contributions.Count == sheet.Contributions.Count
                    && explained.Contributions.Sum(entry => (decimal)entry.DecayedPoints) == (decimal)explained.Score.Total
                    && Sum(Category.Fit) == (decimal)explained.Score.Fit
                    && Sum(Category.Behavior) == (decimal)explained.Score.Behavior
                    && Sum(Category.Bant) == (decimal)explained.Score.Bant;
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Explanation_ActivityAheadOfTheClock_IsWorthNoMoreThanWasGiven()
    {
        var model = Model(Rule("page", Category.Behavior, "activity.type = 'PAGE'", 25) with { HalfLife = "1h" });
        var sheet = Scorer.Score(model, Lead(Start.AddDays(-1)), NoSince, [Did(1, "PAGE", Start)]);

        var explained = ScoreExplainer.Explanation(
            new(Id(9), 1, 1, false, sheet.State), "default", sheet.Contributions, model, Start.AddMinutes(-10));

        Assert.Equal((25.0, 25.0), (explained.Score.Total, Assert.Single(explained.Contributions).DecayedPoints));
    }
}
