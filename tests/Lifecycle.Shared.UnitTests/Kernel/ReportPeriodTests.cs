using Lifecycle.Kernel;

namespace Lifecycle.Shared.UnitTests.Kernel;

public sealed class ReportPeriodTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Fact]
    public void Create_MonthsInBerlin_FollowSummerTime()
    {
        var granules = ReportPeriod.Create("2026-03-01", "2026-05-01", Granularity.Month, Berlin).Value.Granules;

        // Summer time began on 29 March 2026: March starts at UTC+1, April at UTC+2.
        Assert.Equal([At("2026-02-28T23:00:00Z"), At("2026-03-31T22:00:00Z")], granules.Select(granule => granule.From));
        Assert.Equal(At("2026-04-30T22:00:00Z"), granules[^1].To);
        Assert.Equal(TimeSpan.FromHours((31 * 24) - 1), granules[0].To - granules[0].From);
    }

    [Fact]
    public void Create_DayOnWhichMidnightIsSkipped_BeginsAtTheFirstInstantAfter()
    {
        // Cuba sets its clocks forward at midnight: 8 March 2026 began at 01:00 local time, UTC-4.
        var havana = TimeZoneInfo.FindSystemTimeZoneById("America/Havana");
        var granule = ReportPeriod.Create("2026-03-08", "2026-03-09", Granularity.Day, havana).Value.Granules[0];

        Assert.Equal(At("2026-03-08T05:00:00Z"), granule.From);
        Assert.Equal(TimeSpan.FromHours(23), granule.To - granule.From);
    }

    [Fact]
    public void Create_Weeks_BreakOnMondays()
    {
        // 1 January 2026 was a Thursday.
        var starts = ReportPeriod.Create("2026-01-01", "2026-01-20", Granularity.Week, TimeZoneInfo.Utc).Value.Granules
            .Select(granule => granule.Start);

        Assert.Equal([new DateOnly(2026, 1, 1), new(2026, 1, 5), new(2026, 1, 12), new(2026, 1, 19)], starts);
    }

    [Fact]
    public void Create_Quarters_BreakOnCalendarQuarters()
    {
        var starts = ReportPeriod.Create("2026-02-15", "2026-12-01", Granularity.Quarter, TimeZoneInfo.Utc).Value.Granules
            .Select(granule => granule.Start);

        Assert.Equal([new DateOnly(2026, 2, 15), new(2026, 4, 1), new(2026, 7, 1), new(2026, 10, 1)], starts);
    }

    [Fact]
    public void IndexOf_EveryHourOfTheYear_FallsIntoItsLocalMonth()
    {
        var period = ReportPeriod.Create("2026-01-01", "2027-01-01", Granularity.Month, Berlin).Value;

        for (var instant = period.From; instant < period.To; instant = instant.AddHours(1))
        {
            Assert.Equal(TimeZoneInfo.ConvertTime(instant, Berlin).Month - 1, period.IndexOf(instant));
        }

        Assert.Equal(-1, period.IndexOf(period.From.AddTicks(-1)));
        Assert.Equal(-1, period.IndexOf(period.To));
    }

    [Theory]
    [InlineData("2026-02-30", "2026-03-01", "from")]
    [InlineData("2026-03-01", "2026-03-01", "to")]
    [InlineData("2026-03-01", null, "to")]
    [InlineData("2000-01-01", "2026-01-01", "granularity")]
    [InlineData("9998-12-01", "9999-12-31", "to")]
    public void Create_FaultyPeriod_NamesTheField(string from, string? to, string field)
    {
        var error = ReportPeriod.Create(from, to, Granularity.Day, TimeZoneInfo.Utc).Error!;

        Assert.Equal([field], error.Violations.Select(violation => violation.Field));
    }

    [Fact]
    public void Midnight_EndsOfTheCalendar_AreInstants()
    {
        Assert.Equal(DateTimeOffset.MinValue, ReportPeriod.Midnight(DateOnly.MinValue, Berlin));
        Assert.Equal(9999, ReportPeriod.Midnight(DateOnly.MaxValue, Berlin).Year);
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, null);
}
