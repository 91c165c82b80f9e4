namespace Lifecycle.Retention.Storage;

public sealed class ReferralRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid AdvocateLeadId { get; set; }

    /// <summary>Normalised address; null after an erasure.</summary>
    public string? ReferredEmail { get; set; }

    public Guid? ReferredLeadId { get; set; }

    public bool Converted { get; set; }

    /// <summary>The link that brought the person; null for one told by hand.</summary>
    public Guid? LinkId { get; set; }

    /// <summary>Credits nobody: another of the same person came first, or the person is the advocate.</summary>
    public bool Declined { get; set; }

    public required DateTimeOffset CreateTime { get; init; }
}

public sealed class AdvocacyRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; set; }

    /// <summary><c>CASE_STUDY</c>, <c>REVIEW</c>, <c>REFERENCE</c> or <c>TESTIMONIAL</c>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>PLANNED</c>, <c>REQUESTED</c>, <c>DECLINED</c>, <c>PUBLISHED</c> (with consent only) or <c>WITHDRAWN</c>.</summary>
    public required string Status { get; set; }

    public bool Consent { get; set; }

    /// <summary>When the customer last agreed.</summary>
    public DateTimeOffset? ConsentTime { get; set; }

    /// <summary>When it took that back; null while it agrees.</summary>
    public DateTimeOffset? ConsentWithdrawTime { get; set; }

    /// <summary>When it was first published.</summary>
    public DateTimeOffset? PublishTime { get; set; }

    public string Title { get; set; } = "";

    public string Url { get; set; } = "";

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>A version of the rule by which customers become advocates.</summary>
public sealed class AdvocateRuleRow : TenantRow
{
    public required int Version { get; init; }

    public required int MinReferrals { get; init; }

    /// <summary><c>OPEN</c>, <c>CAPTURED</c> or <c>CONVERTED</c>.</summary>
    public required string ReferralState { get; init; }

    public required int MinAdvocacy { get; init; }

    /// <summary>None: all.</summary>
    public required string[] AdvocacyKinds { get; init; }

    public required bool NeedsPromoter { get; init; }

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
