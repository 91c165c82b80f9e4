namespace Lifecycle.Retention.Domain;

/// <summary>Customers whose first time with us came to so many days.</summary>
/// <param name="Days">Whole days from start to loss, or to now for those still with us.</param>
/// <param name="Lost">Of these, lost then.</param>
/// <param name="Staying">Of these, still with us: how long they stay is not known yet.</param>
public readonly record struct TenureCount(int Days, long Lost, long Staying);

/// <summary>The survival curve at the end of a month of tenure.</summary>
/// <param name="Month">Months since the start, from 1.</param>
/// <param name="AtRisk">Customers known to have reached the beginning of the month.</param>
/// <param name="Lost">Lost within the month.</param>
/// <param name="Survival">Share still with us at its end, 0 to 1.</param>
/// <param name="Low">Lower end of the 95 % interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Hazard">Lost within the month per customer-month lived in it; null where nobody lived in it.</param>
public sealed record SurvivalPoint(int Month, long AtRisk, long Lost, double Survival, double Low, double High, double? Hazard);

/// <summary>How long customers stay.</summary>
public static class Survival
{
    private const double Normal95 = 1.959963984540054;

    /// <summary>
    /// The product-limit estimate (Kaplan, Meier: Journal of the American Statistical Association 53, 1958): over the days on which
    /// customers were lost, the product of 1 − lost / at risk; who stays counts as at risk until the day it is known of. Variance by
    /// Greenwood's formula, survival² · Σ lost / (at risk · (at risk − lost)); the interval is survival ± 1.96 · its root, kept within 0
    /// and 1. Months are of 30.436875 days.
    /// </summary>
    /// <param name="tenures">Counts by days, in any order.</param>
    /// <param name="months">Points at most; the curve ends with the month that the longest tenure reaches.</param>
    public static IReadOnlyList<SurvivalPoint> Curve(IEnumerable<TenureCount> tenures, int months)
    {
        var counts = tenures.OrderBy(count => count.Days).ToArray();
        var atRisk = counts.Sum(count => count.Lost + count.Staying);
        var (survival, variance, next) = (1.0, 0.0, 0);
        var points = new List<SurvivalPoint>();
        for (var month = 1; month <= months && atRisk > 0; month++)
        {
            var (from, to) = ((month - 1) * LifetimeValue.DaysPerMonth, month * LifetimeValue.DaysPerMonth);
            var (reached, lost, days) = (atRisk, 0L, 0.0);
            for (; next < counts.Length && counts[next].Days < to; next++)
            {
                var count = counts[next];
                if (count.Lost > 0)
                {
                    survival *= 1 - ((double)count.Lost / atRisk);
                    variance += atRisk == count.Lost ? 0 : (double)count.Lost / ((double)atRisk * (atRisk - count.Lost));
                    lost += count.Lost;
                }

                atRisk -= count.Lost + count.Staying;
                days += (count.Lost + count.Staying) * (count.Days - from);
            }

            days += atRisk * (to - from);
            var width = Normal95 * survival * Math.Sqrt(variance);
            points.Add(new(
                month, reached, lost, survival, Math.Max(0, survival - width), Math.Min(1, survival + width),
                days > 0 ? lost / (days / LifetimeValue.DaysPerMonth) : null));
        }

        return points;
    }

    /// <summary>The first month at whose end no more than half are left; null while more are.</summary>
    public static int? MedianMonths(IEnumerable<SurvivalPoint> curve) => curve.FirstOrDefault(point => point.Survival <= 0.5)?.Month;
}
