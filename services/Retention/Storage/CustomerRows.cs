namespace Lifecycle.Retention.Storage;

/// <summary>A customer, with the sums of its ledger kept beside it.</summary>
public sealed class CustomerRow : TenantRow
{
    public required Guid Id { get; init; }

    public Guid? LeadId { get; set; }

    public string? ExternalId { get; set; }

    public required string DisplayName { get; set; }

    public bool Churned { get; set; }

    public required DateTimeOffset StartTime { get; set; }

    public DateOnly? RenewalDate { get; set; }

    public string Segment { get; set; } = "";

    public string Plan { get; set; } = "";

    public string? ChurnReason { get; set; }

    public DateTimeOffset? ChurnTime { get; set; }

    /// <summary>Whether the customer chose to leave; null unless it has left.</summary>
    public bool? ChurnVoluntary { get; set; }

    /// <summary>When it last came back; null when it never did, or left since.</summary>
    public DateTimeOffset? ReactivateTime { get; set; }

    public string Owner { get; set; } = "";

    public DateOnly? ContractStart { get; set; }

    /// <summary>0 when unknown.</summary>
    public int TermMonths { get; set; }

    /// <summary>Monthly recurring revenue after the last entry.</summary>
    public decimal Mrr { get; set; }

    /// <summary>Face value of all sales.</summary>
    public decimal TotalRevenue { get; set; }

    /// <summary>Grows with each change; version of the customer's events.</summary>
    public long Version { get; set; }

    /// <summary>Score as last told; null before.</summary>
    public decimal? RiskScore { get; set; }

    /// <summary>The score is at or above the threshold of its model.</summary>
    public bool AtRisk { get; set; }

    /// <summary>Probability to leave by the churn model in force, as last told; null without one.</summary>
    public double? ChurnProbability { get; set; }

    /// <summary>When it is scored next.</summary>
    public required DateTimeOffset RiskDueTime { get; set; }
}

/// <summary>Something told of a customer that speaks for or against its loss.</summary>
public sealed class CustomerSignalRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; set; }

    /// <summary><c>USAGE</c>, <c>SUPPORT</c> or <c>PAYMENT_FAILED</c>.</summary>
    public required string Kind { get; init; }

    public required decimal Quantity { get; init; }

    public string Name { get; set; } = "";

    public required DateTimeOffset Time { get; init; }

    public string? ExternalId { get; set; }

    /// <summary>Whose activity it was; null for what was told by the API.</summary>
    public Guid? LeadId { get; set; }
}

/// <summary>A signal of a lead that is no customer yet, or not known to be one.</summary>
public sealed class HeldSignalRow : TenantRow
{
    public required Guid LeadId { get; init; }

    public required Guid ActivityId { get; init; }

    public required string Kind { get; init; }

    public required decimal Quantity { get; init; }

    public required string Name { get; init; }

    public required DateTimeOffset Time { get; init; }
}

/// <summary>Which activities are signals.</summary>
public sealed class SignalRuleRow : TenantRow
{
    /// <summary>Name of the activity, in small letters.</summary>
    public required string EventKey { get; init; }

    /// <summary>The name as it was given.</summary>
    public required string EventName { get; init; }

    public required string Kind { get; init; }

    /// <summary>Property that holds the quantity; empty: each counts 1.</summary>
    public required string QuantityProperty { get; init; }
}

/// <summary>A plan that a customer had until it got another.</summary>
public sealed class PastPlanRow : TenantRow
{
    public required Guid CustomerId { get; init; }

    public required DateTimeOffset UntilTime { get; init; }

    public required string Plan { get; init; }
}

/// <summary>A version of the learnt churn model.</summary>
public sealed class ChurnModelRow : TenantRow
{
    public required int Version { get; init; }

    /// <summary><see cref="Domain.Learning.ChurnModel"/>.</summary>
    public required string Definition { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public required string Actor { get; init; }

    /// <summary>When it was retired or replaced; null while in force.</summary>
    public DateTimeOffset? RetireTime { get; set; }
}

/// <summary>A version of the risk model's weights.</summary>
public sealed class RiskModelRow : TenantRow
{
    public required int Version { get; init; }

    public required decimal Usage { get; init; }

    public required decimal Support { get; init; }

    public required decimal Nps { get; init; }

    public required decimal Payment { get; init; }

    public required decimal Engagement { get; init; }

    public required decimal Renewal { get; init; }

    public required decimal Threshold { get; init; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>A person at a customer.</summary>
public sealed class CustomerContactRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; set; }

    public Guid? LeadId { get; set; }

    public string DisplayName { get; set; } = "";

    /// <summary>Normalised address.</summary>
    public string? Email { get; set; }

    public string Role { get; set; } = "";
}

/// <summary>What Retention needs to know of a lead. Kept after an erasure as a mark that nothing may come back.</summary>
public sealed class LeadProfileRow : TenantRow
{
    public required Guid LeadId { get; init; }

    public string? Email { get; set; }

    public string? Name { get; set; }

    public string Channel { get; set; } = "";

    public string Source { get; set; } = "";

    public string Medium { get; set; } = "";

    public string Campaign { get; set; } = "";

    /// <summary>When the person became known; null before its profile came.</summary>
    public DateTimeOffset? KnownTime { get; set; }

    /// <summary>Furthest stage of the funnel it reached, as number of <see cref="Kernel.Stage"/>; 0 below MQL.</summary>
    public int Stage { get; set; }

    /// <summary>Was seen with the code of a referral link.</summary>
    public bool Claimed { get; set; }

    public long Version { get; set; }

    public bool Erased { get; set; }

    /// <summary>The lead that this one was merged into; what is told of this one concerns that one.</summary>
    public Guid? MergedInto { get; set; }

    /// <summary>AdvocateGained was published; once per lead.</summary>
    public bool Advocate { get; set; }

    public DateTimeOffset? AdvocateTime { get; set; }
}
