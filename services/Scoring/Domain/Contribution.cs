namespace Lifecycle.Scoring.Domain;

/// <summary>Points that one rule gave for one activity or for the profile: a row of the ledger.</summary>
/// <param name="RuleId">Rule.</param>
/// <param name="Category">Its category.</param>
/// <param name="ActivityId">The activity; <see cref="Guid.Empty"/> for the profile.</param>
/// <param name="Points">Given at <paramref name="Time"/>, after caps; four decimals.</param>
/// <param name="Time">When the activity happened, or since when the attribute is known.</param>
/// <param name="HalfLife">Null: no decay.</param>
/// <param name="Detail">What is seen of the evidence, e.g. <c>form demo</c>; null when there is nothing to say, or the person was
/// erased.</param>
public sealed record Contribution(
    string RuleId, Category Category, Guid ActivityId, decimal Points, DateTimeOffset Time, TimeSpan? HalfLife, string? Detail)
{
    public bool IsOfProfile => ActivityId == Guid.Empty;

    /// <summary>What is left of the points, unrounded.</summary>
    public double ValueAt(DateTimeOffset time) =>
        HalfLife is { } halfLife ? (double)Points * Decay.Factor(time - Time, halfLife.TotalSeconds) : (double)Points;
}

/// <summary>A lead's ledger and what it sums to.</summary>
/// <param name="Contributions">In order of time, activity, rule.</param>
/// <param name="State">Their sum.</param>
public sealed record ScoreSheet(IReadOnlyList<Contribution> Contributions, ScoreState State);
