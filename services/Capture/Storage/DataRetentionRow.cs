namespace Lifecycle.Capture.Storage;

/// <summary>How long a workspace keeps what it need not keep; null keeps it for ever.</summary>
internal sealed class DataRetentionRow
{
    public required Guid WorkspaceId { get; init; }

    public int? AnonymousActivityDays { get; init; }

    public int? LeadActivityDays { get; init; }

    public int? InactiveLeadDays { get; init; }

    public DateTimeOffset UpdateTime { get; init; }

    /// <summary>End of the last round that went through.</summary>
    public DateTimeOffset? ApplyTime { get; init; }
}
