using System.Globalization;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Handoffs;

public sealed class WorkingHoursTests
{
    private static readonly string[] Week = ["MON", "TUE", "WED", "THU", "FRI"];

    [Theory]
    // Within the day, over the night, over the weekend, before the day begins, on a Sunday, over a holiday (Tuesday the 31st).
    [InlineData("2026-03-23T10:00+01:00", 60, "2026-03-23T11:00+01:00")]
    [InlineData("2026-03-23T16:30+01:00", 60, "2026-03-24T09:30+01:00")]
    [InlineData("2026-03-27T16:30+01:00", 60, "2026-03-30T09:30+02:00")]
    [InlineData("2026-03-23T06:00+01:00", 60, "2026-03-23T10:00+01:00")]
    [InlineData("2026-03-29T02:30+01:00", 480, "2026-03-30T17:00+02:00")]
    [InlineData("2026-03-30T16:00+02:00", 120, "2026-04-01T10:00+02:00")]
    [InlineData("2026-03-23T10:00+01:00", 2400, "2026-03-30T10:00+02:00")]
    public void Add_Minutes_RunsInWorkingHoursOnly(string from, int minutes, string expected) =>
        Assert.Equal(Time(expected), Hours(Week, "09:00", "17:00", "2026-03-31").Add(Time(from), TimeSpan.FromMinutes(minutes), Berlin));

    [Fact]
    public void Add_NightThatSummerTimeShortens_CountsWhatPasses()
    {
        var hours = Hours(["SUN"], "00:00", "24:00");

        Assert.Equal(Time("2026-03-29T04:00+02:00"), hours.Add(Time("2026-03-29T00:00+01:00"), TimeSpan.FromHours(3), Berlin));
        Assert.Equal(Time("2026-10-25T02:00+01:00"), hours.Add(Time("2026-10-25T00:00+02:00"), TimeSpan.FromHours(3), Berlin));
    }

    [Fact]
    public void Parse_EverythingWrong_NamesEveryFault()
    {
        var violations = new Violations();

        Assert.Null(WorkingHours.Parse(["FUNDAY"], "25:00", "9", ["soon"], "workingHours", violations));
        Assert.Equal(
            ["workingHours.days", "workingHours.start", "workingHours.end", "workingHours.holidays[0]"],
            violations.Found.Select(violation => violation.Field));
    }

    private static TimeZoneInfo Berlin => TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    private static WorkingHours Hours(string[] days, string start, string end, params string[] holidays) =>
        WorkingHours.Parse(days, start, end, holidays, "workingHours", new Violations())!;

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
