using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;

namespace Nurture.UnitTests;

/// <summary>
/// Times of day where clocks go forward (29 March 2026, 02:00 to 03:00 in Berlin) and back (25 October 2026, 03:00 to 02:00).
/// </summary>
public sealed class LocalTimeTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("2026-03-28", "02:30", "2026-03-28T01:30:00Z")]
    [InlineData("2026-03-29", "02:30", "2026-03-29T01:00:00Z")]
    [InlineData("2026-03-29", "02:00", "2026-03-29T01:00:00Z")]
    [InlineData("2026-03-29", "03:00", "2026-03-29T01:00:00Z")]
    [InlineData("2026-10-25", "02:30", "2026-10-25T00:30:00Z")]
    [InlineData("2026-10-25", "03:00", "2026-10-25T02:00:00Z")]
    public void Instant_AroundSummerTime_IsTheFirstThatFits(string day, string at, string expected) =>
        Assert.Equal(Time(expected), LocalTime.Instant(DateOnly.Parse(day, null), TimeOnly.Parse(at, null), Berlin));

    [Theory]
    [InlineData("2026-03-02T07:59:00Z", "2026-03-02T08:00:00Z")]
    [InlineData("2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z")]
    [InlineData("2026-03-28T09:00:00Z", "2026-03-29T07:00:00Z")]
    public void Next_NineInBerlin_IsAfterNow(string now, string expected) =>
        Assert.Equal(Time(expected), LocalTime.Next(Time(now), new TimeOnly(9, 0), [], Berlin));

    [Fact]
    public void Next_OnMondaysOnly_WaitsAWeekWhenTodaysTimeIsOver()
    {
        // 2 March 2026 is a Monday.
        Assert.Equal(
            Time("2026-03-09T08:00:00Z"), LocalTime.Next(Time("2026-03-02T08:00:00Z"), new TimeOnly(9, 0), [DayOfWeek.Monday], Berlin));
        Assert.Equal(
            Time("2026-03-02T08:00:00Z"), LocalTime.Next(Time("2026-02-28T12:00:00Z"), new TimeOnly(9, 0), [DayOfWeek.Monday], Berlin));
    }

    [Theory]
    [InlineData("Asia/Tokyo", "Asia/Tokyo")]
    [InlineData("UTC", "UTC")]
    [InlineData("Nowhere/City", "Europe/Berlin")]
    [InlineData("EST", "Europe/Berlin")]
    [InlineData(null, "Europe/Berlin")]
    public void ZoneOf_Trait_CountsWhereItIsAnIanaName(string? trait, string zone) =>
        Assert.Equal(zone, LocalTime.ZoneOf(name => name == "timezone" ? trait : null, Berlin).Id);

    [Fact]
    public void Anniversary_OfALeapDay_FallsOnThe28th()
    {
        Assert.Equal(new DateOnly(2027, 2, 28), LocalTime.Anniversary(new DateOnly(1992, 2, 29), 2027));
        Assert.Equal(new DateOnly(2028, 2, 29), LocalTime.Anniversary(new DateOnly(1992, 2, 29), 2028));
    }

    [Fact]
    public void Next_AnyInstantAndTime_IsThatTimeWithinADayAndAfterNow() => Prop.ForAll(
        (from minutes in Gen.Choose(0, 60 * 24 * 800) from at in Gen.Choose(0, 1439) select (minutes, at)).ToArbitrary(), input =>
        {
            var now = Time("2025-01-01T00:00:00Z").AddMinutes(input.minutes);
            var at = TimeOnly.FromTimeSpan(TimeSpan.FromMinutes(input.at));

            var next = LocalTime.Next(now, at, [], Berlin);

            Assert.InRange(next, now.AddTicks(1), now.AddHours(26));
            var local = TimeOnly.FromDateTime(TimeZoneInfo.ConvertTime(next, Berlin).DateTime);
            Assert.True(local == at || (local == new TimeOnly(3, 0) && at.Hour == 2), $"{now:o} {at} {next:o}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, null);
}

public sealed class SendingPolicyTests
{
    private static readonly TimeZoneInfo Tokyo = TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo");
    private static readonly DateTimeOffset Noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-03-02T11:59:00Z", null)]
    [InlineData("2026-03-02T12:00:00Z", "2026-03-02T23:00:00Z")]
    [InlineData("2026-03-02T22:59:00Z", "2026-03-02T23:00:00Z")]
    [InlineData("2026-03-02T23:00:00Z", null)]
    public void Admit_QuietHoursOverMidnightInTokyo_WaitsForTheMorning(string now, string? until)
    {
        // 21:00 to 08:00 in Tokyo is 12:00 to 23:00 UTC.
        var policy = new SendingPolicy(new TimeOnly(21, 0), new TimeOnly(8, 0), [], CapAction.Delay);

        var verdict = policy.Admit(DateTimeOffset.Parse(now, null), Tokyo, []);

        Assert.Equal(until is null ? SendVerdict.Go : new(false, DateTimeOffset.Parse(until, null)), verdict);
    }

    [Fact]
    public void Admit_CapReached_WaitsUntilTheOldestOfThemIsOut()
    {
        var policy = new SendingPolicy(null, null, [new(2, TimeSpan.FromDays(1)), new(3, TimeSpan.FromDays(7))], CapAction.Delay);

        Assert.Equal(SendVerdict.Go, policy.Admit(Noon, Tokyo, [Noon.AddHours(-3), Noon.AddHours(-25)]));
        Assert.Equal(new(false, Noon.AddHours(4)), policy.Admit(Noon, Tokyo, [Noon.AddHours(-3), Noon.AddHours(-20)]));
        Assert.Equal(
            new(false, Noon.AddDays(2)), policy.Admit(Noon, Tokyo, [Noon.AddHours(-3), Noon.AddHours(-20), Noon.AddDays(-5)]));
        Assert.Equal(
            SendVerdict.Skip, (policy with { OnCap = CapAction.Skip }).Admit(Noon, Tokyo, [Noon.AddHours(-3), Noon.AddHours(-20)]));
    }

    [Fact]
    public void Admit_CapThatFreesInQuietHours_WaitsForTheirEnd()
    {
        var policy = new SendingPolicy(new TimeOnly(21, 0), new TimeOnly(8, 0), [new(1, TimeSpan.FromHours(10))], CapAction.Delay);

        // Free at 14:00 UTC, which is 23:00 in Tokyo.
        Assert.Equal(new(false, new(2026, 3, 2, 23, 0, 0, TimeSpan.Zero)), policy.Admit(Noon.AddHours(-2), Tokyo, [Noon.AddHours(-8)]));
    }

    [Fact]
    public void Check_FaultyPolicy_NamesEveryFault()
    {
        var violations = new Violations();

        new SendingPolicy(
            new TimeOnly(21, 0), null, [new(0, TimeSpan.FromDays(1)), new(1, TimeSpan.FromMinutes(1))], CapAction.Delay).Check(violations);

        Assert.Equal(["quietTo", "caps[0].count", "caps[1].window"], violations.Found.Select(violation => violation.Field));
    }

    [Fact]
    public void Admit_AnyHistory_KeepsToTheCap() => Prop.ForAll(
        (from count in Gen.Choose(1, 4)
         from hours in Gen.Choose(1, 72)
         from wishes in Gen.Choose(0, 300).ArrayOf(30)
         select (count, hours, wishes)).ToArbitrary(), input =>
        {
            var window = TimeSpan.FromHours(input.hours);
            var policy = new SendingPolicy(null, null, [new(input.count, window)], CapAction.Delay);
            var sent = new List<DateTimeOffset>();
            foreach (var wish in input.wishes.Order().Select(hours => Noon.AddHours(hours)))
            {
                if (policy.Admit(wish, Tokyo, sent) is { Goes: false, Until: { } until })
                {
                    Assert.True(until > wish);
                    Assert.True(policy.Admit(until, Tokyo, sent).Goes);
                }
                else
                {
                    sent.Add(wish);
                }
            }

            Assert.All(sent, time => Assert.InRange(sent.Count(other => other > time - window && other <= time), 1, input.count));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
}
