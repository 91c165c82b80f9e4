using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.UnitTests;

public sealed class ChurnTests
{
    /// <summary>Five customers: lost on days 40 and 70, still with us after 50, 100 and 100 days.</summary>
    private static readonly TenureCount[] Five = [new(100, 0, 2), new(40, 1, 0), new(70, 1, 0), new(50, 0, 1)];

    [Fact]
    public void Curve_WorkedExample_IsTheProductLimitWithGreenwoodsInterval()
    {
        var curve = Survival.Curve(Five, 36);

        Assert.Equal([1, 0.8], curve.Take(2).Select(point => Math.Round(point.Survival, 12)));
        Assert.Equal(0.533333333333, curve[2].Survival, 12);
        Assert.Equal([5L, 5L, 3L, 2L], curve.Select(point => point.AtRisk));
        Assert.Equal([0L, 1L, 1L, 0L], curve.Select(point => point.Lost));
        // 0.5333² · (1/(5·4) + 1/(3·2)) = 0.061630, whose root is 0.248253.
        Assert.Equal(0.533333 - (1.959964 * 0.248253), curve[2].Low, 5);
        Assert.Equal(1, curve[2].High);
        // Within the second month: 9.56 days of the one lost, 19.56 of the one not seen longer, 30.44 of three.
        Assert.Equal(1 / (((40 - 30.436875) + (50 - 30.436875) + (3 * 30.436875)) / 30.436875), curve[1].Hazard!.Value, 9);
        Assert.Null(Survival.MedianMonths(curve));
        Assert.Equal(1, Survival.MedianMonths(Survival.Curve([new(10, 1, 0), new(40, 1, 0)], 12)));
    }

    [Fact]
    public void Curve_OfNobody_HasNoPoints() => Assert.Empty(Survival.Curve([], 36));

    [Fact]
    public void Risk_WorkedExample_SumsToTheLastPoint()
    {
        // Use fell from 40 to 10 (0.75 · 30), one ticket (0.2 · 15), NPS 7 (0.5 · 15), one failed payment (0.5 · 20), 1 of 4 mails opened
        // (0.5 · 10), 30 days left (0.75 · 10).
        var parts = RiskModel.Default.Explain(new(10, 40, 1, 7, 1, 4, 1, 0, 30));

        Assert.Equal([22.5m, 3, 7.5m, 10, 5, 7.5m], parts.Select(part => part.Points));
        Assert.Equal(55.5m, RiskModel.Score(parts));
        Assert.Equal("10 uses in 30 days after 40 in the 30 days before", parts[0].Evidence);
    }

    [Fact]
    public void Risk_NothingKnown_IsZeroAndEverythingAgainst_IsAHundred()
    {
        Assert.Equal(0, RiskModel.Score(RiskModel.Default.Explain(new(0, 0, 0, null, 0, 0, 0, 0, null))));
        Assert.Equal(100, RiskModel.Score(RiskModel.Default.Explain(new(0, 9, 7, 2, 3, 5, 0, 0, -4))));
    }
}
