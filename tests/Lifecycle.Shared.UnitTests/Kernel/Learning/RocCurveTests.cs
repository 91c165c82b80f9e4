using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel.Learning;

namespace Lifecycle.Shared.UnitTests.Kernel.Learning;

public sealed class RocCurveTests
{
    private static readonly Gen<(double Score, bool Won)[]> Rankings =
        from scores in Gen.Choose(-20, 20).ArrayOf(30)
        from won in Gen.Elements(true, false).ArrayOf(26)
        select scores.Select((score, index) => (score / 4.0, index < 2 || (index >= 4 && won[index - 4]))).ToArray();

    [Theory]
    [InlineData("1- 2+ 3- 4+", 0.75)]
    [InlineData("1- 2- 3+ 4+", 1)]
    [InlineData("1+ 2+ 3- 4-", 0)]
    [InlineData("5- 5+ 5- 5+", 0.5)]
    [InlineData("1- 2+ 2- 3+", 0.875)]
    public void Of_KnownRanking_IsTheShareOfPairsInOrder(string ranking, double area)
    {
        var entries = ranking.Split(' ');

        var curve = RocCurve.Of(
            [.. entries.Select(entry => double.Parse(entry[..1], null))], [.. entries.Select(entry => entry[1] == '+')]);

        Assert.Equal(area, curve.Area, 12);
        Assert.True(curve.Low <= area && area <= curve.High && curve.Low >= 0 && curve.High <= 1);
    }

    [Fact]
    public void Of_AnyRanking_HasAreaAndIntervalOfAllPairs() =>
        Prop.ForAll(Rankings.ToArbitrary(), ranking =>
        {
            // DeLong's placements, pair by pair.
            var (won, lost) = (Scores(ranking, true), Scores(ranking, false));
            var ofWon = won.Select(score => lost.Average(other => Above(score, other))).ToArray();
            var ofLost = lost.Select(score => won.Average(other => Above(other, score))).ToArray();
            var area = ofWon.Average();
            var error = Math.Sqrt((Variance(ofWon) / won.Length) + (Variance(ofLost) / lost.Length));
            var curve = Curve(ranking);
            return Math.Abs(curve.Area - area) < 1e-12 && Math.Abs(curve.Low - Math.Max(0, area - (1.959963984540054 * error))) < 1e-9
                && Math.Abs(curve.High - Math.Min(1, area + (1.959963984540054 * error))) < 1e-9;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Of_IncreasingMapOfTheScores_ChangesNothing() =>
        Prop.ForAll(Rankings.ToArbitrary(), ranking =>
            Curve(ranking) == Curve([.. ranking.Select(entry => (Math.Exp(entry.Score) + (3 * entry.Score), entry.Won))]))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Of_ScoresTurnedRound_MirrorsTheArea() =>
        Prop.ForAll(Rankings.ToArbitrary(), ranking =>
            Math.Abs(Curve(ranking).Area + Curve([.. ranking.Select(entry => (-entry.Score, entry.Won))]).Area - 1) < 1e-12)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static RocCurve Curve((double Score, bool Won)[] ranking) =>
        RocCurve.Of([.. ranking.Select(entry => entry.Score)], [.. ranking.Select(entry => entry.Won)]);

    private static double[] Scores((double Score, bool Won)[] ranking, bool won) =>
        [.. ranking.Where(entry => entry.Won == won).Select(entry => entry.Score)];

    private static double Above(double score, double other) => score > other ? 1 : score == other ? 0.5 : 0;

    private static double Variance(double[] values) => values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1);
}
