namespace Lifecycle.Contracts;

/// <summary>A customer left.</summary>
public sealed record CustomerChurned(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid CustomerId, Guid? LeadId, string Reason) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => CustomerId.ToString();
}

/// <summary>An entry of the revenue ledger.</summary>
/// <param name="Type">
/// <c>NEW</c>, <c>UPSELL</c>, <c>CROSS_SELL</c>, <c>RENEWAL</c>, <c>CONTRACTION</c>, <c>CHURN</c> or <c>REACTIVATION</c>.
/// </param>
/// <param name="Recurrence"><c>ONE_OFF</c>, <c>MONTHLY</c>, <c>QUARTERLY</c> or <c>YEARLY</c>.</param>
public sealed record RevenueMoved(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid CustomerId, Guid? LeadId, string Type, MoneyInfo Amount, string Recurrence) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => CustomerId.ToString();
}

/// <summary>A customer's risk of leaving is another than before.</summary>
/// <param name="PreviousScore">0 to 100; null for the first.</param>
/// <param name="Score">0 to 100.</param>
/// <param name="AtRisk">At or above the model's threshold.</param>
/// <param name="ModelVersion">Version of the weights; 0 before any were put.</param>
/// <param name="Reasons">What gives points, most first, in words.</param>
public sealed record CustomerRiskChanged(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid CustomerId, Guid? LeadId,
    decimal? PreviousScore, decimal Score, bool AtRisk, int ModelVersion, IReadOnlyList<string> Reasons) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => CustomerId.ToString();
}

/// <summary>A survey was answered.</summary>
/// <param name="SurveyType"><c>NPS</c> (0 to 10), <c>CSAT</c> or <c>CES</c>.</param>
public sealed record NpsAnswered(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid SurveyId, string SurveyType, Guid? CustomerId, Guid? LeadId, int Score, string? Comment) : ILifecycleEvent;

/// <summary>A customer recommended us, which makes the lead an advocate.</summary>
/// <param name="Kind"><c>REFERRAL</c>, <c>REVIEW</c>, <c>CASE_STUDY</c>, <c>REFERENCE</c> or <c>TESTIMONIAL</c>.</param>
public sealed record AdvocateGained(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, Guid LeadId, string Kind) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}

/// <summary>
/// A mail to a lead is wanted, once for each <paramref name="RequestId"/>; Nurture sends it, unless the address is suppressed.
/// </summary>
/// <param name="RequestId">What it is for, e.g. a survey's invitation.</param>
/// <param name="TemplateId">Template of Nurture; null: <paramref name="Subject"/> and <paramref name="Html"/>.</param>
/// <param name="Subject">Handlebars.</param>
/// <param name="Html">Handlebars.</param>
/// <param name="Values">Values for the template beside the lead's, e.g. <c>survey.url</c> for <c>{{survey.url}}</c>.</param>
public sealed record EmailRequested(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version,
    Guid RequestId, Guid LeadId, Guid? TemplateId, string Subject, string Html, IReadOnlyDictionary<string, string> Values)
    : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => LeadId.ToString();
}
