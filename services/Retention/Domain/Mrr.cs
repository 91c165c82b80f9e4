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

    /// <summary>Gross revenue retention = (start − contraction − churn) / start; null when the start is 0.</summary>
    public decimal? Grr => Start == 0 ? null : (Start - Contraction - Churn) / Start;

    /// <summary>Net revenue retention: as <see cref="Grr"/>, with expansion.</summary>
    public decimal? Nrr => Start == 0 ? null : (Start + Expansion - Contraction - Churn) / Start;
}

/// <summary>Monthly recurring revenue.</summary>
public static class Mrr
{
    /// <summary>
    /// Share of an amount that counts per month: all of a monthly one, a third of a quarterly, a twelfth of a yearly, nothing of a single payment.
    /// Rounded half to even to 6 decimals, the precision of the ledger.
    /// </summary>
    public static decimal Monthly(decimal amount, Recurrence recurrence) => recurrence switch
    {
        Recurrence.Monthly => amount,
        Recurrence.Quarterly => Math.Round(amount / 3, 6),
        Recurrence.Yearly => Math.Round(amount / 12, 6),
        _ => 0,
    };

    /// <summary>
    /// Change of the customer's MRR by one ledger entry. A renewal changes nothing; a contraction takes at most what is there; churn takes all.
    /// </summary>
    /// <param name="type">The entry's type.</param>
    /// <param name="amount">Its face value, above 0.</param>
    /// <param name="recurrence">How often it is paid.</param>
    /// <param name="current">The customer's MRR before it.</param>
    public static decimal Delta(RevenueType type, decimal amount, Recurrence recurrence, decimal current) => type switch
    {
        RevenueType.Renewal => 0,
        RevenueType.Contraction => -Math.Min(Monthly(amount, recurrence), current),
        RevenueType.Churn => -current,
        _ => Monthly(amount, recurrence),
    };

    /// <summary>
    /// The waterfall over granules. Within a granule a customer makes one movement, by its MRR at the granule's start and end: none → some is new, or
    /// reactivation when it ever had some before; some → none is churn; more is expansion, less is contraction.
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
