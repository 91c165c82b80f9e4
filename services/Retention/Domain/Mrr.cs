namespace Lifecycle.Retention.Domain;

/// <summary>How often an amount is paid.</summary>
public enum Recurrence
{
    OneOff = 1,
    Monthly = 2,
    Quarterly = 3,
    Yearly = 4,
}

/// <summary>What an entry of the revenue ledger is.</summary>
public enum RevenueType
{
    New = 1,
    Upsell = 2,
    CrossSell = 3,
    Renewal = 4,
    Contraction = 5,
    Churn = 6,
    Reactivation = 7,
}

/// <summary>A change of a customer's monthly recurring revenue.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Time">When it took effect.</param>
/// <param name="Delta">Change in the workspace's currency per month; exact decimal.</param>
public readonly record struct MrrChange(Guid CustomerId, DateTimeOffset Time, decimal Delta);

/// <summary>One granule of the waterfall: End = Start + New + Reactivation + Expansion − Contraction − Churn.</summary>
public sealed record MrrMovements(decimal Start, decimal New, decimal Reactivation, decimal Expansion, decimal Contraction, decimal Churn)
{
    public decimal End => Start + New + Reactivation + Expansion - Contraction - Churn;

    /// <summary>Annual recurring revenue: 12 × MRR at the end.</summary>
    public decimal Arr => 12 * End;

    /// <summary>Gross revenue retention = (start − contraction − churn) / start; null when the start is 0.</summary>
    public decimal? Grr => Start == 0 ? null : (Start - Contraction - Churn) / Start;

    /// <summary>Net revenue retention: as <see cref="Grr"/>, with expansion.</summary>
    public decimal? Nrr => Start == 0 ? null : (Start + Expansion - Contraction - Churn) / Start;
}

/// <summary>Monthly recurring revenue.</summary>
public static class Mrr
{
    /// <summary>
    /// Share of an amount that counts per month: all of a monthly one, a third of a quarterly, a twelfth of a yearly, nothing of a single
    /// payment. Rounded half to even to 6 decimals, the precision of the ledger.
    /// </summary>
    public static decimal Monthly(decimal amount, Recurrence recurrence) => recurrence switch
    {
        Recurrence.Monthly => amount,
        Recurrence.Quarterly => Math.Round(amount / 3, 6),
        Recurrence.Yearly => Math.Round(amount / 12, 6),
        _ => 0,
    };

    /// <summary>
    /// What an amount that pays for a part of a period would be for the whole: amount × days of the period that ends with
    /// <paramref name="end"/> / days paid for. 600.00 of a yearly price for 2026-07-01 to 2027-01-01 (184 of 365 days) is 1,190.217391 a
    /// year. Rounded half to even to 6 decimals.
    /// </summary>
    /// <param name="amount">What is paid.</param>
    /// <param name="recurrence">Length of the period; a single payment has none and stays as it is.</param>
    /// <param name="start">First day paid for.</param>
    /// <param name="end">Day after the last, at most one period later.</param>
    public static decimal WholePeriod(decimal amount, Recurrence recurrence, DateOnly start, DateOnly end) => Months(recurrence) == 0
        ? amount
        : Math.Round(amount * (end.DayNumber - end.AddMonths(-Months(recurrence)).DayNumber) / (end.DayNumber - start.DayNumber), 6);

    /// <summary>Months of a period; 0 for a single payment.</summary>
    public static int Months(Recurrence recurrence) => recurrence switch
    {
        Recurrence.Monthly => 1,
        Recurrence.Quarterly => 3,
        Recurrence.Yearly => 12,
        _ => 0,
    };

    /// <summary>
    /// Change of the customer's MRR by one ledger entry. A renewal changes nothing; a contraction takes at most what is there; churn takes
    /// all.
    /// </summary>
    /// <param name="type">The entry's type.</param>
    /// <param name="monthly">Its value per month, at least 0.</param>
    /// <param name="current">The customer's MRR before it.</param>
    public static decimal Delta(RevenueType type, decimal monthly, decimal current) => type switch
    {
        RevenueType.Renewal => 0,
        RevenueType.Contraction => -Math.Min(monthly, current),
        RevenueType.Churn => -current,
        _ => monthly,
    };

    /// <summary>
    /// The waterfall over granules: the definition, against which tests hold what reports read from the database. Within a granule a
    /// customer makes one movement, by its MRR at the granule's start and end: none → some is new, or reactivation when it ever had some
    /// before; some → none is churn; more is expansion, less is contraction.
    /// </summary>
    /// <param name="changes">All changes from the beginning of time, in any order.</param>
    /// <param name="boundaries">Instants that cut time into granules: granule i is [boundaries[i], boundaries[i + 1]).</param>
    public static IReadOnlyList<MrrMovements> Waterfall(IEnumerable<MrrChange> changes, IReadOnlyList<DateTimeOffset> boundaries)
    {
        var totals = new Tally[boundaries.Count - 1];
        foreach (var customer in changes.GroupBy(change => change.CustomerId))
        {
            var (mrr, hadSome, at) = (0m, false, 0);
            var ordered = customer.OrderBy(change => change.Time).ToArray();
            for (; at < ordered.Length && ordered[at].Time < boundaries[0]; at++)
            {
                mrr += ordered[at].Delta;
                hadSome |= mrr > 0;
            }

            for (var granule = 0; granule < totals.Length; granule++)
            {
                var (start, had) = (mrr, hadSome);
                for (; at < ordered.Length && ordered[at].Time < boundaries[granule + 1]; at++)
                {
                    mrr += ordered[at].Delta;
                    hadSome |= mrr > 0;
                }

                totals[granule].Add(start, mrr, had);
            }
        }

        return [.. totals.Select(tally => tally.Movements)];
    }

    private struct Tally
    {
        private decimal start;
        private decimal added;
        private decimal reactivated;
        private decimal expanded;
        private decimal contracted;
        private decimal churned;

        public readonly MrrMovements Movements => new(start, added, reactivated, expanded, contracted, churned);

        public void Add(decimal before, decimal after, bool hadSomeBefore)
        {
            start += before;
            var change = after - before;
            if (before == 0)
            {
                added += hadSomeBefore ? 0 : change;
                reactivated += hadSomeBefore ? change : 0;
            }
            else if (after == 0)
            {
                churned += before;
            }
            else if (change > 0)
            {
                expanded += change;
            }
            else if (change < 0)
            {
                contracted -= change;
            }
        }
    }
}
