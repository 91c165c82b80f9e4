namespace Lifecycle.Retention.Domain;

/// <summary>An entry of a customer's ledger, as far as MRR and state follow from it.</summary>
/// <param name="id">Entry id: of two entries at one instant the lower comes first.</param>
/// <param name="type">What it is.</param>
/// <param name="monthly">Its value per month in the workspace's currency, at least 0 (<see cref="Mrr.Monthly"/>).</param>
/// <param name="time">When it took effect.</param>
/// <param name="isVoid">Taken back by another entry, or taking one back: it counts nothing.</param>
/// <param name="delta">Change of the customer's MRR as known so far.</param>
public class LedgerLine(Guid id, RevenueType type, decimal monthly, DateTimeOffset time, bool isVoid = false, decimal delta = 0)
{
    public Guid Id => id;

    public RevenueType Type => type;

    public decimal Monthly => monthly;

    public DateTimeOffset Time => time;

    public bool IsVoid { get; set; } = isVoid;

    /// <summary>Change of the customer's MRR, in the workspace's currency per month.</summary>
    public decimal Delta { get; set; } = delta;
}

/// <summary>What a ledger makes of its customer.</summary>
/// <param name="Mrr">Monthly recurring revenue after the last entry.</param>
/// <param name="Churned">Whether the customer has left.</param>
/// <param name="ChurnTime">When; null unless it has left.</param>
/// <param name="ReactivateTime">When it last came back; null when it never did, or left since.</param>
public readonly record struct LedgerState(decimal Mrr, bool Churned, DateTimeOffset? ChurnTime, DateTimeOffset? ReactivateTime)
{
    /// <summary>A customer without entries.</summary>
    public static readonly LedgerState Empty = new(0, false, null, null);
}

/// <summary>
/// Replays a ledger, or its end, in order of time: the same entries give the same MRR and state in whatever order they were written.
/// </summary>
public static class LedgerReplay
{
    /// <summary>Sets each line's change of MRR; answers the state after the last.</summary>
    /// <param name="before">
    /// State before the first line. Losses and returns among the lines decide on churn; without any it stays as it was.
    /// </param>
    /// <param name="lines">Lines in any order.</param>
    public static LedgerState Run(LedgerState before, IEnumerable<LedgerLine> lines)
    {
        var state = before;
        foreach (var line in lines.OrderBy(line => line.Time).ThenBy(line => line.Id))
        {
            line.Delta = line.IsVoid ? 0 : Mrr.Delta(line.Type, line.Monthly, state.Mrr);
            state = state with { Mrr = state.Mrr + line.Delta };
            if (!line.IsVoid && line.Type == RevenueType.Churn)
            {
                state = state with { Churned = true, ChurnTime = line.Time, ReactivateTime = null };
            }
            else if (!line.IsVoid && line.Type == RevenueType.Reactivation)
            {
                state = state with { Churned = false, ChurnTime = null, ReactivateTime = line.Time };
            }
        }

        return state;
    }
}
