using Lifecycle.Common.V1;
using Lifecycle.Gateway.Storage;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;
using Granularity = Lifecycle.Kernel.Granularity;
using Level = Lifecycle.Gateway.V1.TargetWarning.Types.Level;
using ProtoGranularity = Lifecycle.Common.V1.Granularity;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>Where one target's running period is heading.</summary>
/// <param name="IsDerived">A quarter that three months' targets make.</param>
/// <param name="Value">Value so far, as the sum of the days.</param>
internal sealed record TargetOutlook(
    string Service, string Metric, string Unit, Granularity Granularity, bool IsDerived, DateOnly Start, DateOnly End,
    double Target, bool IsAtMost, double Value, Forecast Forecast, Level Level);

/// <summary>Forecasts the running periods of targets. Only of metrics that add up over time: a rate or a stock has no pace.</summary>
internal sealed class TargetOutlooks(ServiceMetrics metrics, IOptions<GatewayOptions> options)
{
    /// <summary>
    /// The outlook of each target whose metric adds up, and for each monthly one without a quarterly beside it of the quarter with three
    /// times the target.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">A service does not answer.</exception>
    public async Task<IReadOnlyList<TargetOutlook>> Evaluate(
        Caller caller, IReadOnlyCollection<MetricTarget> targets, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, caller.TimeZone).DateTime);
        var asked = targets.Where(target => ScorecardJudge.AddsUp(target.Metric))
            .SelectMany(target => Periods(target, targets, today)).ToArray();
        var outlooks = await Task.WhenAll(asked.GroupBy(period => period.Target.Service).Select(
            service => Evaluate(caller, service.Key, [.. service], today, now, cancellationToken)));
        return outlooks.SelectMany(all => all).ToArray();
    }

    private async Task<IReadOnlyList<TargetOutlook>> Evaluate(
        Caller caller, string service, Period[] periods, DateOnly today, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var first = periods.Min(period => period.Start);
        first = first < today.AddDays(-PaceForecast.HistoryDays) ? first : today.AddDays(-PaceForecast.HistoryDays);
        var question = new QueryMetricsRequest
        {
            Service = service,
            From = ScorecardJudge.Text(first),
            To = ScorecardJudge.Text(today.AddDays(1)),
            Granularity = ProtoGranularity.Day,
            Metrics = { periods.Select(period => period.Target.Metric).Distinct() },
        };
        var answer = await metrics.Ask(service, question, caller, TimeSpan.FromSeconds(options.Value.ScorecardSeconds), cancellationToken);
        var (begun, over) = (ReportPeriod.Midnight(today, caller.TimeZone), ReportPeriod.Midnight(today.AddDays(1), caller.TimeZone));
        var todayLeft = Math.Clamp((over - now) / (over - begun), 0, 1);
        var outlooks = new List<TargetOutlook>();
        foreach (var period in periods)
        {
            if (answer.Series.FirstOrDefault(series => series.Metric == period.Target.Metric) is not { } series)
            {
                continue;
            }

            var days = series.Points.Select(point => point.HasValue ? point.Value : 0).ToArray();
            var soFar = days.Skip(period.Start.DayNumber - first.DayNumber).Sum();
            var target = period.Target.Value * (period.IsDerived ? 3 : 1);
            if (PaceForecast.Of(
                days[..^1], soFar, today, todayLeft, period.End.DayNumber - today.DayNumber - 1, series.Unit == "count",
                target, period.Target.IsAtMost)
                is { } forecast)
            {
                outlooks.Add(new TargetOutlook(
                    service, series.Metric, series.Unit, period.Granularity, period.IsDerived, period.Start, period.End,
                    target, period.Target.IsAtMost, soFar, forecast, LevelOf(forecast.Probability)));
            }
        }

        return outlooks;
    }

    private Level LevelOf(double probability) => probability < options.Value.TargetCriticalProbability ? Level.Critical
        : probability < options.Value.TargetWarningProbability ? Level.Warning
        : Level.Unspecified;

    private static IEnumerable<Period> Periods(MetricTarget target, IReadOnlyCollection<MetricTarget> all, DateOnly today)
    {
        var granularity = Enum.Parse<Granularity>(target.Granularity, ignoreCase: true);
        if (granularity != Granularity.Day)
        {
            yield return Of(target, granularity, today, false);
        }

        if (granularity == Granularity.Month
            && !all.Any(other => (other.Service, other.Metric) == (target.Service, target.Metric) && other.Granularity == "QUARTER"))
        {
            yield return Of(target, Granularity.Quarter, today, true);
        }
    }

    private static Period Of(MetricTarget target, Granularity granularity, DateOnly today, bool isDerived)
    {
        var start = granularity switch
        {
            Granularity.Week => today.AddDays(-(((int)today.DayOfWeek + 6) % 7)),
            Granularity.Quarter => new DateOnly(today.Year, ((today.Month - 1) / 3 * 3) + 1, 1),
            Granularity.Year => new DateOnly(today.Year, 1, 1),
            _ => new DateOnly(today.Year, today.Month, 1),
        };
        var end = granularity switch
        {
            Granularity.Week => start.AddDays(7),
            Granularity.Quarter => start.AddMonths(3),
            Granularity.Year => start.AddYears(1),
            _ => start.AddMonths(1),
        };
        return new Period(target, granularity, isDerived, start, end);
    }

    private sealed record Period(MetricTarget Target, Granularity Granularity, bool IsDerived, DateOnly Start, DateOnly End);
}
