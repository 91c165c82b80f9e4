namespace Lifecycle.Contracts;

/// <summary>The live score changed.</summary>
/// <param name="Grade">Fit grade <c>A</c> to <c>D</c>.</param>
/// <param name="Band">Name of the score band, e.g. <c>HOT</c>.</param>
public sealed record LeadScoreChanged(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid LeadId, decimal Total, decimal Fit, decimal Behavior, decimal Bant, string Grade, string Band, int ModelVersion) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>The score crossed the agreed threshold: the lead is ready for sales, for these reasons.</summary>
/// <param name="Reasons">Strongest first, at most ten.</param>
/// <param name="RecentActivities">What the lead did last, newest first, at most five, in words; null in events of earlier releases.</param>
/// <param name="Changes">What had changed, in words, e.g. <c>The score rose from 52.77 to 77.77: Asked for a demo (+25).</c></param>
/// <param name="Hot">Whether the score reached the model's threshold <c>hot</c>.</param>
public sealed record LeadQualified(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid LeadId, decimal Score, int ModelVersion, IReadOnlyList<ReasonInfo> Reasons,
    IReadOnlyList<string>? RecentActivities = null, IReadOnlyList<string>? Changes = null, bool Hot = false) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>The score fell below the demotion threshold.</summary>
/// <param name="Reason"><c>SCORE_DECAYED</c>, or <c>NEGATIVE_FIT</c>.</param>
public sealed record LeadDisqualified(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid LeadId, decimal Score, string Reason) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}
