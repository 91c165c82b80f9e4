using System.Text.Json.Serialization;

namespace Lifecycle.Contracts;

/// <summary>What every event carries. Events are facts: named in the past tense, additive changes only.</summary>
public interface ILifecycleEvent
{
    /// <summary>UUIDv7 of this event; also the broker's message id, so that a subscriber can drop what comes twice.</summary>
    Guid EventId { get; }

    /// <summary>Workspace that the fact belongs to.</summary>
    Guid WorkspaceId { get; }

    /// <summary>When it happened (UTC), not when it was published.</summary>
    DateTimeOffset OccurredAt { get; }

    /// <summary>Increases with each change of the same subject; a lower one than already seen is stale.</summary>
    long Version { get; }

    /// <summary>Subject whose events are published in order: mostly the lead's id. Null: no order is kept.</summary>
    [JsonIgnore]
    string? OrderingKey => null;
}
