using System.Collections.Frozen;
using System.Globalization;
using Lifecycle.Common.V1;
using Lifecycle.Gateway.Storage;
using Lifecycle.Gateway.V1;
using Lifecycle.Kernel;
using Granularity = Lifecycle.Kernel.Granularity;
using Status = Lifecycle.Gateway.V1.ScorecardPoint.Types.Status;

namespace Lifecycle.Gateway.Scorecard;

/// <summary>Sets values beside those of before and judges them by their targets. Pure.</summary>
public static class ScorecardJudge
{
    /// <summary>How far a value may fall short of its target and still be a warning only.</summary>
    public const double Tolerance = 0.2;

    /// <summary>
    /// Metrics that add up over time, so that part of a granule owes part of the target. Stocks, rates and averages are not among them.
    /// </summary>
    private static readonly FrozenSet<string> Flows = FrozenSet.Create(
        StringComparer.Ordinal,
        "visitors", "sessions", "page_views", "leads", "form_leads", "call_leads", "chat_leads", "impressions", "clicks", "spend",
        "bot_hits", "qualified_leads", "new_leads", "reopened_leads", "emails_sent", "emails_delivered", "mqls", "sqls", "handbacks",
        "opportunities", "new_customers", "bookings", "customers_lost", "total_sales", "upsell_revenue", "nps_responses", "mrr_new",
        "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation", "advocates", "referrals");

    /// <summary>Whether a metric adds up over time.</summary>
    public static bool AddsUp(string metric) => Flows.Contains(metric);

    /// <summary>The day on which the granule before begins: the same calendar length earlier.</summary>
    public static DateOnly Before(DateOnly start, Granularity granularity) => granularity switch
    {
        Granularity.Day => start.AddDays(-1),
        Granularity.Week => start.AddDays(-7),
        Granularity.Quarter => start.AddMonths(-3),
        Granularity.Year => start.AddYears(-1),
        _ => start.AddMonths(-1),
    };

    public static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <param name="series">The metric over the period.</param>
    /// <param name="before">Its last point before the period.</param>
    /// <param name="period">The period.</param>
    /// <param name="target">What a granule is to reach; null: no target.</param>
    /// <param name="now">Now: what part of a running granule has passed.</param>
    public static IEnumerable<ScorecardPoint> Points(
        MetricSeries series, MetricPoint? before, ReportPeriod period, MetricTarget? target, DateTimeOffset now)
    {
        var previous = before is { HasValue: true } ? before.Value : (double?)null;
        foreach (var (granule, given) in period.Granules.Zip(series.Points))
        {
            var point = new ScorecardPoint { Start = given.Start };
            var value = given.HasValue ? given.Value : (double?)null;
            if (value is { } known)
            {
                point.Value = known;
            }

            if (previous is { } last)
            {
                point.PreviousValue = last;
            }

            if (value is { } to && previous is { } from && from != 0)
            {
                point.Change = (to - from) / Math.Abs(from);
            }

            if (target is not null)
            {
                point.Target = target.Value;
                point.Status = Judge(value, target.Value, target.IsAtMost, Flows.Contains(series.Metric) ? Passed(granule, now) : 1);
            }

            yield return point;
            previous = value;
        }
    }

    /// <param name="value">Value; null: no status.</param>
    /// <param name="target">Target of the whole granule.</param>
    /// <param name="isAtMost">Less is better.</param>
    /// <param name="share">Part of the target that is due, 0 to 1.</param>
    public static Status Judge(double? value, double target, bool isAtMost, double share)
    {
        if (value is not { } reached || share <= 0)
        {
            return Status.Unspecified;
        }

        var due = target * share;
        var slack = Math.Abs(due) * Tolerance;
        return (isAtMost ? reached <= due : reached >= due) ? Status.OnTrack
            : (isAtMost ? reached <= due + slack : reached >= due - slack) ? Status.AtRisk
            : Status.OffTrack;
    }

    private static double Passed(Granule granule, DateTimeOffset now) =>
        Math.Clamp((now - granule.From) / (granule.To - granule.From), 0, 1);
}
