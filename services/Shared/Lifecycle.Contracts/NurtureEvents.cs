namespace Lifecycle.Contracts;

/// <summary>An e-mail was accepted by the mail server.</summary>
public sealed record EmailSent(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid EmailId, Guid LeadId, Guid? ProgramId, string? StepId, string Subject) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>Something happened to a sent e-mail.</summary>
/// <param name="ActivityId">The same for the same engagement, also when it is published again.</param>
/// <param name="Kind"><c>OPEN</c>, <c>CLICK</c>, <c>UNSUBSCRIBE</c>, <c>BOUNCE</c>, <c>COMPLAINT</c> or <c>REPLY</c>.</param>
/// <param name="Classification"><c>HUMAN</c>, <c>SUSPECT</c> or <c>BOT</c>. Only <c>HUMAN</c> counts for scores.</param>
/// <param name="Url">Link that was clicked.</param>
/// <param name="Unique">First of its kind by a human for this e-mail.</param>
public sealed record EmailEngaged(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid ActivityId, Guid EmailId, Guid LeadId, Guid? ProgramId, string Kind, string Classification, string? Url, bool Unique)
    : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>A lead passed a step of a program.</summary>
/// <param name="Outcome"><c>COMPLETED</c>, <c>DROPPED</c> or <c>CONVERTED</c>.</param>
public sealed record ProgramStepCompleted(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid ProgramId, string StepId, Guid EnrollmentId, Guid LeadId, string Outcome) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>
/// Leads came into a segment or left it. A change of a lead names that lead alone; the first judging of a segment, and imports to static
/// lists, name many at once.
/// </summary>
/// <param name="Version">Microseconds since 1970 of the change: later changes of a lead's place have higher ones.</param>
/// <param name="SegmentId">The segment.</param>
/// <param name="Entered">Leads that are members now, at most 500 with those that left.</param>
/// <param name="Left">Leads that no longer are.</param>
public sealed record SegmentMembershipChanged(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid SegmentId, IReadOnlyList<Guid> Entered, IReadOnlyList<Guid> Left) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => SegmentId.ToString();
}
