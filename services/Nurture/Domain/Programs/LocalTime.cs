using System.Globalization;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>Days and times of day in a lead's zone.</summary>
public static class LocalTime
{
    /// <summary>Names of traits that may hold the lead's IANA time zone, the first known one counts.</summary>
    public static readonly IReadOnlyList<string> ZoneTraits = ["timeZone", "timezone", "time_zone"];

    /// <summary>The lead's zone by its traits, else the workspace's.</summary>
    /// <param name="trait">The lead's trait of a name, or null.</param>
    /// <param name="workspace">Zone of the workspace.</param>
    public static TimeZoneInfo ZoneOf(Func<string, string?> trait, TimeZoneInfo workspace)
    {
        foreach (var name in ZoneTraits)
        {
            // An IANA name has a slash; "EST" and the like would be read by some systems and not by others.
            if (trait(name) is { } text && (text.Contains('/', StringComparison.Ordinal) || text == "UTC")
                && TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone))
            {
                return zone;
            }
        }

        return workspace;
    }

    /// <summary>
    /// The instant of a local time. A time that summer time skips is the first instant after the gap; of a time that comes twice, the
    /// first.
    /// </summary>
    public static DateTimeOffset Instant(DateOnly day, TimeOnly at, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(at);
        if (zone.IsInvalidTime(local))
        {
            // The gap begins on a whole minute: the last one before it and one more is the first instant after it.
            var before = local.AddTicks(-(local.Ticks % TimeSpan.TicksPerMinute));
            while (zone.IsInvalidTime(before))
            {
                before = before.AddMinutes(-1);
            }

            return new DateTimeOffset(before, zone.GetUtcOffset(before)).AddMinutes(1).ToUniversalTime();
        }

        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    /// <summary>Local day at an instant.</summary>
    public static DateOnly Day(DateTimeOffset now, TimeZoneInfo zone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);

    /// <summary>The first instant after <paramref name="now"/> at which it is that time on one of the days.</summary>
    /// <param name="days">None: any.</param>
    public static DateTimeOffset Next(DateTimeOffset now, TimeOnly at, IReadOnlyList<DayOfWeek> days, TimeZoneInfo zone)
    {
        // A day more than a week: today's time may be over on the only day allowed.
        for (var day = Day(now, zone); ; day = day.AddDays(1))
        {
            var instant = Instant(day, at, zone);
            if (instant > now && (days.Count == 0 || days.Contains(day.DayOfWeek)))
            {
                return instant;
            }
        }
    }

    /// <summary>The day that a trait holds: <c>2026-03-31</c>, or a time that begins so; null for anything else.</summary>
    public static DateOnly? ReadDay(string? text) =>
        text is { Length: >= 10 } && (text.Length == 10 || text[10] is 'T' or ' ')
            && DateOnly.TryParseExact(text.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day : null;

    /// <summary>The day's anniversary in a year; 29 February falls on the 28th where there is none.</summary>
    public static DateOnly Anniversary(DateOnly day, int year) =>
        new(year, day.Month, Math.Min(day.Day, DateTime.DaysInMonth(year, day.Month)));

    /// <summary>
    /// When a date wait ends: the day, or its next anniversary, moved by the offset, at that time in the zone. Null once past.
    /// </summary>
    public static DateTimeOffset? DueOn(DateOnly day, int offsetDays, TimeOnly at, bool yearly, DateTimeOffset now, TimeZoneInfo zone)
    {
        if (!yearly)
        {
            return AtOrNull(day, offsetDays, at, now, zone);
        }

        var year = Day(now, zone).Year;
        // An offset of up to ten years either way moves the anniversary that is meant.
        for (var candidate = year - 11; candidate <= year + 12; candidate++)
        {
            if (candidate is >= 1 and <= 9998 && AtOrNull(Anniversary(day, candidate), offsetDays, at, now, zone) is { } due)
            {
                return due;
            }
        }

        return null;
    }

    private static DateTimeOffset? AtOrNull(DateOnly day, int offsetDays, TimeOnly at, DateTimeOffset now, TimeZoneInfo zone)
    {
        var number = day.DayNumber + offsetDays;
        if (number < DateOnly.MinValue.DayNumber + 2 || number > DateOnly.MaxValue.DayNumber - 2)
        {
            return null;
        }

        var instant = Instant(DateOnly.FromDayNumber(number), at, zone);
        return instant > now ? instant : null;
    }
}
