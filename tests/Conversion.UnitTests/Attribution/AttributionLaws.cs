using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Conversion.Domain.Attribution;

namespace Lifecycle.Conversion.UnitTests.Attribution;

/// <summary>Laws that hold for any paths: what order, repetition, symmetry and irrelevant channels do to credit.</summary>
public sealed class AttributionLaws
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(10_000);
    private static readonly string[] Channels = ["Direct", "Paid Search", "Email", "Referral", "Organic Search"];

    [Fact]
    public void Weights_AnyPathAndModel_SumToOneAndNoneIsNegative() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), TouchKinds().ToArbitrary(), (touches, kind) =>
        {
            var weights = AttributionModels.Weights(kind, touches);
            return weights.Count == touches.Length && weights.Sum() == 1m && weights.All(weight => weight is >= 0 and <= 1);
        }));

    [Fact]
    public void Weights_LinearOfAnyOrder_IsTheSame() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), touches =>
            Same(AttributionModels.Shares(AttributionKind.Linear, touches), AttributionModels.Shares(
                AttributionKind.Linear, touches.Reverse().ToArray()))));

    [Fact]
    public void Shares_ShapleyOfAnyOrderAndRepetition_IsTheSame() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), touches => Same(
            AttributionModels.Shares(AttributionKind.Shapley, touches),
            AttributionModels.Shares(AttributionKind.Shapley, touches.Concat(touches.Reverse()).ToArray()))));

    [Fact]
    public void Weights_FirstAndLastTouch_MirrorEachOther() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), touches => AttributionModels.Weights(AttributionKind.FirstTouch, touches)
            .SequenceEqual(AttributionModels.Weights(AttributionKind.LastTouch, touches.Reverse().ToArray()).Reverse())));

    [Fact]
    public void Weights_PositionBased_ReadsTheSameFromBothEnds() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), touches =>
        {
            var weights = AttributionModels.Weights(AttributionKind.PositionBased, touches);
            return weights.Zip(weights.Reverse()).All(pair => Math.Abs(pair.First - pair.Second) < 1e-25m);
        }));

    [Fact]
    public void Weights_TimeDecay_NeverGivesAnOlderTouchMore() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), touches =>
        {
            var ordered = touches.OrderBy(touch => touch.Time).ToArray();
            var weights = AttributionModels.Weights(AttributionKind.TimeDecay, ordered);
            return weights.Zip(weights.Skip(1)).All(pair => pair.First <= pair.Second + 1e-20m);
        }));

    [Fact]
    public void Weights_TimeDecay_HalvesWithEachHalfLife() =>
        Check.One(Many, Prop.ForAll(Gen.Choose(1, 90).ToArbitrary(), Gen.Choose(1, 400).ToArbitrary(), (halfLife, days) =>
        {
            PathTouch[] touches = [new("A", false, Start), new("B", false, Start.AddDays(days))];
            var weights = AttributionModels.Weights(AttributionKind.TimeDecay, touches, halfLife);
            return Math.Abs((double)(weights[0] / weights[1]) - Math.Pow(2, -days / (double)halfLife)) < 1e-9;
        }));

    [Fact]
    public void Weights_LastNonDirect_NeverCreditsDirectWhereAnotherTouchIs() =>
        Check.One(Many, Prop.ForAll(Paths().ToArbitrary(), touches =>
        {
            var credited = touches[Array.IndexOf(AttributionModels.Weights(AttributionKind.LastNonDirect, touches).ToArray(), 1m)];
            return credited.IsDirect == touches.All(touch => touch.IsDirect);
        }));

    [Fact]
    public void Markov_SelfLoopsAnywhere_ChangeNoRemovalEffect() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(ManyPaths().ToArbitrary(), paths =>
        {
            var doubled = paths.Select(path =>
                path with { Touches = path.Touches.SelectMany(touch => Enumerable.Repeat(touch, 1 + (touch.Group.Length % 3))).ToArray() });
            return Near(MarkovChain.Solve(paths), MarkovChain.Solve(doubled.ToArray()));
        }));

    [Fact]
    public void Markov_ExchangedChannels_HaveEqualEffects() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(ManyPaths().ToArbitrary(), paths =>
        {
            // Each path with Email and Referral exchanged beside it: nothing tells the two apart, so that their credit is equal.
            var both = paths.Concat(paths.Select(path => path with { Touches = path.Touches.Select(Exchange).ToArray() })).ToArray();
            var shares = MarkovChain.Solve(both).ToDictionary(share => share.Group);
            return shares.Count == 0 || !shares.ContainsKey("Email")
                || Math.Abs(shares["Email"].RemovalEffect - shares["Referral"].RemovalEffect) < 1e-9;
        }));

    [Fact]
    public void Markov_AnyPaths_CreditsSumToOneAndEffectsAreShares() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(ManyPaths().ToArbitrary(), paths =>
        {
            var shares = MarkovChain.Solve(paths);
            return shares.Count == 0
                || (shares.Sum(share => share.Share) == 1m && shares.All(share => share is { Share: >= 0, RemovalEffect: >= 0 and <= 1 }));
        }));

    [Fact]
    public void Markov_MorePathsOfTheSame_ChangeNothing() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(
            ManyPaths().ToArbitrary(), Gen.Choose(2, 50).ToArbitrary(), (paths, times) => Near(
                MarkovChain.Solve(paths), MarkovChain.Solve(
                    paths.Select(path => path with { Conversions = path.Conversions * times, Nulls = path.Nulls * times }).ToArray()))));

    [Fact]
    public void Shapley_ExchangedChannels_GetEqualCredit() =>
        Check.One(Many, Prop.ForAll(ManyPaths().ToArbitrary(), paths =>
        {
            var both = paths.Concat(paths.Select(path => path with { Touches = path.Touches.Select(Exchange).ToArray() })).ToArray();
            var credits = AttributionCredits.Evaluate(AttributionKind.Shapley, both, 7)
                .ToDictionary(credit => credit.Group, credit => credit.Conversions);
            return Math.Abs(credits.GetValueOrDefault("Email") - credits.GetValueOrDefault("Referral")) < 1e-18m;
        }));

    private static PathTouch Exchange(PathTouch touch) => touch.Group switch
    {
        "Email" => touch with { Group = "Referral" },
        "Referral" => touch with { Group = "Email" },
        _ => touch,
    };

    private static bool Near(IReadOnlyList<MarkovShare> one, IReadOnlyList<MarkovShare> other) =>
        one.Count == other.Count && one.Zip(other)
            .All(pair => pair.First.Group == pair.Second.Group && Math.Abs(pair.First.RemovalEffect - pair.Second.RemovalEffect) < 1e-9);

    private static bool Same(IReadOnlyList<Share> one, IReadOnlyList<Share> other)
    {
        var shares = other.ToDictionary(share => share.Group, share => share.Weight);
        return one.Count == other.Count && one.All(share => Math.Abs(share.Weight - shares[share.Group]) < 1e-24m);
    }

    private static Gen<AttributionKind> TouchKinds() =>
        Gen.Elements(
            Enum.GetValues<AttributionKind>().Where(kind => kind is not (AttributionKind.Markov or AttributionKind.Shapley)).ToArray());

    private static Gen<PathTouch[]> Paths() => from touches in Touches().NonEmptyListOf() select touches.ToArray();

    private static Gen<TouchPath[]> ManyPaths() =>
        from paths in (from touches in Paths()
                       from conversions in Gen.Choose(0, 5)
                       from nulls in Gen.Choose(0, 5)
                       select new TouchPath(touches, conversions, nulls, conversions)).NonEmptyListOf()
        select paths.ToArray();

    private static Gen<PathTouch> Touches() =>
        from channel in Gen.Elements(Channels)
        from hours in Gen.Choose(0, 24 * 365)
        from marks in Gen.Choose(0, 7)
        select new PathTouch(channel, channel == "Direct", Start.AddHours(hours), (Milestones)marks);
}
