using Lifecycle.Common.V1;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc.Metrics;
using Granularity = Lifecycle.Kernel.Granularity;

namespace Lifecycle.Conversion.Features.QueryMetrics;

/// <summary>The metrics of conversion. Groups are of the lead's first touch; bookings are credited to it whole.</summary>
public sealed class ConversionMetrics(UnitOfWork<ConversionDbContext> work)
{
    private static readonly string[] NeedsMoney =
    [
        "cost_per_sql", "cost_per_customer", "bookings", "roi", "average_deal", "pipeline_velocity",
    ];

    /// <summary>
    /// What can be asked. <c>mqls sqls new_customers</c>: leads that entered the stage in the point, each once (reactivated customers are
    /// not new). <c>mql_to_sql_rate sql_to_customer_rate</c>: of these, the share that has got there since. <c>lead_velocity_rate</c>: MQLs
    /// against the point before. <c>handoff_response_minutes</c>: median to the first answer of sales. <c>pipeline_velocity</c>: amount a
    /// day.
    /// </summary>
    public static MetricCatalog Catalog { get; } = new(
        "conversion",
        [
            new("mqls", MetricKind.Outcome, "count"),
            new("sqls", MetricKind.Outcome, "count"),
            new("handbacks", MetricKind.Activity, "count"),
            new("opportunities", MetricKind.Outcome, "count"),
            new("new_customers", MetricKind.Outcome, "count"),
            new("mql_to_sql_rate", MetricKind.Outcome, "ratio"),
            new("sql_to_customer_rate", MetricKind.Outcome, "ratio"),
            new("win_rate", MetricKind.Outcome, "ratio"),
            new("cost_per_sql", MetricKind.Outcome, MetricDefinition.MoneyUnit) { Additive = false },
            new("cost_per_customer", MetricKind.Outcome, MetricDefinition.MoneyUnit) { Additive = false },
            new("bookings", MetricKind.Outcome, MetricDefinition.MoneyUnit),
            new("roi", MetricKind.Outcome, "ratio"),
            new("average_deal", MetricKind.Outcome, MetricDefinition.MoneyUnit) { Additive = false },
            new("cycle_days", MetricKind.Outcome, "days"),
            new("pipeline_velocity", MetricKind.Outcome, MetricDefinition.MoneyUnit) { Additive = false },
            new("lead_velocity_rate", MetricKind.Outcome, "ratio"),
            new("handoff_response_minutes", MetricKind.Activity, "minutes"),
        ],
        ["channel", "source", "medium", "campaign", "keyword", "landingPage"]);

    public Task<Result<QueryMetricsResponse>> Handle(Guid workspaceId, MetricsQuery query, CancellationToken ct) =>
        work.Read(workspaceId, async tx =>
        {
            if (NeedsMoney.Any(query.Wants) && await ReportData.ForeignCurrency(tx, query.CurrencyCode) is { } foreign)
            {
                return (Result<QueryMetricsResponse>)Error.Precondition(
                    $"There are amounts in {foreign} and the workspace reports in {query.CurrencyCode}; currencies are not mixed.");
            }

            var answer = new MetricsAnswer(query);
            string[] dimensions = query.GroupBy is { } dimension ? [dimension] : [];
            var cut = Cut.Of(query.Period.Granules, dimensions);
            var entries = await ReportData.Entries(tx, cut);
            AddEntries(answer, entries);
            var deals = await ReportData.Deals(tx, cut);
            AddDeals(answer, deals);
            AddSpend(answer, entries, await ReportData.Spend(tx, cut), deals);
            await AddVelocity(tx, query, answer, entries, dimensions);
            await AddResponses(tx, cut, answer);
            return answer.Build();
        }, ct);

    private static void AddEntries(MetricsAnswer answer, IEnumerable<EntryCount> entries)
    {
        foreach (var entry in entries)
        {
            answer.Add("handbacks", entry.Grp, entry.Granule, entry.Returned);
            switch (entry.Stage)
            {
                case "MQL":
                    answer.Add("mqls", entry.Grp, entry.Granule, entry.Entered);
                    answer.Set("mql_to_sql_rate", entry.Grp, entry.Granule, MetricsAnswer.Ratio(entry.WentOn, entry.Entered));
                    break;
                case "SQL":
                    answer.Add("sqls", entry.Grp, entry.Granule, entry.Entered);
                    answer.Set("sql_to_customer_rate", entry.Grp, entry.Granule, MetricsAnswer.Ratio(entry.Bought, entry.Entered));
                    break;
                case "CUSTOMER":
                    answer.Add("new_customers", entry.Grp, entry.Granule, entry.Fresh);
                    break;
            }
        }
    }

    private static void AddDeals(MetricsAnswer answer, IEnumerable<DealCount> deals)
    {
        foreach (var deal in deals)
        {
            answer.Add("opportunities", deal.Grp, deal.Granule, deal.Opened);
            answer.Add("bookings", deal.Grp, deal.Granule, (double)deal.Bookings);
            var winRate = MetricsAnswer.Ratio(deal.Won, deal.Won + deal.Lost);
            var average = MetricsAnswer.Ratio((double)deal.Bookings, deal.Won);
            var cycle = MetricsAnswer.Ratio(deal.CycleDays, deal.Won);
            answer.Set("win_rate", deal.Grp, deal.Granule, winRate);
            answer.Set("average_deal", deal.Grp, deal.Granule, average);
            answer.Set("cycle_days", deal.Grp, deal.Granule, cycle);
            answer.Set("pipeline_velocity", deal.Grp, deal.Granule, cycle is > 0 ? deal.Open * winRate * average / cycle : null);
        }
    }

    private static void AddSpend(
        MetricsAnswer answer, IReadOnlyList<EntryCount> entries, IReadOnlyList<SpendSum> spend, IReadOnlyList<DealCount> deals)
    {
        var year = deals.ToDictionary(deal => (deal.Granule, deal.Grp), deal => deal.YearBookings);
        foreach (var sum in spend)
        {
            var reached = entries.Where(entry => entry.Granule == sum.Granule && entry.Grp == sum.Grp).ToDictionary(entry => entry.Stage);
            var sqls = reached.TryGetValue("SQL", out var sql) ? sql.Entered : 0;
            var customers = reached.TryGetValue("CUSTOMER", out var customer) ? customer.Fresh : 0;
            answer.Set("cost_per_sql", sum.Grp, sum.Granule, MetricsAnswer.Ratio((double)sum.Amount, sqls));
            answer.Set("cost_per_customer", sum.Grp, sum.Granule, MetricsAnswer.Ratio((double)sum.Amount, customers));
            answer.Set("roi", sum.Grp, sum.Granule, SourceReports.Roi(year.GetValueOrDefault((sum.Granule, sum.Grp)), sum.Amount));
        }

        foreach (var entry in entries.Where(entry => !spend.Any(sum => sum.Granule == entry.Granule && sum.Grp == entry.Grp)))
        {
            // A stage reached without spend costs nothing; that is a value.
            if (entry is { Stage: "SQL", Entered: > 0 })
            {
                answer.Set("cost_per_sql", entry.Grp, entry.Granule, 0);
            }
            else if (entry is { Stage: "CUSTOMER", Fresh: > 0 })
            {
                answer.Set("cost_per_customer", entry.Grp, entry.Granule, 0);
            }
        }
    }

    /// <summary>(qualified − qualified in the point before) / qualified in the point before.</summary>
    private static async Task AddVelocity(
        Transaction<ConversionDbContext> tx, MetricsQuery query, MetricsAnswer answer, IReadOnlyList<EntryCount> entries,
        string[] dimensions)
    {
        if (!query.Wants("lead_velocity_rate"))
        {
            return;
        }

        var first = query.Period.Granules[0];
        var start = Before(first.Start, query.Period.Granularity);
        var before = new Granule(start, first.Start, ReportPeriod.Midnight(start, query.Period.TimeZone), first.From);
        var qualified = new Dictionary<(string Group, int Granule), long>();
        foreach (var entry in (await ReportData.Entries(tx, Cut.Of([before], dimensions))).Where(entry => entry.Stage == "MQL"))
        {
            qualified[(entry.Grp, -1)] = entry.Entered;
        }

        foreach (var entry in entries.Where(entry => entry.Stage == "MQL"))
        {
            qualified[(entry.Grp, entry.Granule)] = entry.Entered;
        }

        foreach (var group in qualified.Keys.Select(key => key.Group).Distinct())
        {
            for (var granule = 0; granule < query.Period.Granules.Count; granule++)
            {
                var last = qualified.GetValueOrDefault((group, granule - 1));
                answer.Set(
                    "lead_velocity_rate", group, granule, MetricsAnswer.Ratio(qualified.GetValueOrDefault((group, granule)) - last, last));
            }
        }
    }

    private static async Task AddResponses(Transaction<ConversionDbContext> tx, Cut cut, MetricsAnswer answer)
    {
        var responses = await ReportData.Query<Response>(
            tx,
            cut,
            $"""
            select width_bucket(coalesce(h.accept_time, h.close_time), @from) - 1 as granule, {GroupKeys.Sql("p", cut.Dimensions)} as grp,
              percentile_cont(0.5) within group (order by date_part('epoch', coalesce(h.accept_time, h.close_time) - h.create_time) / 60.0) as minutes
            from handoff h join lead p on p.workspace_id = h.workspace_id and p.lead_id = h.lead_id
            where h.workspace_id = @workspace and h.state in ('ACCEPTED', 'RETURNED')
              and coalesce(h.accept_time, h.close_time) >= @first and coalesce(h.accept_time, h.close_time) < @last
            group by 1, 2
            """);
        foreach (var response in responses)
        {
            answer.Set("handoff_response_minutes", response.Grp, response.Granule, response.Minutes);
        }
    }

    /// <summary>The day on which the point before begins.</summary>
    public static DateOnly Before(DateOnly day, Granularity granularity) => granularity switch
    {
        Granularity.Day => day.AddDays(-1),
        Granularity.Week => day.AddDays(-7),
        Granularity.Quarter => day.AddMonths(-3),
        Granularity.Year => day.AddYears(-1),
        _ => day.AddMonths(-1),
    };

    private sealed class Response
    {
        public int Granule { get; init; }

        public string Grp { get; init; } = "";

        public double Minutes { get; init; }
    }
}
