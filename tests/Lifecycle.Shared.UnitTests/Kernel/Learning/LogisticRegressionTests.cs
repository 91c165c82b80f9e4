using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel.Learning;

namespace Lifecycle.Shared.UnitTests.Kernel.Learning;

public sealed class LogisticRegressionTests
{
    private static readonly Gen<Example> Examples =
        from first in Gen.Choose(0, 1)
        from second in Gen.Choose(0, 5)
        from third in Gen.Choose(-3, 3)
        from won in Gen.Choose(0, 1)
        select new Example([0, 1, 2], [first, second, third], won);

    [Fact]
    public void Fit_FourfoldTable_IsTheLogOddsRatio()
    {
        var examples = Table(wonWith: 30, lostWith: 10, wonWithout: 20, lostWithout: 40);

        var fit = LogisticRegression.Fit(examples, 1, penalty: 0);

        Assert.Equal(Math.Log(30.0 * 40 / (10 * 20)), fit.Coefficients[0], 8);
        Assert.Equal(Math.Log(20.0 / 40), fit.Intercept, 8);
        Assert.Equal(0.75, LogisticFit.Probability(fit.LogOdds(examples[0])), 8);
    }

    [Fact]
    public void Fit_NoFeatures_IsTheLogOddsOfTheShare()
    {
        var fit = LogisticRegression.Fit(
            [.. Enumerable.Range(0, 20).Select(index => new Example([], [], index < 5 ? 1 : 0))], 0, penalty: 1);

        Assert.Equal(Math.Log(5.0 / 15), fit.Intercept, 8);
    }

    [Fact]
    public void Fit_Penalised_SolvesTheScoreEquations() =>
        Prop.ForAll(Examples.ListOf(40).ToArbitrary(), Gen.Choose(1, 50).ToArbitrary(), (list, tenths) =>
        {
            var (examples, penalty) = (list.ToArray(), tenths / 10.0);
            var fit = LogisticRegression.Fit(examples, 3, penalty);
            var errors = examples.Select(example => LogisticFit.Probability(fit.LogOdds(example)) - example.Target).ToArray();
            return Enumerable.Range(0, 3).All(feature =>
            {
                var values = examples.Select(example => example.Values[feature]).ToArray();
                var mean = values.Average();
                var variance = values.Average(value => (value - mean) * (value - mean));
                var slope = errors.Zip(values, (error, value) => error * value).Sum() + (penalty * variance * fit.Coefficients[feature]);
                return Math.Abs(variance > 1e-12 ? slope : 0) < 1e-5;
            }) && Math.Abs(errors.Sum()) < (examples.All(example => example.Won) || examples.All(example => !example.Won) ? 1e-2 : 1e-5);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Theory]
    [InlineData(0.1)]
    [InlineData(1)]
    [InlineData(100)]
    public void Fit_SeparatedWithoutError_StaysFinite(double penalty)
    {
        var examples = Table(wonWith: 50, lostWith: 0, wonWithout: 0, lostWithout: 50);

        var fit = LogisticRegression.Fit(examples, 1, penalty);

        Assert.InRange(fit.Coefficients[0], 0.01, 40);
        Assert.True(fit.Coefficients[0] > LogisticRegression.Fit(examples, 1, penalty * 10).Coefficients[0]);
    }

    [Fact]
    public void Fit_ValueInOtherUnits_PredictsTheSame()
    {
        var examples = Enumerable.Range(0, 60).Select(index => new Example([0], [index % 7], index % 3 == 0 ? 1 : 0)).ToArray();
        var scaled = examples.Select(example => example with { Values = [example.Values[0] * 1000] }).ToArray();

        var (fit, other) = (LogisticRegression.Fit(examples, 1, 5), LogisticRegression.Fit(scaled, 1, 5));

        Assert.Equal(fit.Coefficients[0], other.Coefficients[0] * 1000, 7);
        Assert.Equal(fit.Intercept, other.Intercept, 7);
    }

    internal static Example[] Table(int wonWith, int lostWith, int wonWithout, int lostWithout) =>
    [
        .. Enumerable.Repeat(new Example([0], [1], 1), wonWith), .. Enumerable.Repeat(new Example([0], [1], 0), lostWith),
        .. Enumerable.Repeat(new Example([], [], 1), wonWithout), .. Enumerable.Repeat(new Example([], [], 0), lostWithout),
    ];
}
