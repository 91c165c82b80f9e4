namespace Lifecycle.Contracts;

/// <summary>A person became known. Published once per lead.</summary>
/// <param name="CaptureType"><c>FORM</c>, <c>CALL</c>, <c>CHAT</c>, <c>IMPORT</c>, <c>API</c> or <c>IDENTIFY</c>.</param>
/// <param name="FormType">
/// <c>demo</c>, <c>content</c>, <c>contact</c>, <c>newsletter</c> or <c>other</c> where the lead came by a form.
/// </param>
/// <param name="CreateTime">When the person became known; may lie in the past for a backfill.</param>
/// <param name="Traits">Everything else known, as text.</param>
public sealed record LeadCaptured(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid LeadId,
    string? Email,
    string? ExternalId,
    string CaptureType,
    string? FormType,
    DateTimeOffset CreateTime,
    TouchInfo FirstTouch,
    TouchInfo LastTouch,
    IReadOnlyDictionary<string, string> Traits,
    CompanyInfo? Company) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>The profile changed. Carries the whole profile, so that the highest version alone is enough.</summary>
public sealed record LeadUpdated(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid LeadId,
    string? Email,
    string? ExternalId,
    string CaptureType,
    DateTimeOffset CreateTime,
    TouchInfo FirstTouch,
    TouchInfo LastTouch,
    IReadOnlyDictionary<string, string> Traits,
    CompanyInfo? Company) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>Two leads proved to be one person; the source lives on as the target.</summary>
public sealed record LeadsMerged(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid SourceLeadId, Guid TargetLeadId) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => TargetLeadId.ToString();
}

/// <summary>The person asked to be forgotten: every service erases what names them and keeps its counts.</summary>
public sealed record LeadErased(Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid LeadId) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>
/// A service has erased what it held on a person; Capture keeps it as that service's receipt. Published by every service that hears
/// <see cref="LeadErased"/>, Capture itself not among them, and again whenever it is asked again.
/// </summary>
/// <param name="Version">Version of the <see cref="LeadErased"/> that it answers.</param>
/// <param name="Service"><c>scoring</c>, <c>nurture</c>, <c>conversion</c> or <c>retention</c>.</param>
/// <param name="ErasedAt">When the erasure was committed, UTC.</param>
/// <param name="Counts">Records erased or stripped of what names the person, by kind; all zero where there was nothing.</param>
public sealed record LeadErasureConfirmed(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid LeadId, string Service, DateTimeOffset ErasedAt, IReadOnlyDictionary<string, long> Counts) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>
/// Activities of known leads, at most 500 a message. What an anonymous visitor did is published when the person becomes known. Bots'
/// activities are never published.
/// </summary>
public sealed record ActivitiesRecorded(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, IReadOnlyList<ActivityInfo> Activities) : ILifecycleEvent;

/// <summary>
/// A known person's visit began. Visits of an anonymous visitor are told when the person becomes known: one message for each visit of
/// everybody would hold the suite to the broker's rate.
/// </summary>
/// <param name="LeadId">Whose visit it is.</param>
public sealed record SessionStarted(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid SessionId, Guid VisitorId, Guid? LeadId, TouchInfo Touch)
    : ILifecycleEvent;

/// <summary>Spend was imported. A row replaces the earlier one with the same date, source, medium, campaign and keyword.</summary>
/// <param name="Rows">At most 500.</param>
public sealed record SpendRecorded(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, IReadOnlyList<SpendInfo> Rows) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => "spend";
}
