using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.Storage;

/// <summary>Row that belongs to a workspace.</summary>
public abstract class TenantRow
{
    public required Guid WorkspaceId { get; init; }
}

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

    /// <summary>When it is scored next.</summary>
    public required DateTimeOffset RiskDueTime { get; set; }

    /// <summary>Its ledger or start changed since its months were counted.</summary>
    public bool RollupDue { get; set; } = true;
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
}

/// <summary>A rule that suggests an upsell or cross-sell.</summary>
public sealed class ExpansionRuleRow : TenantRow
{
    public required Guid Id { get; init; }

    public required string DisplayName { get; init; }

    /// <summary><c>UPSELL</c> or <c>CROSS_SELL</c>.</summary>
    public required string Kind { get; init; }

    public required string Condition { get; init; }

    public required string Product { get; init; }

    /// <summary>In the workspace's currency.</summary>
    public decimal? Amount { get; init; }

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>A rule that fitted a customer; once per rule and customer.</summary>
public sealed class ExpansionSuggestionRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; set; }

    public required Guid RuleId { get; init; }

    public required string Kind { get; init; }

    public required string Product { get; init; }

    public decimal? Amount { get; init; }

    /// <summary><c>OPEN</c>, <c>OPENED</c> or <c>DISMISSED</c>.</summary>
    public required string State { get; set; }

    public Guid? OpportunityId { get; set; }

    public string DismissReason { get; set; } = "";

    public required DateTimeOffset CreateTime { get; init; }
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

/// <summary>An entry of the revenue ledger. Never changed but for <see cref="MrrDelta"/> and <see cref="Reversed"/>, which follow from other entries.</summary>
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

    public long Version { get; set; }

    public bool Erased { get; set; }

    /// <summary>The lead that this one was merged into; what is told of this one concerns that one.</summary>
    public Guid? MergedInto { get; set; }

    /// <summary>AdvocateGained was published; once per lead.</summary>
    public bool Advocate { get; set; }

    public DateTimeOffset? AdvocateTime { get; set; }
}

public sealed class SurveyRow : TenantRow
{
    public required Guid Id { get; init; }

    public required SurveyType Type { get; init; }

    public required string DisplayName { get; set; }

    public required string Question { get; set; }

    public required DateTimeOffset CreateTime { get; init; }

    /// <summary>It asks by itself, on the occasions below.</summary>
    public bool Asks { get; set; }

    public int? AfterOnboardingDays { get; set; }

    public bool Quarterly { get; set; }

    /// <summary>Activity after which it asks; empty: none.</summary>
    public string SupportEvent { get; set; } = "";

    public double SampleShare { get; set; } = 1;

    public long SampleSeed { get; set; }

    public int FatigueDays { get; set; } = 30;

    /// <summary>Template of Nurture.</summary>
    public Guid? EmailId { get; set; }

    public int CloseLoopHours { get; set; } = 48;
}

public sealed class SurveyAnswerRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid SurveyId { get; init; }

    public Guid? CustomerId { get; set; }

    public Guid? LeadId { get; set; }

    public required int Score { get; set; }

    public string? Comment { get; set; }

    public required DateTimeOffset AnswerTime { get; set; }

    /// <summary>Came over a public link, of which one answer per customer counts, or one per invitation.</summary>
    public bool ByLink { get; init; }

    /// <summary>The invitation that it answers.</summary>
    public Guid? InvitationId { get; init; }

    public long Version { get; set; } = 1;
}

public sealed class ReferralRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid AdvocateLeadId { get; set; }

    /// <summary>Normalised address; null after an erasure.</summary>
    public string? ReferredEmail { get; set; }

    public Guid? ReferredLeadId { get; set; }

    public bool Converted { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

public sealed class AdvocacyRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; set; }

    /// <summary><c>CASE_STUDY</c>, <c>REVIEW</c>, <c>REFERENCE</c> or <c>TESTIMONIAL</c>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>PLANNED</c>, <c>PUBLISHED</c> or <c>WITHDRAWN</c>.</summary>
    public required string Status { get; set; }

    public bool Consent { get; set; }

    public string Title { get; set; } = "";

    public string Url { get; set; } = "";

    public required DateTimeOffset CreateTime { get; init; }
}

public sealed class LoyaltyProgramRow : TenantRow
{
    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    /// <summary>Tiers in order of their minimum, jsonb.</summary>
    public List<LoyaltyTierPart> Tiers { get; set; } = [];

    public required DateTimeOffset CreateTime { get; init; }
}

public sealed class LoyaltyTierPart
{
    public required string Name { get; init; }

    public required long MinPoints { get; init; }
}

public sealed class LoyaltyMemberRow : TenantRow
{
    public required Guid ProgramId { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>Sum of the entries.</summary>
    public long Balance { get; set; }

    public required DateTimeOffset JoinTime { get; init; }
}

/// <summary>An entry of the points ledger; append-only.</summary>
public sealed class LoyaltyEntryRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid ProgramId { get; init; }

    public required Guid CustomerId { get; init; }

    public required long Points { get; init; }

    public string Reason { get; init; } = "";

    public required DateTimeOffset Time { get; init; }
}

/// <summary>A mail to somebody who may be a customer, and whether a person opened and clicked it.</summary>
public sealed class CampaignEmailRow : TenantRow
{
    public required Guid EmailId { get; init; }

    public Guid? LeadId { get; set; }

    /// <summary>Null while only its engagement is known.</summary>
    public DateTimeOffset? SentTime { get; set; }

    public bool Opened { get; set; }

    public bool Clicked { get; set; }

    public bool Bounced { get; set; }

    /// <summary>Program that sent it; null outside programs.</summary>
    public Guid? ProgramId { get; set; }

    /// <summary>A person's first click.</summary>
    public DateTimeOffset? ClickTime { get; set; }

    public bool Replied { get; set; }
}
