namespace Lifecycle.Scoring.Domain;

/// <summary>Points that one rule gave for one activity or for the profile, or a person by hand: a row of the ledger.</summary>
/// <param name="RuleId">Rule, or <see cref="Adjustment.RuleId"/>.</param>
/// <param name="Category">Its category.</param>
/// <param name="ActivityId">The activity, or the adjustment; <see cref="Guid.Empty"/> for what holds of the lead as such.</param>
/// <param name="Points">Given at <paramref name="Time"/>, after caps; four decimals.</param>
/// <param name="Time">When the activity happened, or since when the condition has held.</param>
/// <param name="HalfLife">Null: no decay.</param>
/// <param name="Detail">What is seen of the evidence, e.g. <c>form demo</c>; null when there is nothing to say, or the person was
/// erased.</param>
/// <param name="Floor">Part of the points, with their sign, that neither decays nor ends.</param>
/// <param name="End">When the rest of the points end; null: never, as far as is known.</param>
public sealed record Contribution(
    string RuleId,
    Category Category,
    Guid ActivityId,
    decimal Points,
    DateTimeOffset Time,
    TimeSpan? HalfLife,
    string? Detail,
    decimal Floor = 0,
    DateTimeOffset? End = null)
{
    public bool IsAdjustment => RuleId == Adjustment.RuleId;

    /// <summary>Given for what holds of the lead, not for one activity.</summary>
    public bool IsOfProfile => ActivityId == Guid.Empty;

    /// <summary>What is left of the points: floor + (points − floor) · 2^(−elapsed / half-life), and the floor alone from the end on.
    /// Unrounded.</summary>
    public double ValueAt(DateTimeOffset time)
    {
        if (End <= time)
        {
            return (double)Floor;
        }

        return HalfLife is { } halfLife
            ? (double)Floor + ((double)(Points - Floor) * Decay.Factor(time - Time, halfLife.TotalSeconds))
            : (double)Points;
    }
}

/// <summary>A lead's ledger and what it sums to.</summary>
/// <param name="Contributions">In order of time, activity, rule; ended ones too.</param>
/// <param name="CreateTime">When the lead became known; null: it is not yet.</param>
/// <param name="AsOf">Instant for which ledger and sum hold: not before the last activity.</param>
/// <param name="LastFact">Time of the last of what is known: later changes are time's alone.</param>
/// <param name="NextChange">When points end or begin by time passing alone; null: never.</param>
public sealed record ScoreSheet(
    IReadOnlyList<Contribution> Contributions, DateTimeOffset? CreateTime, DateTimeOffset AsOf, DateTimeOffset LastFact,
    DateTimeOffset? NextChange = null)
{
    private ScoreState? state;

    /// <summary>What gave the points, where later activities can be counted from there on; see <see cref="ScoreProgress"/>.</summary>
    internal PointCounter? Counter { get; init; }

    /// <summary>Sum of the contributions, until <see cref="NextChange"/>; added up when it is asked for.</summary>
    public ScoreState State => state ??= Scorer.Sum(Contributions, CreateTime, AsOf);
}

/// <summary>Points that a person gave by hand.</summary>
/// <param name="Id">Adjustment id.</param>
/// <param name="Category">Category.</param>
/// <param name="Points">Points, two decimals, with sign.</param>
/// <param name="Time">When.</param>
/// <param name="HalfLife">Null: no decay.</param>
/// <param name="ExpireAfter">Null: they do not end by themselves.</param>
/// <param name="UndoTime">When they were taken back; null: they stand.</param>
/// <param name="Reason">Why.</param>
public sealed record Adjustment(
    Guid Id, Category Category, decimal Points, DateTimeOffset Time, TimeSpan? HalfLife, TimeSpan? ExpireAfter, DateTimeOffset? UndoTime,
    string Reason)
{
    /// <summary>Stands in the ledger where a rule's id stands; no rule can have it.</summary>
    public const string RuleId = "by:hand";

    /// <summary>Stands where a rule's name stands.</summary>
    public const string RuleName = "Adjusted by hand";

    public Contribution ToContribution()
    {
        DateTimeOffset? expires = ExpireAfter is { } span ? Time + span : null;
        return new(
            RuleId, Category, Id, Points, Time, HalfLife, Reason, 0, UndoTime is { } undone && !(expires < undone) ? undone : expires);
    }
}
