namespace Lifecycle.Retention.Storage;

/// <summary>A link of somebody who sends others.</summary>
public sealed class ReferralLinkRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid AdvocateLeadId { get; set; }

    /// <summary>In capitals; unique in the workspace.</summary>
    public required string Code { get; set; }

    public required string Program { get; init; }

    /// <summary>Null: the first of the settings.</summary>
    public string? LandingPage { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset? RevokeTime { get; set; }
}

/// <summary>Clicks of a quarter of an hour, which every time zone's days are made of. Who clicked is not kept.</summary>
public sealed class ReferralClickRow : TenantRow
{
    public required Guid LinkId { get; init; }

    public required DateTimeOffset Time { get; init; }

    public long People { get; init; }

    public long Programs { get; init; }
}

/// <summary>A lead was seen with a link's code. The earliest that counts becomes the referral.</summary>
public sealed class ReferralClaimRow : TenantRow
{
    public required Guid LeadId { get; init; }

    public required Guid LinkId { get; init; }

    public required DateTimeOffset Time { get; init; }
}

/// <summary>Where a workspace's links may lead.</summary>
public sealed class ReferralSettingsRow : TenantRow
{
    /// <summary>Addresses, the default first.</summary>
    public required string[] LandingPages { get; set; }

    public required string UtmSource { get; set; }
}
