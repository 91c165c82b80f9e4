using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Granularity = Lifecycle.Kernel.Granularity;

namespace Lifecycle.Rpc.Metrics;

/// <summary>One metric that a service can answer.</summary>
/// <param name="Id">Id in the public contract, e.g. <c>new_leads</c>.</param>
/// <param name="Kind">Activity or outcome.</param>
/// <param name="Unit">
/// <c>count</c>, <c>ratio</c>, <c>money</c> (told as the workspace's currency code), <c>days</c>, <c>minutes</c> or <c>points</c>.
/// </param>
public sealed record MetricDefinition(string Id, MetricKind Kind, string Unit)
{
    /// <summary>Unit of amounts; series carry the workspace's currency code in its place.</summary>
    public const string MoneyUnit = "money";

    /// <summary>
    /// Nothing happened means 0. Counts and amounts are additive unless told otherwise; a quotient such as cost per lead is not: without a
    /// denominator it has no value.
    /// </summary>
    public bool Additive { get; init; } = Unit is "count" or MoneyUnit;
}

/// <summary>A checked question.</summary>
/// <param name="Period">Period in the workspace's time zone, cut into points.</param>
/// <param name="GroupBy">Dimension, or null for totals.</param>
/// <param name="Metrics">What to answer, in the order asked.</param>
/// <param name="CurrencyCode">Unit of amounts.</param>
public sealed record MetricsQuery(ReportPeriod Period, string? GroupBy, IReadOnlyList<MetricDefinition> Metrics, string CurrencyCode)
{
    public bool Wants(string metric) => Metrics.Any(definition => definition.Id == metric);
}

/// <summary>The metrics and dimensions of one service; checks questions and names every fault.</summary>
public sealed class MetricCatalog(string service, IReadOnlyList<MetricDefinition> metrics, IReadOnlyList<string> dimensions)
{
    public IReadOnlyList<MetricDefinition> Metrics => metrics;

    public Result<MetricsQuery> Parse(QueryMetricsRequest request, TimeZoneInfo timeZone, string currencyCode)
    {
        var violations = new Violations();
        var asked = request.Metrics.SelectMany(
            text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Distinct().ToList();
        var known = metrics.ToDictionary(metric => metric.Id);
        foreach (var unknown in asked.Where(id => !known.ContainsKey(id)))
        {
            violations.Add("metrics", $"{service} has no metric {unknown}; it has {string.Join(", ", known.Keys)}.");
        }

        violations.Require(
            request.GroupBy.Length == 0 || dimensions.Contains(request.GroupBy),
            "groupBy",
            $"{service} cannot group by {request.GroupBy}; it can by {string.Join(", ", dimensions)}.");
        var granularity = request.Granularity == Common.V1.Granularity.Unspecified ? Granularity.Month : (Granularity)request.Granularity;
        var period = ReportPeriod.Create(request.From, request.To, granularity, timeZone);
        foreach (var violation in period.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        var wanted = asked.Count == 0 ? metrics : asked.Select(id => known[id]).ToList();
        return new MetricsQuery(period.Value, request.GroupBy.Length == 0 ? null : request.GroupBy, wanted, currencyCode);
    }
}
