using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Retention.Storage;

/// <summary>What reports and metrics are made of. Each read names the workspace, whose key leads every index.</summary>
internal static class Facts
{
    /// <summary>Dimensions by name with their SQL over customer <c>c</c> and its lead <c>l</c>.</summary>
    public static readonly IReadOnlyDictionary<string, string> Dimensions = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["channel"] = "coalesce(l.channel, '')",
        ["source"] = "coalesce(l.source, '')",
        ["medium"] = "coalesce(l.medium, '')",
        ["campaign"] = "coalesce(l.campaign, '')",
        ["segment"] = "coalesce(c.segment, '')",
        ["plan"] = "coalesce(c.plan, '')",
        // First month of the customer in the zone @timeZone, as 2026-03.
        ["cohort"] = "coalesce(to_char(c.start_time at time zone @timeZone, 'YYYY-MM'), '')",
    };

    public const string CustomerJoin = "left join lead_profile l on l.workspace_id = c.workspace_id and l.lead_id = c.lead_id";

    /// <summary>Sales (new, upsell, cross-sell, renewal) of each granule, in the workspace's currency, less what was taken back.</summary>
    public static Task<List<SaleFact>> Sales(Transaction<RetentionDbContext> tx, string? dimension, ReportPeriod period) => Query<SaleFact>(
        tx,
        $"""
        select width_bucket(r.occur_time, @bounds) - 1 as granule, r.type, sum(r.base_amount) as amount, {Group(dimension)} as group_name
        from revenue r {(dimension is null ? "" : $"join customer c on c.workspace_id = r.workspace_id and c.id = r.customer_id {CustomerJoin}")}
        where r.workspace_id = @workspaceId and r.occur_time >= @from and r.occur_time < @to and r.type in ('New', 'Upsell', 'CrossSell', 'Renewal')
        group by 1, 2, 4
        """,
        period);

    public static Task<List<ScoreFact>> NpsScores(
        Transaction<RetentionDbContext> tx, string? dimension, ReportPeriod period) => Query<ScoreFact>(
        tx,
        $"""
        select a.answer_time as time, a.score, {Group(dimension)} as group_name
        from survey_answer a join survey s on s.workspace_id = a.workspace_id and s.id = a.survey_id and s.type = 'Nps'
        left join customer c on c.workspace_id = a.workspace_id and c.id = a.customer_id
        left join lead_profile l on l.workspace_id = a.workspace_id and l.lead_id = coalesce(a.lead_id, c.lead_id)
        where a.workspace_id = @workspaceId and a.answer_time >= @from and a.answer_time < @to
        """,
        period);

    public static Task<List<CountFact>> Advocates(
        Transaction<RetentionDbContext> tx, string? dimension, ReportPeriod period) => Query<CountFact>(
        tx,
        $"""
        select l.advocate_time as time, {Group(dimension)} as group_name
        from lead_profile l left join customer c on c.workspace_id = l.workspace_id and c.lead_id = l.lead_id
        where l.workspace_id = @workspaceId and l.merged_into is null and l.advocate_time >= @from and l.advocate_time < @to
        """,
        period);

    public static Task<List<CountFact>> Referrals(
        Transaction<RetentionDbContext> tx, string? dimension, ReportPeriod period) => Query<CountFact>(
        tx,
        $"""
        select r.create_time as time, {Group(dimension)} as group_name
        from referral r left join customer c on c.workspace_id = r.workspace_id and c.lead_id = r.advocate_lead_id
        left join lead_profile l on l.workspace_id = r.workspace_id and l.lead_id = r.advocate_lead_id
        where r.workspace_id = @workspaceId and r.create_time >= @from and r.create_time < @to
        """,
        period);

    /// <summary>Mails delivered to people who were customers by then.</summary>
    public static Task<List<EmailFact>> CampaignEmails(
        Transaction<RetentionDbContext> tx, string? dimension, ReportPeriod period) => Query<EmailFact>(
        tx,
        $"""
        select e.sent_time as time, e.opened, e.clicked, {Group(dimension)} as group_name
        from campaign_email e join customer c on c.workspace_id = e.workspace_id and c.lead_id = e.lead_id and c.start_time <= e.sent_time {CustomerJoin}
        where e.workspace_id = @workspaceId and e.sent_time >= @from and e.sent_time < @to and not e.bounced
        """,
        period);

    public static string Group(string? dimension) => dimension is null ? "''" : Dimensions[dimension];

    private static async Task<List<T>> Query<T>(Transaction<RetentionDbContext> tx, string sql, ReportPeriod period) =>
        (await tx.Connection.QueryAsync<T>(new CommandDefinition(
            sql,
            new
            {
                workspaceId = tx.WorkspaceId,
                from = period.From,
                to = period.To,
                bounds = period.Granules.Select(granule => granule.From).ToArray(),
                timeZone = period.TimeZone.Id,
            },
            cancellationToken: tx.CancellationToken))).AsList();
}

internal sealed class SaleFact
{
    public int Granule { get; init; }

    public string Type { get; init; } = "";

    public decimal Amount { get; init; }

    public string GroupName { get; init; } = "";
}

internal sealed class ScoreFact
{
    public DateTimeOffset Time { get; init; }

    public int Score { get; init; }

    public string GroupName { get; init; } = "";
}

internal sealed class CountFact
{
    public DateTimeOffset Time { get; init; }

    public string GroupName { get; init; } = "";
}

internal sealed class EmailFact
{
    public DateTimeOffset Time { get; init; }

    public bool Opened { get; init; }

    public bool Clicked { get; init; }

    public string GroupName { get; init; } = "";
}
