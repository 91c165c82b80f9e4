using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

public sealed class ScoreStateTests
{
    private const double Month = 30 * 86_400;

    [Fact]
    public void FallsBelow_OneHalfLife_IsTheFormula()
    {
        // 30 constant + 40 decaying reach 40 when 40 has become 10: two half-lives.
        var falls = State(30, new Bucket(Month, 40)).FallsBelow(40);

        Assert.Equal(Start.AddDays(60).AddMicroseconds(1), falls);
    }

    [Fact]
    public void FallsBelow_ConstantReachesThreshold_IsNever() => Assert.Null(State(40, new Bucket(Month, 40)).FallsBelow(40));

    [Fact]
    public void FallsBelow_AlreadyBelow_IsNow() => Assert.Equal(Start, State(10, new Bucket(Month, 20)).FallsBelow(40));

    [Fact]
    public void FallsBelow_FastNegativePoints_FindsTheDip()
    {
        // Slow negative points show when fast positive ones have gone.
        var falls = State(45, new Bucket(86_400, 20), new Bucket(Month, -10)).FallsBelow(40)!.Value;

        Assert.True(falls > Start);
        Assert.Equal(40, State(45, new Bucket(86_400, 20), new Bucket(Month, -10)).TotalAt(falls), 6);
    }

    [Fact]
    public void FallsBelow_AnyPositiveBuckets_IsTheCrossing()
    {
        var buckets = Gen.Choose(1, 90 * 24)
            .SelectMany(hours => Gen.Choose(1, 6_000).Select(cents => new Bucket(hours * 3_600, cents / 100.0))).Some(4)
            .Select(list => list.DistinctBy(bucket => bucket.HalfLifeSeconds).ToArray());
        Prop.ForAll(buckets.ToArbitrary(), Gen.Choose(0, 39).ToArbitrary(), (decaying, constant) =>
        {
            var state = State(constant, decaying);
            if (state.TotalAt(Start) < 40)
            {
                return state.FallsBelow(40) == Start;
            }

            var falls = state.FallsBelow(40)!.Value;
            return state.TotalAt(falls) < 40 + 1e-9 && state.TotalAt(falls.AddMilliseconds(-1)) >= 40;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
    }

    [Fact]
    public void Split_AnyParts_SumToTheTotal() =>
        Prop.ForAll(Gen.Choose(-1_000_000, 1_000_000).Select(value => value / 7_000.0).Some(40).ToArbitrary(), parts =>
        {
            var total = ScorePoints.Cents(parts.Sum());
            var split = ScorePoints.Split(total, parts);
            return split.Sum() == total && split.Zip(parts).All(pair => Math.Abs((double)pair.First - pair.Second) <= 0.010001);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void Round_ThreeThirds_SumsToTheTotal() =>
        Assert.Equal(new ScorePoints(1, 0.34m, 0.33m, 0.33m), ScorePoints.Round(1 / 3.0, 1 / 3.0, 1 / 3.0));

    private static ScoreState State(decimal constant, params Bucket[] buckets) =>
        new(Start, new(constant, []), new(0, buckets), CategoryState.Zero);
}
