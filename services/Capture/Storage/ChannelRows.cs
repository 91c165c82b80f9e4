namespace Lifecycle.Capture.Storage;

/// <summary>One version of how a workspace reads where visitors come from; the highest is in force.</summary>
internal sealed class ChannelSettingsRow
{
    public required Guid WorkspaceId { get; init; }

    /// <summary>From 1.</summary>
    public int Version { get; init; }

    /// <summary>The settings as JSON.</summary>
    public required string Settings { get; init; }

    public DateTimeOffset CreateTime { get; init; }

    public required string Actor { get; init; }
}

/// <summary>The latest run of the rules over a workspace's history, with how far it has come.</summary>
internal sealed class ReclassificationRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid Id { get; init; }

    /// <summary>Version of the rules that it applies.</summary>
    public required string Rules { get; init; }

    /// <summary><c>SESSIONS</c>, <c>LEADS</c>, <c>SPEND</c>, then <c>DONE</c>.</summary>
    public required string Part { get; init; }

    /// <summary>Time or day of the last row treated, and its id; null at a part's beginning.</summary>
    public DateTimeOffset? CursorTime { get; init; }

    public Guid? CursorId { get; init; }

    public long Total { get; init; }

    public long Processed { get; init; }

    public long ChangedSessions { get; init; }

    public long ChangedLeads { get; init; }

    public long ChangedSpend { get; init; }

    public DateTimeOffset CreateTime { get; init; }

    public DateTimeOffset UpdateTime { get; init; }

    public DateTimeOffset? FinishTime { get; init; }

    public required string Actor { get; init; }
}
