using Lifecycle.Gateway.V1;
using Granularity = Lifecycle.Kernel.Granularity;
using Level = Lifecycle.Gateway.V1.TargetWarning.Types.Level;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>Puts forecasts beside the running points of a scorecard, and warnings at its end. Pure.</summary>
internal static class ScorecardRisks
{
    public static void Add(V1.Scorecard card, Granularity granularity, IReadOnlyList<TargetOutlook> outlooks)
    {
        foreach (var outlook in outlooks)
        {
            if (!outlook.IsDerived && outlook.Granularity == granularity)
            {
                AddTo(card, outlook);
            }

            if (outlook.Level != Level.Unspecified)
            {
                card.Warnings.Add(Warning(outlook));
            }
        }
    }

    private static void AddTo(V1.Scorecard card, TargetOutlook outlook)
    {
        var start = ScorecardJudge.Text(outlook.Start);
        foreach (var point in card.Activities.Concat(card.Outcomes)
            .Where(metric => (metric.Service, metric.Metric) == (outlook.Service, outlook.Metric))
            .SelectMany(metric => metric.Points).Where(point => point.Start == start))
        {
            (point.Forecast, point.ForecastLow, point.ForecastHigh) = (outlook.Forecast.Value, outlook.Forecast.Low, outlook.Forecast.High);
            point.Probability = outlook.Forecast.Probability;
            if (outlook.Level != Level.Unspecified)
            {
                point.Risk = outlook.Level;
            }
        }
    }

    private static TargetWarning Warning(TargetOutlook outlook) => new()
    {
        Service = outlook.Service,
        Metric = outlook.Metric,
        Unit = outlook.Unit,
        Granularity = (Common.V1.Granularity)(int)outlook.Granularity,
        Start = ScorecardJudge.Text(outlook.Start),
        End = ScorecardJudge.Text(outlook.End),
        Target = outlook.Target,
        Direction = outlook.IsAtMost ? Target.Types.Direction.AtMost : Target.Types.Direction.AtLeast,
        Value = outlook.Value,
        Forecast = outlook.Forecast.Value,
        ForecastLow = outlook.Forecast.Low,
        ForecastHigh = outlook.Forecast.High,
        Probability = outlook.Forecast.Probability,
        Level = outlook.Level,
    };
}
