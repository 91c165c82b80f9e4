using Lifecycle.Common.V1;

namespace Lifecycle.Rpc.Metrics;

/// <summary>
/// Gathers values by metric, group and point. A point never set is 0 for a plain sum and has no value for a ratio, whose denominator is
/// missing then.
/// </summary>
public sealed class MetricsAnswer(MetricsQuery query)
{
    private readonly SortedDictionary<string, Dictionary<string, double?[]>> groups = new(StringComparer.Ordinal);

    /// <summary>Groups that carry a value so far; <c>""</c> stands for totals.</summary>
    public IReadOnlyCollection<string> Groups => groups.Keys;

    /// <summary>Adds to a count or sum.</summary>
    /// <param name="metric">Metric id; ignored when it was not asked for.</param>
    /// <param name="group">Value of the dimension; <c>""</c> for totals.</param>
    /// <param name="granule">Index of the point; outside the period (-1) nothing is added.</param>
    /// <param name="value">What to add.</param>
    public void Add(string metric, string group, int granule, double value)
    {
        if (Points(metric, group, granule) is { } points)
        {
            points[granule] = (points[granule] ?? 0) + value;
        }
    }

    /// <summary>Sets a value; null where there is no denominator.</summary>
    public void Set(string metric, string group, int granule, double? value)
    {
        if (Points(metric, group, granule) is { } points)
        {
            points[granule] = value;
        }
    }

    /// <summary>A ratio, or null when nothing is there to divide by.</summary>
    public static double? Ratio(double numerator, double denominator) => denominator == 0 ? null : numerator / denominator;

    public QueryMetricsResponse Build()
    {
        var response = new QueryMetricsResponse();
        if (groups.Count == 0 && query.GroupBy is null)
        {
            groups[""] = [];
        }

        foreach (var metric in query.Metrics)
        {
            foreach (var (group, values) in groups)
            {
                var unit = metric.Unit == MetricDefinition.MoneyUnit ? query.CurrencyCode : metric.Unit;
                var series = new MetricSeries { Metric = metric.Id, Kind = metric.Kind, Unit = unit };
                if (query.GroupBy is { } dimension)
                {
                    series.Group.Add(dimension, group);
                }

                var points = values.GetValueOrDefault(metric.Id);
                for (var index = 0; index < query.Period.Granules.Count; index++)
                {
                    var point = new MetricPoint { Start = query.Period.Granules[index].Start.ToString("yyyy-MM-dd", null) };
                    if (points?[index] is { } value)
                    {
                        point.Value = value;
                    }
                    else if (metric.Additive)
                    {
                        point.Value = 0;
                    }

                    series.Points.Add(point);
                }

                response.Series.Add(series);
            }
        }

        return response;
    }

    private double?[]? Points(string metric, string group, int granule)
    {
        if (granule < 0 || !query.Wants(metric))
        {
            return null;
        }

        if (!groups.TryGetValue(group, out var values))
        {
            groups[group] = values = [];
        }

        if (!values.TryGetValue(metric, out var points))
        {
            values[metric] = points = new double?[query.Period.Granules.Count];
        }

        return points;
    }
}
