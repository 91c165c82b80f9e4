using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Features.KeepRollups;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Retention.Features.QueryMetrics;

/// <summary>The metrics of Retention. Groups are those of the customer: first touch of its lead, segment, plan and first month.</summary>
public sealed class RetentionMetricsGrpcService(UnitOfWork<RetentionDbContext> work, RollupKeeper rollups)
    : MetricsService.MetricsServiceBase
{
    private static readonly MetricCatalog Catalog = new("retention",
    [
        new("customers_start", MetricKind.Outcome, "count"),
        new("customers_lost", MetricKind.Outcome, "count"),
        new("churn_rate", MetricKind.Outcome, "ratio"),
        new("customers_won_and_lost", MetricKind.Outcome, "count"),
        new("customers_end", MetricKind.Outcome, "count"),
        new("total_sales", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("upsell_revenue", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("upsell_share", MetricKind.Outcome, "ratio"),
        new("nps", MetricKind.Outcome, "points"),
        new("nps_responses", MetricKind.Activity, "count"),
        new("mrr_start", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("mrr_new", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("mrr_expansion", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("mrr_contraction", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("mrr_churn", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("mrr_reactivation", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("mrr_end", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("grr", MetricKind.Outcome, "ratio"),
        new("nrr", MetricKind.Outcome, "ratio"),
        new("revenue_churn_rate", MetricKind.Outcome, "ratio"),
        new("arr", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("average_revenue", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("lifetime_value", MetricKind.Outcome, MetricDefinition.MoneyUnit),
        new("advocates", MetricKind.Outcome, "count"),
        new("referrals", MetricKind.Outcome, "count"),
        new("campaign_open_rate", MetricKind.Activity, "ratio"),
        new("campaign_click_rate", MetricKind.Activity, "ratio"),
    ],
    [.. Facts.Dimensions.Keys]);

    /// <summary>Metrics of the waterfall: one read answers them all.</summary>
    private static readonly HashSet<string> Ledger = new(StringComparer.Ordinal)
    {
        "customers_start", "customers_lost", "churn_rate", "customers_won_and_lost", "customers_end", "mrr_start", "mrr_new",
        "mrr_expansion", "mrr_contraction", "mrr_churn",
        "mrr_reactivation", "mrr_end", "grr", "nrr", "revenue_churn_rate", "arr", "average_revenue", "lifetime_value",
    };

    public override async Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = Catalog.Parse(request, caller.TimeZone, caller.CurrencyCode).OrThrow();
        var isCounted = query.GroupBy is null && Waterfalls.IsMonthly(query.Period)
            && query.Metrics.Any(metric => Ledger.Contains(metric.Id))
            && await rollups.CatchUp(caller.WorkspaceId, caller.TimeZone.Id, context.CancellationToken);
        return await work.Read(caller.WorkspaceId, tx => Answer(tx, query, isCounted), context.CancellationToken);
    }

    private static async Task<QueryMetricsResponse> Answer(Transaction<RetentionDbContext> tx, MetricsQuery query, bool isCounted)
    {
        var answer = new MetricsAnswer(query);
        if (query.Metrics.Any(metric => Ledger.Contains(metric.Id)))
        {
            foreach (var (group, rows) in await Rows(tx, query, isCounted))
            {
                AddLedger(answer, query.Period, group, rows);
            }
        }

        if (WantsAny("total_sales", "upsell_revenue", "upsell_share"))
        {
            AddSales(answer, query.Period, await Facts.Sales(tx, query.GroupBy, query.Period));
        }

        if (WantsAny("nps", "nps_responses"))
        {
            AddNps(answer, query.Period, await Facts.NpsScores(tx, query.GroupBy, query.Period));
        }

        if (query.Wants("advocates"))
        {
            AddCounts(answer, query.Period, "advocates", await Facts.Advocates(tx, query.GroupBy, query.Period));
        }

        if (query.Wants("referrals"))
        {
            AddCounts(answer, query.Period, "referrals", await Facts.Referrals(tx, query.GroupBy, query.Period));
        }

        if (WantsAny("campaign_open_rate", "campaign_click_rate"))
        {
            AddCampaigns(answer, query.Period, await Facts.CampaignEmails(tx, query.GroupBy, query.Period));
        }

        return answer.Build();

        bool WantsAny(params ReadOnlySpan<string> metrics)
        {
            foreach (var metric in metrics)
            {
                if (query.Wants(metric))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private static async Task<IReadOnlyDictionary<string, IReadOnlyList<WaterfallRow>>> Rows(
        Transaction<RetentionDbContext> tx, MetricsQuery query, bool isCounted) =>
        isCounted
            ? new Dictionary<string, IReadOnlyList<WaterfallRow>> { [""] = await Waterfalls.FromMonths(tx, query.Period) }
            : await Waterfalls.FromLedger(tx, query.Period, query.GroupBy);

    private static void AddLedger(MetricsAnswer answer, ReportPeriod period, string group, IReadOnlyList<WaterfallRow> rows)
    {
        for (var index = 0; index < rows.Count; index++)
        {
            var (mrr, churn, end) = rows[index];
            answer.Set("customers_start", group, index, churn.AtStart);
            answer.Set("customers_lost", group, index, churn.Lost);
            answer.Set("churn_rate", group, index, churn.Rate);
            answer.Set("customers_won_and_lost", group, index, churn.WonAndLost);
            answer.Set("customers_end", group, index, end);
            answer.Set("mrr_start", group, index, (double)mrr.Start);
            answer.Set("mrr_new", group, index, (double)mrr.New);
            answer.Set("mrr_expansion", group, index, (double)mrr.Expansion);
            answer.Set("mrr_contraction", group, index, (double)mrr.Contraction);
            answer.Set("mrr_churn", group, index, (double)mrr.Churn);
            answer.Set("mrr_reactivation", group, index, (double)mrr.Reactivation);
            answer.Set("mrr_end", group, index, (double)mrr.End);
            answer.Set("grr", group, index, (double?)mrr.Grr);
            answer.Set("nrr", group, index, (double?)mrr.Nrr);
            answer.Set("revenue_churn_rate", group, index, mrr.Start == 0 ? null : (double)(mrr.Churn / mrr.Start));
            answer.Set("arr", group, index, (double)mrr.Arr);
            answer.Set("average_revenue", group, index, end == 0 ? null : (double)(mrr.End / end));
            answer.Set("lifetime_value", group, index, (double?)LifetimeValue.Of(
                mrr.Start, churn, (period.Granules[index].To - period.Granules[index].From).TotalDays));
        }
    }

    private static void AddSales(MetricsAnswer answer, ReportPeriod period, List<SaleFact> sales)
    {
        foreach (var cell in sales.GroupBy(fact => (fact.GroupName, Index: fact.Granule)))
        {
            var total = cell.Sum(fact => fact.Amount);
            var upsell = cell.Where(fact => Enum.Parse<RevenueType>(fact.Type).IsExpansion()).Sum(fact => fact.Amount);
            answer.Set("total_sales", cell.Key.GroupName, cell.Key.Index, (double)total);
            answer.Set("upsell_revenue", cell.Key.GroupName, cell.Key.Index, (double)upsell);
            answer.Set("upsell_share", cell.Key.GroupName, cell.Key.Index, total == 0 ? null : (double)(upsell / total));
        }
    }

    private static void AddNps(MetricsAnswer answer, ReportPeriod period, List<ScoreFact> scores)
    {
        foreach (var cell in scores.GroupBy(fact => (fact.GroupName, Index: period.IndexOf(fact.Time))))
        {
            var count = NpsCount.Of(cell.Select(fact => fact.Score));
            answer.Set("nps", cell.Key.GroupName, cell.Key.Index, count.Score);
            answer.Set("nps_responses", cell.Key.GroupName, cell.Key.Index, count.Answers);
        }
    }

    private static void AddCounts(MetricsAnswer answer, ReportPeriod period, string metric, List<CountFact> facts)
    {
        foreach (var fact in facts)
        {
            answer.Add(metric, fact.GroupName, period.IndexOf(fact.Time), 1);
        }
    }

    private static void AddCampaigns(MetricsAnswer answer, ReportPeriod period, List<EmailFact> emails)
    {
        foreach (var cell in emails.GroupBy(fact => (fact.GroupName, Index: period.IndexOf(fact.Time))))
        {
            var delivered = cell.Count();
            answer.Set(
                "campaign_open_rate", cell.Key.GroupName, cell.Key.Index, MetricsAnswer.Ratio(cell.Count(fact => fact.Opened), delivered));
            answer.Set("campaign_click_rate", cell.Key.GroupName, cell.Key.Index, MetricsAnswer.Ratio(
                cell.Count(fact => fact.Clicked), delivered));
        }
    }
}
