namespace Lifecycle.Contracts;

/// <summary>A target is likely to be missed, told while there is time to act. Once per target, period and level.</summary>
/// <param name="Service">Service that answers for the metric, e.g. <c>conversion</c>.</param>
/// <param name="Metric">Metric id, e.g. <c>new_customers</c>.</param>
/// <param name="Unit"><c>count</c> or an ISO 4217 code.</param>
/// <param name="Granularity">
/// <c>WEEK</c>, <c>MONTH</c>, <c>QUARTER</c> or <c>YEAR</c>. A quarter also stands for three months' targets together.
/// </param>
/// <param name="PeriodStart">First day, in the workspace's time zone.</param>
/// <param name="PeriodEnd">Day after the last.</param>
/// <param name="Target">What the period is to reach.</param>
/// <param name="IsAtMost">Less is better.</param>
/// <param name="Value">Value so far.</param>
/// <param name="Forecast">Expected value of the whole period.</param>
/// <param name="ForecastLow">One in ten such periods ends below.</param>
/// <param name="ForecastHigh">One in ten ends above.</param>
/// <param name="Probability">Chance to meet the target, 0 to 1.</param>
/// <param name="Level"><c>WARNING</c> or <c>CRITICAL</c>.</param>
public sealed record TargetAtRisk(
    Guid EventId, Guid WorkspaceId, DateTimeOffset OccurredAt, long Version, string Service, string Metric, string Unit, string Granularity,
    DateOnly PeriodStart, DateOnly PeriodEnd, decimal Target, bool IsAtMost, decimal Value, decimal Forecast,
    decimal ForecastLow, decimal ForecastHigh, decimal Probability, string Level) : ILifecycleEvent
{
    string? ILifecycleEvent.OrderingKey => $"{Service}.{Metric}";
}
