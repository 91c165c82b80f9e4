namespace Lifecycle.Kernel;

/// <summary>Length of one point of a report.</summary>
public enum Granularity
{
    Day = 1,
    Week = 2,
    Month = 3,
    Quarter = 4,
    Year = 5,
}

/// <summary>One point of a report: calendar days in the workspace's zone, and the instants they span.</summary>
/// <param name="Start">First day.</param>
/// <param name="End">Day after the last.</param>
/// <param name="From">First instant, UTC, inclusive.</param>
/// <param name="To">Last instant, UTC, exclusive.</param>
public sealed record Granule(DateOnly Start, DateOnly End, DateTimeOffset From, DateTimeOffset To);

/// <summary>A report's period in the workspace's time zone, cut into granules.</summary>
public sealed class ReportPeriod
{
    /// <summary>Most points that one report may have.</summary>
    public const int MaxGranules = 1100;

    private ReportPeriod(IReadOnlyList<Granule> granules, TimeZoneInfo timeZone, Granularity granularity) =>
        (Granules, TimeZone, Granularity) = (granules, timeZone, granularity);

    public IReadOnlyList<Granule> Granules { get; }

    public TimeZoneInfo TimeZone { get; }

    public Granularity Granularity { get; }

    /// <summary>First instant, UTC.</summary>
    public DateTimeOffset From => Granules[0].From;

    /// <summary>Instant after the last, UTC.</summary>
    public DateTimeOffset To => Granules[^1].To;

    /// <summary>
    /// Cuts [<paramref name="from"/>, <paramref name="to"/>) at calendar boundaries (weeks from Monday); the first and last granule may be
    /// shorter. Days begin at local midnight, or where summer time skips it, at the first instant after.
    /// Errors: text that is no day, an empty period, more than <see cref="MaxGranules"/> points.
    /// </summary>
    public static Result<ReportPeriod> Create(string? from, string? to, Granularity granularity, TimeZoneInfo timeZone)
    {
        var violations = new Violations();
        var fromIsDay = violations.RequireDate(from, "from", out var first);
        var toIsDay = violations.RequireDate(to, "to", out var end);
        if (fromIsDay && toIsDay)
        {
            violations.Require(first < end, "to", "to is exclusive and must be after from.");
            violations.Require(end.Year < DateOnly.MaxValue.Year, "to", "to lies before the year 9999.");
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        var granules = new List<Granule>();
        for (var start = first; start < end;)
        {
            var next = Next(start, granularity);
            next = next < end ? next : end;
            granules.Add(new(start, next, Midnight(start, timeZone), Midnight(next, timeZone)));
            if (granules.Count > MaxGranules)
            {
                return Error.Invalid(
                    "granularity", $"The period has more than {MaxGranules} points; ask for a shorter period or a coarser granularity.");
            }

            start = next;
        }

        return new ReportPeriod(granules, timeZone, granularity);
    }

    /// <summary>Index of the granule that holds the instant, or -1.</summary>
    public int IndexOf(DateTimeOffset instant)
    {
        var (low, high) = (0, Granules.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (instant < Granules[middle].From)
            {
                high = middle - 1;
            }
            else if (instant >= Granules[middle].To)
            {
                low = middle + 1;
            }
            else
            {
                return middle;
            }
        }

        return -1;
    }

    /// <summary>Index of the granule that holds the day, or -1.</summary>
    public int IndexOf(DateOnly day) => day < Granules[0].Start || day >= Granules[^1].End ? -1 : IndexOf(Midnight(day, TimeZone));

    /// <summary>The instant at which a local day begins.</summary>
    public static DateTimeOffset Midnight(DateOnly day, TimeZoneInfo timeZone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified);
        while (timeZone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        // Nothing lies before the calendar's first day, whatever the zone.
        var offset = day == DateOnly.MinValue ? TimeSpan.Zero
            : timeZone.IsAmbiguousTime(local) ? timeZone.GetAmbiguousTimeOffsets(local).Max() : timeZone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    private static DateOnly Next(DateOnly day, Granularity granularity) => granularity switch
    {
        Granularity.Day => day.AddDays(1),
        Granularity.Week => day.AddDays(7 - (((int)day.DayOfWeek + 6) % 7)),
        Granularity.Quarter => new DateOnly(day.Year, ((day.Month - 1) / 3 * 3) + 1, 1).AddMonths(3),
        Granularity.Year => new DateOnly(day.Year, 1, 1).AddYears(1),
        _ => new DateOnly(day.Year, day.Month, 1).AddMonths(1),
    };
}
