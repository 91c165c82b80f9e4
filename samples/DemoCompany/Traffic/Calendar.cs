namespace DemoCompany.Traffic;

/// <summary>When visitors come: more every month, fewer at weekends, most in office hours.</summary>
internal sealed class Calendar
{
    private const double Growth = 0.8;

    private static readonly double[] Weekdays = [0.38, 1.05, 1.12, 1.1, 1.02, 0.86, 0.33];

    private static readonly int[] Hours =
    [
        7, 8, 8, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 12, 13, 13, 14, 14, 14, 14, 15, 15, 15, 16, 16, 17, 17, 18, 19, 20, 21, 22, 4, 1,
    ];

    private readonly Plan plan;
    private readonly double[] upTo;

    public Calendar(Plan plan)
    {
        this.plan = plan;
        upTo = new double[plan.Days];
        for (var (day, sum) = (0, 0.0); day < plan.Days; day++)
        {
            var progress = (double)day / plan.Days;
            sum += Weekdays[(int)plan.Start.AddDays(day).DayOfWeek] * (1 + (Growth * progress))
                * (1 + (0.06 * Math.Sin(day * 2 * Math.PI / 45)));
            upTo[day] = sum;
        }
    }

    /// <summary>When a visitor comes first: visitors are numbered in order of their days.</summary>
    public DateTimeOffset FirstVisit(int index, Dice dice)
    {
        var found = Array.BinarySearch(upTo, upTo[^1] * (index + dice.Next()) / plan.Visitors);
        return At(plan.Start.AddDays(Math.Min(found < 0 ? ~found : found, plan.Days - 1)), dice);
    }

    /// <summary>A time to come back, on average so many days later, in the hours in which people visit.</summary>
    public static DateTimeOffset Later(DateTimeOffset time, double meanDays, Dice dice)
    {
        var next = At(new DateTimeOffset(time.UtcDateTime.Date, TimeSpan.Zero).AddDays(Math.Ceiling(dice.Exponential(meanDays))), dice);
        return next.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday && dice.Chance(0.7) ? next.AddDays(2) : next;
    }

    private static DateTimeOffset At(DateTimeOffset day, Dice dice) => day.AddHours(dice.Pick(Hours)).AddSeconds(dice.Below(3600));
}
