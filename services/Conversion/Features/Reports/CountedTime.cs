namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// A moment that a report asks for, and the bound of days or months (UTC) nearest to it, up to which the sums of stays are read. Of what
/// lies between the two the stays themselves are read.
/// </summary>
/// <param name="Exact">The moment.</param>
/// <param name="Counted">The bound; no later than <paramref name="Exact"/>, or later.</param>
public readonly record struct CountedTime(DateTimeOffset Exact, DateTimeOffset Counted)
{
    /// <summary>The earlier of the two.</summary>
    public DateTimeOffset Start => Exact < Counted ? Exact : Counted;

    /// <summary>The later of the two.</summary>
    public DateTimeOffset Stop => Exact < Counted ? Counted : Exact;

    /// <summary>Whether there is anything between the two.</summary>
    public bool HasEdge => Exact != Counted;

    /// <summary>The day that begins with the bound.</summary>
    public DateOnly Day => Cut.DayOf(Counted);

    /// <summary>To a midnight.</summary>
    /// <param name="now">What lies after it has hardly anything to read.</param>
    public static CountedTime ToDay(DateTimeOffset exact, DateTimeOffset now)
    {
        var floor = new DateTimeOffset(exact.UtcDateTime.Date, TimeSpan.Zero);
        return Nearest(exact, floor, floor.AddDays(1), now);
    }

    /// <summary>To the first midnight of a month.</summary>
    /// <param name="now">What lies after it has hardly anything to read.</param>
    public static CountedTime ToMonth(DateTimeOffset exact, DateTimeOffset now)
    {
        var floor = new DateTimeOffset(exact.UtcDateTime.Year, exact.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);
        return Nearest(exact, floor, floor.AddMonths(1), now);
    }

    private static CountedTime Nearest(DateTimeOffset exact, DateTimeOffset floor, DateTimeOffset ceiling, DateTimeOffset now)
    {
        var above = (ceiling < now ? ceiling : now) - exact;
        return new(exact, exact > floor && above < exact - floor ? ceiling : floor);
    }
}
