using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Conversion.Domain.Forecasts;

namespace Lifecycle.Conversion.UnitTests.Forecasts;

public sealed class ForecastTests
{
    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963985)]
    [InlineData(0.95, 1.644853627)]
    [InlineData(0.001, -3.090232306)]
    public void Quantile_OfTheNormal_IsTheTabulatedOne(double probability, double expected) =>
        Assert.Equal(expected, Normal.Quantile(probability), 8);

    [Fact]
    public void Wilson_EightOfTen_IsTheKnownInterval()
    {
        var (low, high) = Forecast.Wilson(8, 10, 0.95)!.Value;

        Assert.Equal(0.490162, low, 6);
        Assert.Equal(0.943318, high, 6);
        Assert.Null(Forecast.Wilson(0, 0, 0.95));
    }

    [Theory]
    [InlineData(0, 0, 0.5)]
    [InlineData(10, 0, 0.75)]
    [InlineData(30, 60, 0.35)]
    public void Expected_StatedChanceAndDeals_AreWeighed(long won, long lost, double expected) =>
        Assert.Equal(expected, new StageRecord(0.5, won, lost).Expected, 12);

    [Fact]
    public void Sum_TwoStages_IsAsWorkedOutByHand()
    {
        // Stage 0: 0.5 stated, none closed: mean 0.5, v = 0.25/11. Stage 1: 0.2 stated, 8 won of 30: (8 + 2) / 40 = 0.25, v = 0.1875/41.
        StageRecord[] stages = [new(0.5, 0, 0), new(0.2, 8, 22)];
        var sum = Forecast.Sum([new(0, 1000), new(0, 3000), new(1, 2000)], stages, 0.9, 2);
        var variance = (10_000_000 * (0.25 - (0.25 / 11))) + (16_000_000 * (0.25 / 11)) + (4_000_000 * 0.1875);
        var spread = Math.Round((decimal)(1.6448536269514722 * Math.Sqrt(variance)), 2);

        Assert.Equal((3, 6000m, 2400m, 2500m), (sum.Count, sum.Amount, sum.Weighted, sum.Expected));
        Assert.Equal((Math.Max(0, 2500m - spread), 2500m + spread), (sum.Low, sum.High));
    }

    [Fact]
    public void Sum_AnyDeals_LiesWithinItsIntervalAndTheWorthTogether() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2_000),
        Prop.ForAll(
            (from stage in Gen.Choose(0, 2) from amount in Gen.Choose(0, 1_000_000) select new OpenDeal(stage, amount)).ArrayOf()
                .ToArbitrary(),
            deals =>
            {
                var sum = Forecast.Sum(deals, [new(0, 0, 5), new(0.3, 4, 9), new(1, 100, 0)], 0.8, 2);
                return sum.Low >= 0 && sum.Low <= sum.Expected && sum.Expected <= sum.High && sum.High <= sum.Amount
                    && sum.Amount == deals.Sum(deal => deal.Amount);
            }));

    /// <summary>Plays the same deals out many times: the interval must hold about as often as it says.</summary>
    [Fact]
    public void Sum_PlayedOutTenThousandTimes_HoldsAsOftenAsItSays()
    {
        StageRecord[] stages = [new(0.5, 200, 200), new(0.2, 300, 900)];
        var random = new Random(20260301);
        OpenDeal[] deals = [.. Enumerable.Range(0, 80).Select(index => new OpenDeal(index % 2, random.Next(1_000, 50_000)))];
        var sum = Forecast.Sum(deals, stages, 0.9, 2);
        var inside = Enumerable.Range(0, 10_000).Count(_ =>
        {
            var won = deals.Sum(deal => random.NextDouble() < stages[deal.Stage].Expected ? deal.Amount : 0);
            return won >= sum.Low && won <= sum.High;
        });

        Assert.InRange(inside, 8_900, 9_500);
    }
}
