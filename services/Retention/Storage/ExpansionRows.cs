namespace Lifecycle.Retention.Storage;

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

    /// <summary><c>WON</c> or <c>LOST</c>; empty while its opportunity is open, or without one.</summary>
    public string Outcome { get; set; } = "";

    /// <summary>Version of the opportunity that told the outcome.</summary>
    public long OpportunityVersion { get; set; }

    public string DismissReason { get; set; } = "";

    public required DateTimeOffset CreateTime { get; init; }
}
