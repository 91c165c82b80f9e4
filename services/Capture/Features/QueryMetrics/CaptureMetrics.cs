using Dapper;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Storage;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Capture.Features.QueryMetrics;

/// <summary>
/// The measures of this stage. Visitors, sessions and page views count at the session's start, leads at their create time, spend on its
/// day, each in the workspace's time zone. Leads are grouped by their first touch, sessions by their own source; a visitor who came by two
/// channels counts in both. A dimension that a measure does not have leaves it out.
/// </summary>
internal sealed class CaptureMetrics(UnitOfWork<CaptureDbContext> work)
{
    /// <summary>Group of what a dimension says nothing of.</summary>
    public const string NotSet = "(not set)";

    private static readonly string[] SpendDimensions =
        [RollupDimensions.Channel, RollupDimensions.Source, RollupDimensions.Medium, RollupDimensions.Campaign, RollupDimensions.Keyword];

    /// <summary>Names of bots, for <c>bot_hits</c> alone.</summary>
    private const string BotDimension = "bot";

    private static readonly string[] LeadDimensions = [RollupDimensions.CaptureType, RollupDimensions.FormType];

    private static readonly string[] LeadMetrics = ["leads", "form_leads", "call_leads", "chat_leads"];
    private static readonly string[] VisitMetrics = ["visitors", "sessions", "page_views", "visitor_to_lead_rate"];
    private static readonly string[] SpendMetrics = ["impressions", "clicks", "click_through_rate", "spend", "cost_per_lead"];

    public static readonly MetricCatalog Catalog = new(
        "capture",
        [
            new("visitors", MetricKind.Outcome, "count"), new("sessions", MetricKind.Outcome, "count"),
            new("page_views", MetricKind.Outcome, "count"), new("leads", MetricKind.Outcome, "count"),
            new("form_leads", MetricKind.Outcome, "count"), new("call_leads", MetricKind.Outcome, "count"),
            new("chat_leads", MetricKind.Outcome, "count"), new("visitor_to_lead_rate", MetricKind.Outcome, "ratio"),
            new("impressions", MetricKind.Activity, "count"), new("clicks", MetricKind.Activity, "count"),
            new("click_through_rate", MetricKind.Outcome, "ratio"),
            new("spend", MetricKind.Activity, MetricDefinition.MoneyUnit),
            new("cost_per_lead", MetricKind.Outcome, MetricDefinition.MoneyUnit) { Additive = false },
            new("bot_hits", MetricKind.Activity, "count"),
        ],
        [.. SpendDimensions, RollupDimensions.LandingPage, .. LeadDimensions, BotDimension]);

    public async Task<Result<QueryMetricsResponse>> Query(Caller caller, QueryMetricsRequest request, CancellationToken ct)
    {
        if (!Catalog.Parse(request, caller.TimeZone, caller.CurrencyCode).TryGet(out var asked, out var error))
        {
            return error;
        }

        var query = asked with { Metrics = asked.Metrics.Where(metric => Has(asked.GroupBy, metric.Id)).ToArray() };
        var answer = new MetricsAnswer(query);
        return await work.Read(caller.WorkspaceId, async tx =>
        {
            var counts = new Counts();
            var (visits, leads) = (Wants(query, VisitMetrics), Wants(query, [.. LeadMetrics, "visitor_to_lead_rate", "cost_per_lead"]));
            foreach (var row in visits || leads ? await VisitsAndLeads.Count(tx, query, visits, leads) : [])
            {
                Add(row, answer, counts);
            }

            if (Wants(query, SpendMetrics))
            {
                await Spend(tx, query, answer, counts);
            }

            if (query.Wants("bot_hits"))
            {
                await Bots(tx, query, answer);
            }

            counts.Rates(answer);
            return answer.Build();
        }, ct);
    }

    /// <summary>Asks the rollups, whoever keeps them or not; answers how many rows there are.</summary>
    internal static async Task<int> WarmUp(Transaction<CaptureDbContext> tx, Caller caller, QueryMetricsRequest request) =>
        Catalog.Parse(request, caller.TimeZone, caller.CurrencyCode).TryGet(out var query, out _)
            ? (await VisitsAndLeads.FromRollups(tx, query)).Count
            : 0;

    private static bool Has(string? groupBy, string metric) =>
        groupBy is null
        || (groupBy == BotDimension && metric == "bot_hits")
        || (SpendDimensions.Contains(groupBy) && metric != "bot_hits")
        || (groupBy == RollupDimensions.LandingPage && (VisitMetrics.Contains(metric) || LeadMetrics.Contains(metric)))
        || (LeadDimensions.Contains(groupBy) && LeadMetrics.Contains(metric));

    private static bool Wants(MetricsQuery query, string[] metrics) => metrics.Any(query.Wants);

    private static object Parameters(Transaction<CaptureDbContext> tx, MetricsQuery query) => new
    {
        workspace = tx.WorkspaceId,
        from = query.Period.From,
        to = query.Period.To,
        starts = query.Period.Granules.Select(granule => granule.From).ToArray(),
        firstDay = query.Period.Granules[0].Start,
        endDay = query.Period.Granules[^1].End,
        days = query.Period.Granules.Select(granule => granule.Start).ToArray(),
        currency = query.CurrencyCode,
    };

    // Column names come from the list of dimensions, never from the caller.
    private static string Group(MetricsQuery query) => query.GroupBy switch
    {
        null => "''",
        var dimension => $"coalesce(nullif({dimension}, ''), '{NotSet}')",
    };

    private static void Add(GroupCounts row, MetricsAnswer answer, Counts counts)
    {
        var (granule, group, found) = row;
        foreach (var (metric, count) in new[]
        {
            ("visitors", found.Visitors), ("sessions", found.Sessions), ("page_views", found.PageViews), ("leads", found.Leads),
            ("form_leads", found.FormLeads), ("call_leads", found.CallLeads), ("chat_leads", found.ChatLeads),
        })
        {
            // A group of which nothing of a kind is known has no series of that kind.
            if (count != 0)
            {
                counts.Add(metric, group, granule, count);
                answer.Add(metric, group, granule, count);
            }
        }
    }

    private static async Task Spend(Transaction<CaptureDbContext> tx, MetricsQuery query, MetricsAnswer answer, Counts counts)
    {
        var rows = await tx.Connection.QueryAsync<(int Granule, string Group, decimal Amount, long Impressions, long Clicks)>(
            $"""
            select width_bucket(date, @days) - 1, {Group(query)}, coalesce(sum(amount) filter (where currency_code = @currency), 0),
              sum(impressions)::bigint, sum(clicks)::bigint
            from spend where workspace_id = @workspace and date >= @firstDay and date < @endDay
            group by 1, 2
            """,
            Parameters(tx, query));
        foreach (var (granule, group, amount, impressions, clicks) in rows)
        {
            counts.Add("spend", group, granule, amount);
            counts.Add("impressions", group, granule, impressions);
            counts.Add("clicks", group, granule, clicks);
            answer.Add("spend", group, granule, (double)amount);
            answer.Add("impressions", group, granule, impressions);
            answer.Add("clicks", group, granule, clicks);
        }
    }

    private static async Task Bots(Transaction<CaptureDbContext> tx, MetricsQuery query, MetricsAnswer answer)
    {
        var rows = await tx.Connection.QueryAsync<(int Granule, string Group, long Hits)>(
            $"""
            select width_bucket(bucket, @starts) - 1, {(query.GroupBy == BotDimension ? "detail" : "''")}, sum(hits)::bigint
            from hit_count where workspace_id = @workspace and kind = 'bot' and bucket >= @from and bucket < @to
            group by 1, 2
            """,
            Parameters(tx, query));
        foreach (var (granule, group, hits) in rows)
        {
            answer.Add("bot_hits", group, granule, hits);
        }
    }

    private sealed class Counts
    {
        private readonly Dictionary<(string Measure, string Group, int Granule), decimal> values = [];

        public void Add(string measure, string group, int granule, decimal value) =>
            values[(measure, group, granule)] = Get(measure, group, granule) + value;

        public void Rates(MetricsAnswer answer)
        {
            foreach (var (group, granule) in values.Keys.Select(key => (key.Group, key.Granule)).Distinct())
            {
                answer.Set("visitor_to_lead_rate", group, granule, Ratio("leads", "visitors", group, granule));
                answer.Set("click_through_rate", group, granule, Ratio("clicks", "impressions", group, granule));
                answer.Set("cost_per_lead", group, granule, Ratio("spend", "leads", group, granule));
            }
        }

        private decimal Get(string measure, string group, int granule) => values.GetValueOrDefault((measure, group, granule));

        private double? Ratio(string numerator, string denominator, string group, int granule)
        {
            var divisor = Get(denominator, group, granule);
            return divisor == 0 ? null : (double)Get(numerator, group, granule) / (double)divisor;
        }
    }
}
