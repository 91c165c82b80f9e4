using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;

namespace Lifecycle.Conversion.Storage;

/// <summary>Who was named as the owner of a hand-off; never altered.</summary>
public sealed class HandoffAssignmentRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid HandoffId { get; init; }

    /// <summary>1 for the first.</summary>
    public required int Position { get; init; }

    public string? Owner { get; init; }

    public Guid? TeamId { get; init; }

    public required string Actor { get; init; }

    public required DateTimeOffset Time { get; init; }
}

/// <summary>Sellers who take turns in a territory.</summary>
public sealed class SalesTeamRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    public required string DisplayName { get; set; }

    /// <summary>Condition over the lead; empty: every lead.</summary>
    public required string Rule { get; set; }

    public int Priority { get; set; }

    /// <summary>JSON array of <see cref="TeamMember"/>.</summary>
    public required string Members { get; set; }

    /// <summary>Index of the member who had the last turn; -1 before the first.</summary>
    public int Turn { get; set; } = -1;

    public required DateTimeOffset CreateTime { get; init; }
}

/// <summary>How the workspace watches hand-offs, where it does.</summary>
public sealed class HandoffSettingsRow
{
    public required Guid WorkspaceId { get; init; }

    public int ResponseMinutes { get; set; }

    /// <summary>JSON of <see cref="WorkingHours"/>; null: round the clock.</summary>
    public string? WorkingHours { get; set; }

    /// <summary>Zone of the working hours; null: the workspace's.</summary>
    public string? TimeZone { get; set; }
}

/// <summary>One change of a deal; never altered.</summary>
public sealed class OpportunityChangeRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid OpportunityId { get; init; }

    /// <summary>Version of the deal after the change.</summary>
    public required long Version { get; init; }

    public required OpportunityChangeKind Kind { get; init; }

    public required Guid PipelineId { get; init; }

    /// <summary>Empty for the first change, and where an import does not tell.</summary>
    public required string FromStage { get; init; }

    /// <summary>Empty where an import of a closed deal does not tell where it stood.</summary>
    public required string ToStage { get; init; }

    public required decimal Amount { get; init; }

    public DateOnly? ExpectedCloseDate { get; init; }

    public string? Reason { get; init; }

    public string? Competitor { get; init; }

    public required string Actor { get; init; }

    public required DateTimeOffset Time { get; init; }

    /// <summary>How long the deal had been in the stage that it left; null where it stayed, or nobody knows.</summary>
    public long? StaySeconds { get; init; }
}
