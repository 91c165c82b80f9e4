using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

/// <summary>Counting on from where a lead was gives, to the last bit, what looking at all it ever did gives.</summary>
public sealed class ScoreProgressTests
{
    private static readonly Config Thorough = Config.QuickThrowOnFailure.WithMaxTest(500);

    private static readonly ScoringModel[] Models =
    [
        DefaultModel.Instance,
        // Decides often, both ways, with points against the lead that decay.
        Model(
            Rule("page", Category.Behavior, "activity.type = 'PAGE'", 7) with { Cap = 30 },
            Rule("mail", Category.Behavior, "email.kind = 'OPEN'", -9) with { HalfLife = "2d" },
            Rule("visit", Category.Behavior, "exists activity.sessionId", 11) with { OncePer = "SESSION", HalfLife = "5d", Floor = 1 },
            Rule("day", Category.Bant, "activity.type != 'CALL' and lead.title contains 'vp'", 6) with { OncePer = "DAY", Window = "3d" },
            Rule("form", Category.Bant, "activity.type = 'FORM'", 13) with { MaxTimes = 2, Window = "9d" },
            Rule("some", Category.Fit, "activity.name startsWith 'a'", 3) with { Cap = 5, Window = "1d" },
            Rule("title", Category.Fit, "lead.title contains 'vp'", 25)),
    ];

    private static readonly Gen<Case> Cases =
        from model in Gen.Elements(Models)
        from profile in Gen.Elements(null, Lead(Start), Lead(Start, "VP Sales", 200))
        from kinds in Gen.Choose(0, 7).Some(50)
        from minutes in Gen.Choose(0, 20 * 24 * 60).ArrayOf(kinds.Length)
        from pieces in Gen.Choose(1, 9).ArrayOf(kinds.Length)
        from returned in Gen.Elements(false, true)
        from since in Gen.Choose(-5, 25)
        select new Case(
            model, profile, returned, since,
            kinds.Zip(minutes).Select((entry, index) => ScorerTests.OfKind(index + 1, entry.First, Start.AddMinutes(entry.Second)))
                .Order(Comparer<Activity>.Create(Activity.InOrder)).ToArray(),
            pieces);

    [Fact]
    public void Advance_AnyHistoryInPieces_IsTheSameAsScoringAll()
    {
        var advanced = 0;
        Prop.ForAll(Cases.ToArbitrary(), given =>
        {
            var profile = given.Profile is null ? null : given.Profile with { CreateTime = Start.AddDays(given.Since) };
            var standing = Standing.New with { Returned = given.Returned };
            ScoreProgress? progress = null;
            var (before, contributed) = (0, 0);
            foreach (var size in given.Pieces.TakeWhile(_ => before < given.History.Length))
            {
                var history = given.History.Take(before + size).ToArray();
                var added = history.Skip(before).ToArray();
                var sheet = Scorer.Score(given.Model, profile, NoSince, history);
                var walk = Qualifier.Walk(given.Model, sheet, profile?.CreateTime, standing, decideTo: sheet.LastFact);
                if (progress is not null && added.Length > 0 && added[0].Time > progress.LastFact)
                {
                    var step = progress.Advance(added, given.Model.ReadsProfile ? profile : null, profile?.CreateTime, standing);
                    Assert.Equal(walk.Transitions.Count == 0, step is not null);
                    if (step is var (contributions, due))
                    {
                        advanced++;
                        Assert.Equal(sheet.Contributions.TakeLast(contributions.Count), contributions);
                        Assert.Equal(sheet.Contributions.Count, contributed + contributions.Count);
                        Assert.True(sheet.State.IsSame(progress.State));
                        Assert.Equal(sheet.LastFact, progress.LastFact);
                        Assert.Equal(walk.Due, due);
                    }
                    else
                    {
                        progress = ScoreProgress.Of(sheet);
                    }
                }
                else
                {
                    progress = ScoreProgress.Of(sheet);
                }

                Assert.NotNull(progress);
                (standing, before, contributed) = (walk.Standing, history.Length, sheet.Contributions.Count);
            }
        }).Check(Thorough);
        Assert.True(advanced > 500);
    }

    [Fact]
    public void Of_ModelWhosePointsTimeChanges_IsNone()
    {
        foreach (var rule in new[]
        {
            Rule("a", Category.Behavior, "activity.type = 'PAGE'", 1) with { ExpireAfter = "9d" },
            Rule("a", Category.Behavior, "activity.type = 'PAGE' and visits(7d) > 2", 1),
            Rule("a", Category.Behavior, "inactive(14d)", -5),
        })
        {
            Assert.Null(ScoreProgress.Of(Scorer.Score(Model(rule), null, NoSince, [Did(1, "PAGE", Start)])));
        }
    }

    [Fact]
    public void Of_LeadWithAnAdjustment_IsNone()
    {
        var adjustment = new Adjustment(Guid.CreateVersion7(Start), Category.Fit, 5, Start, null, null, null, "Called us");

        Assert.Null(ScoreProgress.Of(Scorer.Score(DefaultModel.Instance, null, NoSince, [Did(1, "PAGE", Start)], [adjustment])));
        Assert.NotNull(ScoreProgress.Of(Scorer.Score(DefaultModel.Instance, null, NoSince, [Did(1, "PAGE", Start)], [])));
    }

    private sealed record Case(
        ScoringModel Model, LeadProfile? Profile, bool Returned, int Since, Activity[] History, int[] Pieces);
}
