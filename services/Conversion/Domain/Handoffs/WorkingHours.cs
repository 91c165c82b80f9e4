using System.Globalization;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Handoffs;

/// <summary>When sales work: the same hours on each working day, none on holidays.</summary>
/// <param name="Days">Working days.</param>
/// <param name="StartMinute">Begin, in minutes after midnight.</param>
/// <param name="EndMinute">End, after the begin; 1,440 is the end of the day.</param>
/// <param name="Holidays">Days without work.</param>
public sealed record WorkingHours(IReadOnlyList<DayOfWeek> Days, int StartMinute, int EndMinute, IReadOnlyList<DateOnly> Holidays)
{
    public const int MaxHolidays = 400;

    /// <summary>Days looked ahead for working time: short hours and a long deadline must come to an end.</summary>
    private const int MaxDays = 3660;

    private static readonly string[] Names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    /// <summary>Reads the texts of the API; the faults are named under <paramref name="field"/>.</summary>
    public static WorkingHours? Parse(
        IReadOnlyList<string> days, string start, string end, IReadOnlyList<string> holidays, string field, Violations violations)
    {
        var faults = violations.Found.Count;
        violations.Require(days.Count > 0, $"{field}.days", $"{field}.days names no day.");
        var known = days.Select(day => Array.IndexOf(Names, day)).ToArray();
        violations.Require(known.All(day => day >= 0), $"{field}.days", $"{field}.days must be of {string.Join(", ", Names)}.");
        var (from, to) = (Minute(start), Minute(end));
        violations.Require(from is not null, $"{field}.start", $"{field}.start must be a time such as 09:00.");
        violations.Require(to is not null, $"{field}.end", $"{field}.end must be a time such as 17:00.");
        violations.Require(from is null || to is null || from < to, $"{field}.end", $"{field}.end must lie after {field}.start.");
        violations.Require(
            holidays.Count <= MaxHolidays, $"{field}.holidays",
                $"{field}.holidays has {holidays.Count} days; at most {MaxHolidays} are accepted.");
        var free = new List<DateOnly>();
        for (var index = 0; index < Math.Min(holidays.Count, MaxHolidays); index++)
        {
            if (violations.RequireDate(holidays[index], $"{field}.holidays[{index}]", out var day))
            {
                free.Add(day);
            }
        }

        return violations.Found.Count > faults
            ? null
            : new([.. known.Distinct().Select(day => (DayOfWeek)day)], from!.Value, to!.Value, free);
    }

    /// <summary>
    /// The instant at which so much working time has passed. Hours that summer time skips do not count, those it repeats count twice: time
    /// is what passes between the day's begin and end.
    /// </summary>
    public DateTimeOffset Add(DateTimeOffset from, TimeSpan duration, TimeZoneInfo timeZone)
    {
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(from, timeZone).DateTime);
        var left = duration;
        for (var ahead = 0; ahead < MaxDays; ahead++, day = day.AddDays(1))
        {
            if (!Days.Contains(day.DayOfWeek) || Holidays.Contains(day))
            {
                continue;
            }

            var (begin, end) = (Instant(day, StartMinute, timeZone), Instant(day, EndMinute, timeZone));
            begin = begin > from ? begin : from;
            if (begin < end)
            {
                if (left <= end - begin)
                {
                    return begin + left;
                }

                left -= end - begin;
            }
        }

        return from + duration;
    }

    /// <summary>The days as the API spells them.</summary>
    public IEnumerable<string> DayNames => Days.Select(day => Names[(int)day]);

    /// <summary>A minute of the day as the API spells it, e.g. <c>09:00</c>.</summary>
    public static string Text(int minute) => string.Create(CultureInfo.InvariantCulture, $"{minute / 60:00}:{minute % 60:00}");

    private static int? Minute(string text) => text == "24:00"
        ? 1440
        : TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? (time.Hour * 60) + time.Minute
            : null;

    private static DateTimeOffset Instant(DateOnly day, int minute, TimeZoneInfo timeZone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified).AddMinutes(minute);
        while (timeZone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        var offset = timeZone.IsAmbiguousTime(local) ? timeZone.GetAmbiguousTimeOffsets(local).Max() : timeZone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
