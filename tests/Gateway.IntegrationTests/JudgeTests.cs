using Lifecycle.Gateway.Keys;
using Lifecycle.Gateway.Scorecard;
using Lifecycle.Kernel;
using Status = Lifecycle.Gateway.V1.ScorecardPoint.Types.Status;

namespace Lifecycle.Gateway.IntegrationTests;

public sealed class JudgeTests
{
    [Theory]
    [InlineData(100, 100, false, 1, Status.OnTrack)]
    [InlineData(80, 100, false, 1, Status.AtRisk)]
    [InlineData(79, 100, false, 1, Status.OffTrack)]
    [InlineData(50, 100, false, 0.5, Status.OnTrack)]
    [InlineData(40, 100, false, 0.5, Status.AtRisk)]
    [InlineData(100, 100, true, 1, Status.OnTrack)]
    [InlineData(120, 100, true, 1, Status.AtRisk)]
    [InlineData(121, 100, true, 1, Status.OffTrack)]
    [InlineData(-10, -5, false, 1, Status.OffTrack)]
    [InlineData(-5.5, -5, false, 1, Status.AtRisk)]
    [InlineData(1, 100, false, 0, Status.Unspecified)]
    public void Judge_ComparesWithTheTargetThatIsDue(double value, double target, bool isAtMost, double share, Status status) =>
        Assert.Equal(status, ScorecardJudge.Judge(value, target, isAtMost, share));

    [Fact]
    public void Judge_WithoutValue_IsUnspecified() => Assert.Equal(Status.Unspecified, ScorecardJudge.Judge(null, 1, false, 1));

    [Theory]
    [InlineData(Granularity.Day, "2026-02-28")]
    [InlineData(Granularity.Week, "2026-02-22")]
    [InlineData(Granularity.Month, "2026-02-01")]
    [InlineData(Granularity.Quarter, "2025-12-01")]
    [InlineData(Granularity.Year, "2025-03-01")]
    public void Before_IsOneGranuleEarlier(Granularity granularity, string day) =>
        Assert.Equal(day, ScorecardJudge.Text(ScorecardJudge.Before(new DateOnly(2026, 3, 1), granularity)));

    [Fact]
    public void KeyText_IsBase62OfTheBytes()
    {
        Assert.Equal("lk_" + new string('0', 42) + "1", KeyText.Format("lk_", [.. new byte[31], 1]));
        Assert.Equal("lk_" + new string('0', 41) + "10", KeyText.Format("lk_", [.. new byte[31], 62]));
        Assert.True(KeyText.IsWellFormed(KeyText.Format("lp_", Enumerable.Repeat((byte)255, 32).ToArray())));
        Assert.False(KeyText.IsWellFormed("lk_short"));
        Assert.False(KeyText.IsWellFormed("lk_" + new string('-', 43)));
    }
}
