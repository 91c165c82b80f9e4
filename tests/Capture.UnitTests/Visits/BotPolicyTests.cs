using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Visits;

namespace Capture.UnitTests.Visits;

public sealed class BotPolicyTests
{
    private static readonly BotPolicy Policy = new(60, 2);

    [Theory]
    [InlineData(60, 30, true)]
    [InlineData(60, 0, true)]
    [InlineData(60, 31, false)]
    [InlineData(59, 1, false)]
    [InlineData(1000, 3600, false)]
    public void IsRobot_PagesInSeconds_IsMoreThanAPersonCanSee(int pages, double seconds, bool isRobot) =>
        Assert.Equal(isRobot, Policy.IsRobot(Session(pages, seconds)));

    [Fact]
    public void IsRobot_SwitchedOff_IsNever() => Assert.False((Policy with { MinPageViews = 0 }).IsRobot(Session(1000, 1)));

    private static VisitSession Session(int pages, double seconds)
    {
        var start = new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
        return new(start, start.AddSeconds(seconds), null, TrafficSource.None, null, null, pages, pages);
    }
}
