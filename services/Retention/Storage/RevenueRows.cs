using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.Storage;

/// <summary>What one unit of a currency is worth in the workspace's, from a day on.</summary>
public sealed class CurrencyRateRow : TenantRow
{
    public required string CurrencyCode { get; init; }

    public required DateOnly Date { get; init; }

    public required decimal Rate { get; set; }
}

/// <summary>A booking in a currency without a rate; it is booked when one is supplied.</summary>
public sealed class HeldBookingRow : TenantRow
{
    public required Guid OpportunityId { get; init; }

    public Guid? LeadId { get; set; }

    public string? Account { get; set; }

    public required decimal Amount { get; init; }

    public required string CurrencyCode { get; init; }

    public required DateTimeOffset CloseTime { get; init; }
}

/// <summary>Imported entries of which the other services have yet to hear.</summary>
public sealed class RevenueAnnouncementRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid[] RevenueIds { get; init; }

    /// <summary>Of each entry: the version of its customer with it.</summary>
    public required long[] Versions { get; init; }
}

/// <summary>
/// An entry of the revenue ledger. Never changed but for <see cref="MrrDelta"/> and <see cref="Reversed"/>, which follow from other
/// entries.
/// </summary>
public sealed class RevenueRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; set; }

    public required RevenueType Type { get; init; }

    public required decimal Amount { get; init; }

    public required string CurrencyCode { get; init; }

    public required Recurrence Recurrence { get; init; }

    public required DateTimeOffset OccurTime { get; init; }

    public string? ExternalId { get; init; }

    public decimal MrrDelta { get; set; }

    /// <summary>The amount in the workspace's currency, at the rate of its day.</summary>
    public required decimal BaseAmount { get; init; }

    /// <summary>Value per month in the workspace's currency.</summary>
    public required decimal Monthly { get; init; }

    public DateOnly? ProrationStart { get; init; }

    public DateOnly? ProrationEnd { get; init; }

    /// <summary>The entry that this one takes back.</summary>
    public Guid? ReversesId { get; init; }

    /// <summary>Taken back by another entry.</summary>
    public bool Reversed { get; set; }

    public string? Reason { get; set; }

    /// <summary>Of a loss: whether the customer chose to.</summary>
    public bool? Voluntary { get; init; }

    public required DateTimeOffset CreateTime { get; init; }
}
