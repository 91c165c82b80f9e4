using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.Storage;

/// <summary>An entry still to be written; its customer is locked.</summary>
/// <param name="Customer">The customer, locked.</param>
/// <param name="Type">What it is.</param>
/// <param name="Amount">Face value; below 0 only for an entry that takes another back. Of a loss it is what was lost.</param>
/// <param name="BaseAmount">The amount in the workspace's currency.</param>
/// <param name="Recurrence">How often it is paid.</param>
/// <param name="Time">When it took effect.</param>
/// <param name="ExternalId">Id in the sender's system.</param>
internal sealed record NewEntry(
    LedgerCustomer Customer, RevenueType Type, Kernel.Money Amount, decimal BaseAmount, Recurrence Recurrence,
    DateTimeOffset Time, string? ExternalId)
{
    public (DateOnly Start, DateOnly End)? Proration { get; init; }

    /// <summary>The entry that this one takes back, at the same time.</summary>
    public Guid? ReversesId { get; init; }

    public string? Reason { get; init; }

    /// <summary>Of a loss: whether the customer chose to.</summary>
    public bool Voluntary { get; init; } = true;

    /// <summary>Value per month in the workspace's currency.</summary>
    public decimal Monthly => Mrr.Monthly(
        Proration is { } part ? Mrr.WholePeriod(Math.Abs(BaseAmount), Recurrence, part.Start, part.End) : Math.Abs(BaseAmount), Recurrence);
}

/// <summary>What entries change of a customer.</summary>
internal sealed class LedgerCustomer
{
    public Guid Id { get; init; }

    public Guid? LeadId { get; init; }

    public string? ExternalId { get; init; }

    public DateTimeOffset StartTime { get; init; }

    public decimal Mrr { get; set; }

    public decimal TotalRevenue { get; set; }

    public bool Churned { get; set; }

    public DateTimeOffset? ChurnTime { get; set; }

    public string? ChurnReason { get; set; }

    public bool? ChurnVoluntary { get; set; }

    public DateTimeOffset? ReactivateTime { get; set; }

    public DateOnly? RenewalDate { get; set; }

    public int TermMonths { get; init; }

    public long Version { get; set; }

    public LedgerState State
    {
        get => new(Mrr, Churned, ChurnTime, ReactivateTime);
        set => (Mrr, Churned, ChurnTime, ReactivateTime) = (value.Mrr, value.Churned, value.ChurnTime, value.ReactivateTime);
    }
}

/// <summary>Customers locked for entries, by either id.</summary>
internal sealed class LockedCustomers(IReadOnlyCollection<LedgerCustomer> rows)
{
    private readonly Dictionary<Guid, LedgerCustomer> byId = rows.ToDictionary(row => row.Id);
    private readonly Dictionary<string, LedgerCustomer> byExternalId =
        rows.Where(row => row.ExternalId is not null).ToDictionary(row => row.ExternalId!, StringComparer.Ordinal);

    /// <summary>The customer of the id, or where none is given of the external id; null when there is none.</summary>
    public LedgerCustomer? Find(Guid? id, string? externalId) =>
        id is { } known ? byId.GetValueOrDefault(known) : externalId is null ? null : byExternalId.GetValueOrDefault(externalId);
}

/// <summary>An entry in its place; <see cref="New"/> is null for one that was there.</summary>
internal sealed class PlacedEntry(
    LedgerCustomer customer, Guid id, RevenueType type, decimal monthly, DateTimeOffset time, bool isVoid, decimal delta, NewEntry? added)
    : LedgerLine(id, type, monthly, time, isVoid, delta)
{
    public LedgerCustomer Customer => customer;

    public NewEntry? New => added;

    /// <summary>What it was before the replay.</summary>
    public decimal KnownDelta { get; } = delta;

    /// <summary>Face value. Of a loss what was lost, which the replay tells.</summary>
    public decimal Amount => Type == RevenueType.Churn ? -Delta : New!.Amount.Amount;

    public decimal BaseAmount => Type == RevenueType.Churn ? -Delta : New!.BaseAmount;
}
