namespace Lifecycle.Scoring.Storage;

/// <summary>A lead: what is known, what was decided, and its score. The row's lock serialises all that changes a lead's score.</summary>
public sealed class LeadRow
{
    public Guid WorkspaceId { get; set; }

    public Guid LeadId { get; set; }

    /// <summary>Version of the profile event last taken; 0: none yet.</summary>
    public long ProfileVersion { get; set; }

    /// <summary><see cref="Domain.LeadProfile"/>; null before the first event, and after erasure.</summary>
    public string? Profile { get; set; }

    /// <summary>When the person became known.</summary>
    public DateTimeOffset? CreateTime { get; set; }

    /// <summary>First touch, for groups in reports; kept after erasure.</summary>
    public string? Channel { get; set; }

    public string? Source { get; set; }

    public string? Medium { get; set; }

    public string? Campaign { get; set; }

    /// <summary>Earliest time at which each profile rule was seen to hold, by rule id.</summary>
    public string Since { get; set; } = "{}";

    /// <summary>Stage as Conversion told last.</summary>
    public string? Stage { get; set; }

    public long StageVersion { get; set; }

    /// <summary>First time the lead became a customer.</summary>
    public DateTimeOffset? CustomerTime { get; set; }

    /// <summary>The lead that this one lives on as.</summary>
    public Guid? MergedInto { get; set; }

    public DateTimeOffset? EraseTime { get; set; }

    public bool Qualified { get; set; }

    /// <summary>See <see cref="Domain.Standing.DecidedUntil"/>.</summary>
    public DateTimeOffset? DecidedUntil { get; set; }

    /// <summary>Sales handed the lead back since it last qualified.</summary>
    public bool Returned { get; set; }

    /// <summary>When the lead ceases to be qualified unless something happens.</summary>
    public DateTimeOffset? DueTime { get; set; }

    /// <summary>Version of the model that gave the points.</summary>
    public int ModelVersion { get; set; }

    /// <summary><see cref="Domain.ScoreState"/>; null: no score (merged or erased).</summary>
    public string? State { get; set; }

    /// <summary>Increases with each change of score or qualification.</summary>
    public long Version { get; set; }

    /// <summary>The version that was read, while this transaction changes <see cref="Version"/>; no column.</summary>
    public long StoredVersion { get; set; }

    /// <summary>The transaction that wrote the row as it was read; no column, known of a row that was locked by id.</summary>
    public long WriteXid { get; set; }

    /// <summary>The transaction that holds the row's lock, to which it will be <see cref="WriteXid"/>; likewise.</summary>
    public long LockXid { get; set; }

    /// <summary>When the score was last computed.</summary>
    public DateTimeOffset ChangeTime { get; set; }

    /// <summary>When points begin or end by time passing alone: until then the state holds. Null: never.</summary>
    public DateTimeOffset? NextTime { get; set; }

    /// <summary>How many changes of the workspace's models the scores have seen; see <see cref="ModelSet.Generation"/>.</summary>
    public int Generation { get; set; }

    /// <summary>Adjustments by hand, undone ones too.</summary>
    public int Adjustments { get; set; }

    /// <summary>The company the lead works for; see <see cref="Domain.CompanyKeys"/>.</summary>
    public string? CompanyKey { get; set; }

    public string? CompanyName { get; set; }

    /// <summary>Transaction that changed <see cref="Version"/> last, so that Redis and watches get what they have not got.</summary>
    public long ChangeXid { get; set; }
}

/// <summary>A lead's score by a model other than <c>default</c>. Written by who holds the lock of the lead's row.</summary>
public sealed class ScoreRow
{
    public Guid WorkspaceId { get; set; }

    public required string ScoreName { get; set; }

    public Guid LeadId { get; set; }

    public int ModelVersion { get; set; }

    /// <summary><see cref="Domain.ScoreState"/>; null: no score (merged, erased, or the score was ended).</summary>
    public string? State { get; set; }

    public DateTimeOffset? NextTime { get; set; }

    public long Version { get; set; }

    public DateTimeOffset ChangeTime { get; set; }

    public long ChangeXid { get; set; }
}

/// <summary>Points that a person gave by hand.</summary>
public sealed class AdjustmentRow
{
    public Guid WorkspaceId { get; set; }

    public Guid AdjustmentId { get; set; }

    public Guid LeadId { get; set; }

    public string ScoreName { get; set; } = ModelStore.DefaultScore;

    public Domain.Category Category { get; set; }

    public decimal Points { get; set; }

    /// <summary>Empty once the person was erased.</summary>
    public string Reason { get; set; } = "";

    public string Actor { get; set; } = "";

    public DateTimeOffset CreateTime { get; set; }

    public double? HalfLifeSeconds { get; set; }

    public double? ExpireSeconds { get; set; }

    public DateTimeOffset? UndoTime { get; set; }

    public string? UndoActor { get; set; }
}

/// <summary>Something a lead did.</summary>
public sealed class ActivityRow
{
    public Guid WorkspaceId { get; set; }

    public Guid ActivityId { get; set; }

    public Guid LeadId { get; set; }

    public required string Type { get; set; }

    public required string Name { get; set; }

    public DateTimeOffset Time { get; set; }

    public Guid? SessionId { get; set; }

    public string? Url { get; set; }

    public required string Properties { get; set; }
}

/// <summary>Points that one rule gave for one activity, or for the profile (activity id of zeros).</summary>
public sealed class LedgerRow
{
    public Guid WorkspaceId { get; set; }

    public Guid LeadId { get; set; }

    /// <summary>Which of the lead's scores.</summary>
    public required string ScoreName { get; set; }

    public required string RuleId { get; set; }

    /// <summary>The activity or the adjustment; zeros for what holds of the lead.</summary>
    public Guid ActivityId { get; set; }

    public Domain.Category Category { get; set; }

    public decimal Points { get; set; }

    public DateTimeOffset Time { get; set; }

    /// <summary>Null: no decay.</summary>
    public double? HalfLifeSeconds { get; set; }

    public int ModelVersion { get; set; }

    /// <summary>Part of the points that neither decays nor ends.</summary>
    public decimal Floor { get; set; }

    /// <summary>When the rest end; null: never, as far as is known.</summary>
    public DateTimeOffset? EndTime { get; set; }

    /// <summary>What is seen of the evidence: <c>{"detail": "form demo"}</c>.</summary>
    public required string Evidence { get; set; }
}

/// <summary>A lead became qualified, or ceased to be. Never changed, but for erasure of its words.</summary>
public sealed class TransitionRow
{
    public Guid WorkspaceId { get; set; }

    public Guid TransitionId { get; set; }

    public Guid LeadId { get; set; }

    public bool Qualified { get; set; }

    public DateTimeOffset Time { get; set; }

    public decimal Score { get; set; }

    public int ModelVersion { get; set; }

    public required string Reasons { get; set; }

    /// <summary>What the lead had done last, in words; an array of texts.</summary>
    public string Recent { get; set; } = "[]";

    /// <summary>What had changed, in words; an array of texts.</summary>
    public string Changes { get; set; } = "[]";

    public bool Hot { get; set; }
}

/// <summary>A version of a workspace's model.</summary>
public sealed class ModelRow
{
    public Guid WorkspaceId { get; set; }

    public string ScoreName { get; set; } = ModelStore.DefaultScore;

    /// <summary>The version ends the score.</summary>
    public bool Removed { get; set; }

    public int Version { get; set; }

    public required string Definition { get; set; }

    public DateTimeOffset CreateTime { get; set; }

    public required string Actor { get; set; }
}

/// <summary>What became of a lead; each time is the first.</summary>
public sealed class OutcomeRow
{
    public Guid WorkspaceId { get; set; }

    public Guid LeadId { get; set; }

    /// <summary>Sales took it over.</summary>
    public DateTimeOffset? SalesTime { get; set; }

    public DateTimeOffset? WonTime { get; set; }

    /// <summary>Its opportunity was lost, or it was ruled out.</summary>
    public DateTimeOffset? LostTime { get; set; }

    /// <summary>What was known of it at the first of these.</summary>
    public string? Profile { get; set; }
}

/// <summary>A version of a workspace's prediction model.</summary>
public sealed class PredictionModelRow
{
    public Guid WorkspaceId { get; set; }

    public int Version { get; set; }

    /// <summary><see cref="Domain.Learning.PredictionModel"/>.</summary>
    public required string Definition { get; set; }

    public DateTimeOffset CreateTime { get; set; }

    public required string Actor { get; set; }
}
