using Dapper;
using Lifecycle.Common.V1;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Nurture.Features.QueryMetrics;

/// <summary>
/// Nurture's measures. Mail counts by the time it was sent, so that opens and clicks never exceed what was delivered. Leads, MQLs and
/// reopenings count by their own time, each lead once per point, and group by the lead's first touch. By program, step or e-mail they count
/// leads that were in the program, came to the step, got the e-mail; by segment those that are in it now. A lead in several counts in each.
/// <c>lead_to_mql_rate</c> and <c>cost_per_mql</c> divide what happened in the period: without new leads or MQLs they have no value.
/// </summary>
internal sealed class QueryMetricsHandler(UnitOfWork<NurtureDbContext> unitOfWork)
{
    public static readonly MetricCatalog Catalog = new(
        "nurture",
        [
            new("new_leads", MetricKind.Outcome, "count"),
            new("reopened_leads", MetricKind.Outcome, "count"),
            new("emails_sent", MetricKind.Activity, "count"),
            new("emails_delivered", MetricKind.Activity, "count"),
            new("bounce_rate", MetricKind.Outcome, "ratio"),
            new("open_rate", MetricKind.Outcome, "ratio"),
            new("click_rate", MetricKind.Outcome, "ratio"),
            new("click_to_open_rate", MetricKind.Outcome, "ratio"),
            new("unsubscribe_rate", MetricKind.Outcome, "ratio"),
            new("mqls", MetricKind.Outcome, "count"),
            new("lead_to_mql_rate", MetricKind.Outcome, "ratio"),
            new("cost_per_mql", MetricKind.Outcome, MetricDefinition.MoneyUnit) { Additive = false },
        ],
        ["channel", "source", "medium", "campaign", "program", "step", "email", "segment"]);

    private static readonly string[] LeadMetrics = ["new_leads", "reopened_leads", "mqls", "lead_to_mql_rate", "cost_per_mql"];

    public Task<QueryMetricsResponse> Query(Guid workspaceId, MetricsQuery query, CancellationToken ct) =>
        unitOfWork.Read(workspaceId, tx => Query(tx, query), ct);

    private static async Task<QueryMetricsResponse> Query(Transaction<NurtureDbContext> tx, MetricsQuery query)
    {
        var answer = new MetricsAnswer(query);
        if (query.Metrics.Any(metric => LeadMetrics.Contains(metric.Id)))
        {
            await AddLeads(tx, query, answer);
        }

        if (query.Metrics.Any(metric => !LeadMetrics.Contains(metric.Id)))
        {
            await AddMails(tx, query, answer);
        }

        return answer.Build();
    }

    private static async Task AddMails(Transaction<NurtureDbContext> tx, MetricsQuery query, MetricsAnswer answer)
    {
        var (dimension, join) = NurtureDimensions.OfMail(query.GroupBy);
        var rows = await tx.Connection.QueryAsync<MailNumbers>(new CommandDefinition(
            $"""
            select width_bucket(m.send_time, @bounds) - 1 as granule, {dimension} as "group", count(*) as sent,
              count(*) filter (where m.deliver_time is not null and m.bounce_time is null) as delivered,
              count(m.bounce_time) as bounced,
              count(m.open_time) filter (where m.bounce_time is null) as opened,
              count(m.click_time) filter (where m.bounce_time is null) as clicked,
              count(*) filter (where m.open_time is not null and m.click_time is not null and m.bounce_time is null) as opened_and_clicked,
              count(m.unsubscribe_time) filter (where m.bounce_time is null) as unsubscribed
            from message m
            left join lead l on l.workspace_id = m.workspace_id and l.lead_id = m.lead_id
            {join}
            where m.workspace_id = @workspace and m.send_time >= @from and m.send_time < @to
            group by 1, 2
            """,
            Parameters(tx, query),
            cancellationToken: tx.CancellationToken));
        foreach (var row in rows)
        {
            answer.Add("emails_sent", row.Group, row.Granule, row.Sent);
            answer.Add("emails_delivered", row.Group, row.Granule, row.Delivered);
            answer.Set("bounce_rate", row.Group, row.Granule, MetricsAnswer.Ratio(row.Bounced, row.Sent));
            answer.Set("open_rate", row.Group, row.Granule, MetricsAnswer.Ratio(row.Opened, row.Delivered));
            answer.Set("click_rate", row.Group, row.Granule, MetricsAnswer.Ratio(row.Clicked, row.Delivered));
            answer.Set("click_to_open_rate", row.Group, row.Granule, MetricsAnswer.Ratio(row.OpenedAndClicked, row.Opened));
            answer.Set("unsubscribe_rate", row.Group, row.Granule, MetricsAnswer.Ratio(row.Unsubscribed, row.Delivered));
        }
    }

    private static async Task AddLeads(Transaction<NurtureDbContext> tx, MetricsQuery query, MetricsAnswer answer)
    {
        var newLeads = await CountLeads(tx, query, "lead l", "l.create_time", "l.merged_into is null and l.create_time is not null");
        var mqls = await CountLeads(
            tx, query, "mql f join lead l on l.workspace_id = f.workspace_id and l.lead_id = f.lead_id", "f.time", "true");
        var reopened = await CountLeads(
            tx,
            query,
            "recycling f join lead l on l.workspace_id = f.workspace_id and l.lead_id = f.lead_id",
            "f.reopen_time",
            "f.reopen_time is not null");
        var spend = NurtureDimensions.IsOfFirstTouch(query.GroupBy) ? await Spend(tx, query) : null;
        foreach (var (key, count) in newLeads)
        {
            answer.Add("new_leads", key.Group, key.Granule, count);
            answer.Set("lead_to_mql_rate", key.Group, key.Granule, MetricsAnswer.Ratio(mqls.GetValueOrDefault(key), count));
        }

        foreach (var (key, count) in reopened)
        {
            answer.Add("reopened_leads", key.Group, key.Granule, count);
        }

        foreach (var (key, count) in mqls)
        {
            answer.Add("mqls", key.Group, key.Granule, count);
            if (spend is not null)
            {
                answer.Set("cost_per_mql", key.Group, key.Granule, (double)(spend.GetValueOrDefault(key) / count));
            }
        }
    }

    private static async Task<Dictionary<(string Group, int Granule), long>> CountLeads(
        Transaction<NurtureDbContext> tx, MetricsQuery query, string from, string time, string condition)
    {
        var (dimension, join) = NurtureDimensions.OfLead(query.GroupBy);
        var rows = await tx.Connection.QueryAsync<(int Granule, string Group, long Count)>(new CommandDefinition(
            $"""
            select width_bucket({time}, @bounds) - 1, {dimension}, count(distinct l.lead_id)
            from {from} {join}
            where l.workspace_id = @workspace and {condition} and {time} >= @from and {time} < @to
            group by 1, 2
            """,
            Parameters(tx, query),
            cancellationToken: tx.CancellationToken));
        return rows.ToDictionary(row => (row.Group, row.Granule), row => row.Count);
    }

    /// <summary>Only spend in the workspace's currency: amounts of different currencies do not add up.</summary>
    private static async Task<Dictionary<(string Group, int Granule), decimal>> Spend(Transaction<NurtureDbContext> tx, MetricsQuery query)
    {
        var rows = await tx.Connection.QueryAsync<(DateOnly Date, string Group, decimal Amount)>(new CommandDefinition(
            $"""
            select l.date, {NurtureDimensions.OfFirstTouch(query.GroupBy)}, sum(l.amount) from spend l
            where l.workspace_id = @workspace and l.currency_code = @currency and l.date >= @first and l.date < @last
            group by 1, 2
            """,
            new
            {
                workspace = tx.WorkspaceId,
                currency = query.CurrencyCode,
                first = query.Period.Granules[0].Start,
                last = query.Period.Granules[^1].End,
            },
            cancellationToken: tx.CancellationToken));
        return rows.GroupBy(row => (row.Group, query.Period.IndexOf(row.Date)))
            .ToDictionary(group => group.Key, group => group.Sum(row => row.Amount));
    }

    private static object Parameters(Transaction<NurtureDbContext> tx, MetricsQuery query) => new
    {
        workspace = tx.WorkspaceId,
        bounds = query.Period.Granules.Select(granule => granule.From.UtcDateTime).ToArray(),
        from = query.Period.From.UtcDateTime,
        to = query.Period.To.UtcDateTime,
    };

    private sealed class MailNumbers
    {
        public int Granule { get; init; }

        public string Group { get; init; } = "";

        public long Sent { get; init; }

        public long Delivered { get; init; }

        public long Bounced { get; init; }

        public long Opened { get; init; }

        public long Clicked { get; init; }

        public long OpenedAndClicked { get; init; }

        public long Unsubscribed { get; init; }
    }
}
