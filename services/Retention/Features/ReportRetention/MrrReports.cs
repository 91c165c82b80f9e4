using Lifecycle.Kernel;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>The waterfall as it is told.</summary>
internal static class MrrReports
{
    /// <param name="rows">One per granule; null: no customer is known.</param>
    /// <param name="period">The period.</param>
    /// <param name="currencyCode">The workspace's currency.</param>
    public static MrrReport Of(IReadOnlyList<WaterfallRow>? rows, ReportPeriod period, string currencyCode)
    {
        var none = new WaterfallRow(new(0, 0, 0, 0, 0, 0), new(0, 0, 0), 0);
        var report = new MrrReport
        {
            Note = rows is null || rows.All(row => row.Movements == none.Movements)
                ? "No recurring revenue is recorded before the end of the period."
                : "",
        };
        for (var index = 0; index < period.Granules.Count; index++)
        {
            report.Rows.Add(Row(period.Granules[index], rows?[index] ?? none, currencyCode));
        }

        return report;
    }

    private static MrrRow Row(Granule granule, WaterfallRow row, string currencyCode)
    {
        Common.V1.Money Amount(decimal amount) => new Money(currencyCode, amount).ToProto();
        var (mrr, churn, end) = row;
        var proto = new MrrRow
        {
            Start = granule.Start.ToString("yyyy-MM-dd", null),
            MrrStart = Amount(mrr.Start),
            MrrNew = Amount(mrr.New),
            MrrReactivation = Amount(mrr.Reactivation),
            MrrExpansion = Amount(mrr.Expansion),
            MrrContraction = Amount(mrr.Contraction),
            MrrChurn = Amount(mrr.Churn),
            MrrEnd = Amount(mrr.End),
            Arr = Amount(mrr.Arr),
            CustomersStart = churn.AtStart,
            CustomersLost = churn.Lost,
            CustomersWonAndLost = churn.WonAndLost,
            CustomersEnd = end,
        };
        if (mrr is { Grr: { } grr, Nrr: { } nrr })
        {
            (proto.Grr, proto.Nrr) = ((double)grr, (double)nrr);
        }

        if (end > 0)
        {
            proto.AverageRevenue = Amount(Math.Round(mrr.End / end, 6));
        }

        if (LifetimeValue.Of(mrr.Start, churn, (granule.To - granule.From).TotalDays) is { } value)
        {
            proto.LifetimeValue = Amount(value);
        }

        return proto;
    }
}
