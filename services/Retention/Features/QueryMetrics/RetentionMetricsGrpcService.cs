using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Retention.Features.QueryMetrics;

/// <summary>The metrics of Retention. Groups are those of the customer: first touch of its lead, segment and plan.</summary>
public sealed class RetentionMetricsGrpcService(UnitOfWork<RetentionDbContext> work) : MetricsService.MetricsServiceBase
{
    private static readonly MetricCatalog Catalog = new("retention",
    [
        new("customers_start", MetricKind.Outcome, "count"),
        new("customers_lost", MetricKind.Outcome, "count"),
        new("churn_rate", MetricKind.Outcome, "ratio"),
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
        new("advocates", MetricKind.Outcome, "count"),
        new("referrals", MetricKind.Outcome, "count"),
        new("campaign_open_rate", MetricKind.Activity, "ratio"),
        new("campaign_click_rate", MetricKind.Activity, "ratio"),
    ],
    [.. Facts.Dimensions.Keys]);

    public override Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = Catalog.Parse(request, caller.TimeZone, caller.CurrencyCode).OrThrow();
        return work.Read(caller.WorkspaceId, tx => Answer(tx, query), context.CancellationToken);
    }

    private static async Task<QueryMetricsResponse> Answer(Transaction<RetentionDbContext> tx, MetricsQuery query)
    {
        var answer = new MetricsAnswer(query);
        if (WantsAny("customers_start", "customers_lost", "churn_rate"))
        {
            AddChurn(answer, query.Period, await Facts.Tenures(tx, query.GroupBy, query.Period.To));
        }

        if (WantsAny("total_sales", "upsell_revenue", "upsell_share"))
        {
            AddSales(answer, query.Period, await Facts.Sales(tx, query.GroupBy, query.Period.From, query.Period.To));
        }

        if (WantsAny("nps", "nps_responses"))
        {
            AddNps(answer, query.Period, await Facts.NpsScores(tx, query.GroupBy, query.Period.From, query.Period.To));
        }

        if (query.Metrics.Any(metric => metric.Id is "grr" or "nrr" || metric.Id.StartsWith("mrr_", StringComparison.Ordinal)))
        {
            AddMrr(answer, query.Period, await Facts.MrrChanges(tx, query.GroupBy, query.Period.To));
        }

        if (query.Wants("advocates"))
        {
            AddCounts(answer, query.Period, "advocates", await Facts.Advocates(tx, query.GroupBy, query.Period.From, query.Period.To));
        }

        if (query.Wants("referrals"))
        {
            AddCounts(answer, query.Period, "referrals", await Facts.Referrals(tx, query.GroupBy, query.Period.From, query.Period.To));
        }

        if (WantsAny("campaign_open_rate", "campaign_click_rate"))
        {
            AddCampaigns(answer, query.Period, await Facts.CampaignEmails(tx, query.GroupBy, query.Period.From, query.Period.To));
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

    private static void AddChurn(MetricsAnswer answer, ReportPeriod period, List<TenureFact> tenures)
    {
        foreach (var group in tenures.GroupBy(fact => fact.GroupName))
        {
            var spans = group.Select(fact => fact.Tenure).ToArray();
            for (var index = 0; index < period.Granules.Count; index++)
            {
                var count = ChurnCount.Of(spans, period.Granules[index].From, period.Granules[index].To);
                answer.Set("customers_start", group.Key, index, count.AtStart);
                answer.Set("customers_lost", group.Key, index, count.Lost);
                answer.Set("churn_rate", group.Key, index, count.Rate);
            }
        }
    }

    private static void AddSales(MetricsAnswer answer, ReportPeriod period, List<SaleFact> sales)
    {
        foreach (var cell in sales.GroupBy(fact => (fact.GroupName, Index: period.IndexOf(fact.OccurTime))))
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

    private static void AddMrr(MetricsAnswer answer, ReportPeriod period, List<MrrFact> changes)
    {
        DateTimeOffset[] boundaries = [.. period.Granules.Select(granule => granule.From), period.To];
        foreach (var group in changes.GroupBy(fact => fact.GroupName))
        {
            var rows = Mrr.Waterfall(group.Select(fact => new MrrChange(fact.CustomerId, fact.OccurTime, fact.Delta)), boundaries);
            for (var index = 0; index < rows.Count; index++)
            {
                var row = rows[index];
                answer.Set("mrr_start", group.Key, index, (double)row.Start);
                answer.Set("mrr_new", group.Key, index, (double)row.New);
                answer.Set("mrr_expansion", group.Key, index, (double)row.Expansion);
                answer.Set("mrr_contraction", group.Key, index, (double)row.Contraction);
                answer.Set("mrr_churn", group.Key, index, (double)row.Churn);
                answer.Set("mrr_reactivation", group.Key, index, (double)row.Reactivation);
                answer.Set("mrr_end", group.Key, index, (double)row.End);
                answer.Set("grr", group.Key, index, (double?)row.Grr);
                answer.Set("nrr", group.Key, index, (double?)row.Nrr);
            }
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
            answer.Set("campaign_open_rate", cell.Key.GroupName, cell.Key.Index, MetricsAnswer.Ratio(cell.Count(fact => fact.Opened), delivered));
            answer.Set("campaign_click_rate", cell.Key.GroupName, cell.Key.Index, MetricsAnswer.Ratio(cell.Count(fact => fact.Clicked), delivered));
        }
    }
}
