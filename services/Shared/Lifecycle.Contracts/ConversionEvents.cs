namespace Lifecycle.Contracts;

/// <summary>The event the rest builds on: a lead moved from one stage to another. Once per change, in version order per lead.</summary>
/// <param name="From">Stage before, e.g. <c>LEAD</c>; <c>VISITOR</c> for a new lead.</param>
/// <param name="To">Stage after.</param>
/// <param name="Reason">
/// Why: <c>CAPTURED</c>, <c>QUALIFIED</c>, <c>ACCEPTED</c>, <c>OPPORTUNITY_OPENED</c>, <c>WON</c>, <c>ADVOCATED</c>, <c>CHURNED</c>,
/// <c>REACTIVATED</c>, <c>MANUAL</c>, <c>IMPORTED</c>, <c>MERGED</c>, <c>DISQUALIFIED</c>, and for backward moves <c>RECYCLED</c>,
/// <c>SCORE_DECAYED</c>, <c>LOST</c>, <c>REOPENED</c>.
/// </param>
/// <param name="Actor">Who: <c>key:NAME</c> or <c>service:NAME</c>.</param>
/// <param name="Score">Score at the change, where known.</param>
/// <param name="FirstTouch">The lead's first touch, for reports by source.</param>
public sealed record LeadStageChanged(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid LeadId, string From, string To, string Reason, string Actor, decimal? Score, TouchInfo? FirstTouch) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>An opportunity was opened, advanced, won or lost.</summary>
/// <param name="State"><c>OPEN</c>, <c>WON</c> or <c>LOST</c>.</param>
public sealed record OpportunityChanged(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid OpportunityId, Guid? LeadId, string Name, MoneyInfo Amount, string PipelineId, string Stage, string State, string? Reason)
    : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => OpportunityId.ToString();
}

/// <summary>An opportunity was won: this much was booked.</summary>
/// <param name="Account">Customer's name, where the opportunity carries one.</param>
/// <param name="CloseTime">When it was won.</param>
public sealed record RevenueBooked(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid OpportunityId, Guid? LeadId, MoneyInfo Amount, string? Account, string? Product, DateTimeOffset CloseTime) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId?.ToString() ?? OpportunityId.ToString();
}

/// <summary>Sales handed a lead back to marketing.</summary>
public sealed record LeadReturned(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid HandoffId, Guid LeadId, string Reason) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>Sales had not answered a hand-off at its deadline. Once per hand-off.</summary>
/// <param name="Owner">Seller who has it; null where nobody was named.</param>
/// <param name="TeamId">Sales team whose rule named the owner; null where a person did.</param>
/// <param name="CreateTime">When the lead was offered.</param>
/// <param name="DueTime">The deadline.</param>
public sealed record HandoffOverdue(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid HandoffId, Guid LeadId, string? Owner, Guid? TeamId, DateTimeOffset CreateTime, DateTimeOffset DueTime) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}
