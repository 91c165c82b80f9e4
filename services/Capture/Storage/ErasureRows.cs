namespace Lifecycle.Capture.Storage;

/// <summary>An erasure under way or done. Holds the lead's id and nothing else of the person.</summary>
internal sealed class ErasureRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public DateTimeOffset RequestTime { get; init; }

    /// <summary>Version of the lead at its end, which the event carries.</summary>
    public long Version { get; init; }

    /// <summary>When the services are asked again; null once all have confirmed.</summary>
    public DateTimeOffset? AskTime { get; init; }

    /// <summary>How often they were asked.</summary>
    public int Asks { get; init; }

    public DateTimeOffset? CompleteTime { get; init; }
}

/// <summary>What one service answered, or that it has not yet.</summary>
internal sealed class ErasureReceiptRow
{
    public required Guid WorkspaceId { get; init; }

    public required Guid LeadId { get; init; }

    public required string Service { get; init; }

    /// <summary>Null until the service has confirmed.</summary>
    public DateTimeOffset? EraseTime { get; init; }

    /// <summary>Records erased or stripped.</summary>
    public long Records { get; init; }
}
