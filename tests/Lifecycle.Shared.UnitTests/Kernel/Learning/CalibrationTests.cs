using Lifecycle.Kernel.Learning;

namespace Lifecycle.Shared.UnitTests.Kernel.Learning;

public sealed class CalibrationTests
{
    [Fact]
    public void Fit_OverconfidentLogOdds_TellsWhatWasObserved()
    {
        // Log-odds of ±4 claim 98 %; observed are 80 % and 20 %.
        var logOdds = Enumerable.Range(0, 2_000).Select(index => index < 1_000 ? 4.0 : -4.0).ToArray();
        var won = Enumerable.Range(0, 2_000).Select(index => index < 800 || index >= 1_800).ToArray();

        var calibration = Calibration.Fit(logOdds, won);

        Assert.Equal(0.8, calibration.Probability(4), 2);
        Assert.Equal(0.2, calibration.Probability(-4), 2);
        Assert.Equal(0.5, calibration.Probability(0), 2);
    }

    [Fact]
    public void Fit_LogOddsThatRankTheWrongWay_TellsTheShare()
    {
        var calibration = Calibration.Fit([2, 1, -1, -2], [false, false, true, true]);

        Assert.Equal(0, calibration.Slope);
        Assert.Equal(0.5, calibration.Probability(3), 12);
    }

    [Fact]
    public void Brier_FourLeads_IsTheMeanSquaredError() =>
        // (0.01 + 0.04 + 0.25 + 0.16) / 4
        Assert.Equal(0.115, Calibration.Brier([0.9, 0.2, 0.5, 0.6], [true, false, true, true]), 12);

    [Fact]
    public void Table_TwentyLeads_HasTenGroupsInOrder()
    {
        var probabilities = Enumerable.Range(0, 20).Select(index => index / 20.0).Reverse().ToArray();
        var table = Calibration.Table(probabilities, [.. probabilities.Select(probability => probability >= 0.5)]);

        Assert.Equal(10, table.Count);
        Assert.All(table, bin => Assert.Equal(2, bin.Cases));
        Assert.Equal((0.025, 0.0), (Math.Round(table[0].Predicted, 10), table[0].Observed));
        Assert.Equal((0.925, 1.0), (Math.Round(table[9].Predicted, 10), table[9].Observed));
    }
}
