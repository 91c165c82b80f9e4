using Lifecycle.Gateway.Scorecard;

namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>Forecasts and their spread, with numbers worked by hand or from tables.</summary>
public sealed class ForecastTests
{
    private static readonly DateOnly Monday = new(2026, 3, 16);

    [Theory]
    // Poisson with mean 3: e⁻³ (1 + 3 + 9/2) = 0.42319.
    [InlineData(3, 3, true, 2, 0.423190)]
    [InlineData(3, 3, true, 0, 0.049787)]
    // Negative binomial with mean 4 and variance 12: r = 2, p = 1/3; P(0) = 1/9, P(1) = 2 · 1/9 · 2/3 = 4/27.
    [InlineData(4, 12, true, 0, 0.111111)]
    [InlineData(4, 12, true, 1, 0.259259)]
    // Gamma with shape 1 (mean 10, variance 100) is exponential: 1 − e⁻¹.
    [InlineData(10, 100, false, 10, 0.632121)]
    // Shape 2, scale 5: 1 − e⁻² (1 + 2) = 0.59399.
    [InlineData(10, 50, false, 10, 0.593994)]
    [InlineData(0, 0, true, 0, 1)]
    [InlineData(5, 5, true, -1, 0)]
    public void AtMost_OfKnownSpreads_IsTheTablesValue(double mean, double variance, bool isCount, double value, double expected) =>
        Assert.Equal(expected, new Spread(mean, variance, isCount).AtMost(value), 6);

    [Fact]
    public void AtLeast_OfACount_CountsTheValueItself() => Assert.Equal(1 - 0.423190, new Spread(3, 3, true).AtLeast(3), 6);

    [Theory]
    [InlineData(3, 3, true, 0.9, 5)] // P(≤ 4) = 0.815, P(≤ 5) = 0.916.
    [InlineData(3, 3, true, 0.04, 0)]
    [InlineData(10, 100, false, 0.632121, 10)]
    public void Quantile_OfKnownSpreads_IsTheLeastThatReachesTheShare(
        double mean, double variance, bool isCount, double share, double expected) =>
        Assert.Equal(expected, new Spread(mean, variance, isCount).Quantile(share), 3);

    [Fact]
    public void AtMost_OfALargeCount_AgreesWithTheNormalInTheMiddle() =>
        Assert.Equal(0.5, new Spread(10_000, 20_000, true).AtMost(10_000), 2);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(5, 3.178053830)] // ln 24
    [InlineData(0.5, 0.572364943)] // ln √π
    public void LogGamma_OfKnownValues_IsExact(double x, double expected) => Assert.Equal(expected, Spread.LogGamma(x), 8);

    /// <summary>Ten every day for eight weeks: the pace is ten, and nothing but Poisson's own scatter is left.</summary>
    [Fact]
    public void Of_SteadyPace_ForecastsThePace()
    {
        // Of a month 15 days are over with 150, today is half over with 5, and 15 whole days follow: 155 + 5 + 150.
        var forecast = PaceForecast.Of(Enumerable.Repeat(10.0, 56).ToArray(), 155, Monday, 0.5, 15, true, 310, false)!;

        Assert.Equal(310, forecast.Value, 9);
        Assert.InRange(forecast.Probability, 0.48, 0.56);
        // Variance 155 + Σ k² λ / (8 + 3): 2.5² + … of each weekday; an interval of about ±1.28 · √200.
        Assert.InRange(forecast.High - forecast.Value, 12, 25);
        Assert.InRange(forecast.Value - forecast.Low, 12, 25);
    }

    /// <summary>
    /// Nothing happens at weekends: a Friday evening's rest of the month with a weekend in it is worth less than five working days.
    /// </summary>
    [Fact]
    public void Of_QuietWeekends_KnowsTheWeekday()
    {
        double[] Before(DateOnly today) =>
            [.. Enumerable.Range(1, 56).Reverse()
                .Select(back => today.AddDays(-back).DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 0.0 : 20)];
        var saturday = Monday.AddDays(5);

        var weekend = PaceForecast.Of(Before(saturday), 0, saturday, 1, 1, true, 1, false)!;
        var working = PaceForecast.Of(Before(Monday), 0, Monday, 1, 1, true, 1, false)!;

        Assert.True(weekend.Value < 0.4 * working.Value, $"{weekend.Value} {working.Value}");
    }

    [Theory]
    [InlineData(280, 0.99)]
    [InlineData(340, 0.01)]
    public void Of_TargetFarFromThePace_IsAsGoodAsDecided(double target, double chance)
    {
        var forecast = PaceForecast.Of(Enumerable.Repeat(10.0, 56).ToArray(), 155, Monday, 0.5, 15, true, target, false)!;
        Assert.Equal(chance, forecast.Probability, 1);
        Assert.Equal(
            1 - forecast.Probability,
            PaceForecast.Of(Enumerable.Repeat(10.0, 56).ToArray(), 155, Monday, 0.5, 15, true, target - 1, true)!.Probability, 6);
    }

    [Fact]
    public void Of_TargetMetOrPassed_IsCertain()
    {
        Assert.Equal(1, PaceForecast.Of(Enumerable.Repeat(1.0, 56).ToArray(), 50, Monday, 1, 3, true, 50, false)!.Probability);
        Assert.Equal(0, PaceForecast.Of(Enumerable.Repeat(1.0, 56).ToArray(), 51, Monday, 1, 3, true, 50, true)!.Probability);
    }

    [Fact]
    public void Of_LessThanTwoWeeksOfHistory_SaysNothing() =>
        Assert.Null(PaceForecast.Of([.. Enumerable.Repeat(0.0, 43), .. Enumerable.Repeat(5.0, 13)], 10, Monday, 1, 3, true, 50, false));
}
