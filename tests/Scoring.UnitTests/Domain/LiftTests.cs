using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel;

namespace Scoring.UnitTests.Domain;

public sealed class LiftTests
{
    [Theory]
    [InlineData(56, 70, 48, 80, 0.2, 0.0524, 0.3339)]
    [InlineData(9, 10, 3, 10, 0.6, 0.1705, 0.8090)]
    public void Difference_NewcombesExamples_HaveHisIntervals(
        int results, int with, int others, int without, double value, double low, double high)
    {
        var difference = new Lift(with, results, without, others).Difference!.Value;

        Assert.Equal((value, low, high), (Math.Round(difference.Value, 4), Math.Round(difference.Low, 4), Math.Round(difference.High, 4)));
    }

    [Fact]
    public void Ratio_FourThirds_HasKatzsInterval()
    {
        var ratio = new Lift(70, 56, 80, 48).Ratio!.Value;

        // Standard error of the logarithm: sqrt(1/56 − 1/70 + 1/48 − 1/80) = 0.109109.
        Assert.Equal(4.0 / 3, ratio.Value, 12);
        Assert.Equal(4.0 / 3 * Math.Exp(-1.959963984540054 * 0.10910894511799618), ratio.Low, 10);
        Assert.Equal(4.0 / 3 * Math.Exp(1.959963984540054 * 0.10910894511799618), ratio.High, 10);
    }

    [Fact]
    public void Wilson_NoneOfTen_EndsAtZeroAndZSquaredOverNPlusZSquared()
    {
        var interval = Lift.Wilson(0, 10);

        Assert.Equal(0, interval.Low, 12);
        Assert.Equal(3.841458820694124 / 13.841458820694124, interval.High, 10);
    }

    [Theory]
    [InlineData(100, 50, 100, 20, LiftVerdict.Raises)]
    [InlineData(100, 20, 100, 50, LiftVerdict.Lowers)]
    [InlineData(100, 21, 100, 20, LiftVerdict.NoClearEffect)]
    [InlineData(9, 9, 100, 0, LiftVerdict.TooFew)]
    [InlineData(100, 9, 0, 0, LiftVerdict.TooFew)]
    public void Verdict_FollowsTheInterval(int with, int results, int without, int others, LiftVerdict verdict) =>
        Assert.Equal(verdict, new Lift(with, results, without, others).Verdict);

    [Fact]
    public void Ratio_NoResultsOnOneSide_IsNone()
    {
        Assert.Null(new Lift(20, 0, 20, 5).Ratio);
        Assert.Null(new Lift(0, 0, 20, 5).Difference);
        Assert.NotNull(new Lift(20, 0, 20, 5).Difference);
    }

    [Fact]
    public void Intervals_AnyTable_HoldTheirEstimateAndTurnWithTheSides() =>
        Prop.ForAll(
            Gen.Choose(1, 60).ToArbitrary(), Gen.Choose(1, 60).ToArbitrary(), Gen.Choose(0, 3600).ToArbitrary(), (with, without, draw) =>
            {
                var lift = new Lift(with, draw % (with + 1), without, draw / 61 % (without + 1));
                var (difference, turned) = (
                    lift.Difference!.Value, new Lift(lift.Without, lift.WithoutResults, lift.With, lift.WithResults).Difference!.Value);
                return difference.Low <= difference.Value + 1e-12 && difference.Value <= difference.High + 1e-12
                    && difference.Low >= -1 - 1e-12 && difference.High <= 1 + 1e-12
                    && Math.Abs(difference.Low + turned.High) < 1e-12
                    && (lift.Ratio is not { } ratio || (ratio.Low <= ratio.Value && ratio.Value <= ratio.High));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
}
