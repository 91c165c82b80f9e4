using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;

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
    };

    private const string CustomerJoin = "left join lead_profile l on l.workspace_id = c.workspace_id and l.lead_id = c.lead_id";

    public static Task<List<MrrFact>> MrrChanges(Transaction<RetentionDbContext> tx, string? dimension, DateTimeOffset before) => Query<MrrFact>(
        tx,
        $"""
        select r.customer_id, r.occur_time, r.mrr_delta as delta, {Group(dimension)} as group_name
        from revenue r join customer c on c.workspace_id = r.workspace_id and c.id = r.customer_id {CustomerJoin}
        where r.workspace_id = @workspaceId and r.occur_time < @to and r.mrr_delta <> 0 order by r.occur_time, r.id
        """,
        before, before);

    /// <summary>Sales (new, upsell, cross-sell, renewal) of the period.</summary>
    public static Task<List<SaleFact>> Sales(Transaction<RetentionDbContext> tx, string? dimension, DateTimeOffset from, DateTimeOffset to) => Query<SaleFact>(
        tx,
        $"""
        select r.occur_time, r.type, r.amount, {Group(dimension)} as group_name
        from revenue r join customer c on c.workspace_id = r.workspace_id and c.id = r.customer_id {CustomerJoin}
        where r.workspace_id = @workspaceId and r.occur_time >= @from and r.occur_time < @to and r.type in ('New', 'Upsell', 'CrossSell', 'Renewal')
        """,
        from, to);

    /// <summary>Every span in which a customer was with us.</summary>
    public static async Task<List<TenureFact>> Tenures(Transaction<RetentionDbContext> tx, string? dimension, DateTimeOffset before)
    {
        var turns = await Query<TurnFact>(
            tx,
            $"""
            select c.id as customer_id, c.start_time, r.type, r.occur_time, {Group(dimension)} as group_name
            from customer c left join revenue r on r.workspace_id = c.workspace_id and r.customer_id = c.id and r.type in ('Churn', 'Reactivation') {CustomerJoin}
            where c.workspace_id = @workspaceId and c.start_time < @to order by c.id, r.occur_time, r.id
            """,
            before, before);
        var tenures = new List<TenureFact>(turns.Count);
        foreach (var customer in turns.GroupBy(turn => turn.CustomerId))
        {
            DateTimeOffset? start = customer.First().StartTime;
            foreach (var turn in customer.Where(turn => turn.Type is not null))
            {
                if (turn.Type == nameof(RevenueType.Churn) && start is { } from)
                {
                    tenures.Add(new(customer.Key, new(from, turn.OccurTime), turn.GroupName));
                    start = null;
                }
                else if (turn.Type == nameof(RevenueType.Reactivation))
                {
                    start ??= turn.OccurTime;
                }
            }

            if (start is { } open)
            {
                tenures.Add(new(customer.Key, new(open, null), customer.First().GroupName));
            }
        }

        return tenures;
    }

    public static Task<List<ScoreFact>> NpsScores(Transaction<RetentionDbContext> tx, string? dimension, DateTimeOffset from, DateTimeOffset to) => Query<ScoreFact>(
        tx,
        $"""
        select a.answer_time as time, a.score, {Group(dimension)} as group_name
        from survey_answer a join survey s on s.workspace_id = a.workspace_id and s.id = a.survey_id and s.type = 'Nps'
        left join customer c on c.workspace_id = a.workspace_id and c.id = a.customer_id
        left join lead_profile l on l.workspace_id = a.workspace_id and l.lead_id = coalesce(a.lead_id, c.lead_id)
        where a.workspace_id = @workspaceId and a.answer_time >= @from and a.answer_time < @to
        """,
        from, to);

    public static Task<List<CountFact>> Advocates(Transaction<RetentionDbContext> tx, string? dimension, DateTimeOffset from, DateTimeOffset to) => Query<CountFact>(
        tx,
        $"""
        select l.advocate_time as time, {Group(dimension)} as group_name
        from lead_profile l left join customer c on c.workspace_id = l.workspace_id and c.lead_id = l.lead_id
        where l.workspace_id = @workspaceId and l.merged_into is null and l.advocate_time >= @from and l.advocate_time < @to
        """,
        from, to);

    public static Task<List<CountFact>> Referrals(Transaction<RetentionDbContext> tx, string? dimension, DateTimeOffset from, DateTimeOffset to) => Query<CountFact>(
        tx,
        $"""
        select r.create_time as time, {Group(dimension)} as group_name
        from referral r left join customer c on c.workspace_id = r.workspace_id and c.lead_id = r.advocate_lead_id
        left join lead_profile l on l.workspace_id = r.workspace_id and l.lead_id = r.advocate_lead_id
        where r.workspace_id = @workspaceId and r.create_time >= @from and r.create_time < @to
        """,
        from, to);

    /// <summary>Mails delivered to people who were customers by then.</summary>
    public static Task<List<EmailFact>> CampaignEmails(Transaction<RetentionDbContext> tx, string? dimension, DateTimeOffset from, DateTimeOffset to) => Query<EmailFact>(
        tx,
        $"""
        select e.sent_time as time, e.opened, e.clicked, {Group(dimension)} as group_name
        from campaign_email e join customer c on c.workspace_id = e.workspace_id and c.lead_id = e.lead_id and c.start_time <= e.sent_time {CustomerJoin}
        where e.workspace_id = @workspaceId and e.sent_time >= @from and e.sent_time < @to and not e.bounced
        """,
        from, to);

    private static string Group(string? dimension) => dimension is null ? "''" : Dimensions[dimension];

    private static async Task<List<T>> Query<T>(Transaction<RetentionDbContext> tx, string sql, DateTimeOffset from, DateTimeOffset to) =>
        (await tx.Connection.QueryAsync<T>(new CommandDefinition(sql, new { workspaceId = tx.WorkspaceId, from, to }, cancellationToken: tx.CancellationToken))).AsList();

    private sealed class TurnFact
    {
        public Guid CustomerId { get; init; }

        public DateTimeOffset StartTime { get; init; }

        public string? Type { get; init; }

        public DateTimeOffset? OccurTime { get; init; }

        public string GroupName { get; init; } = "";
    }
}

internal sealed class MrrFact
{
    public Guid CustomerId { get; init; }

    public DateTimeOffset OccurTime { get; init; }

    public decimal Delta { get; init; }

    public string GroupName { get; init; } = "";
}

internal sealed class SaleFact
{
    public DateTimeOffset OccurTime { get; init; }

    public string Type { get; init; } = "";

    public decimal Amount { get; init; }

    public string GroupName { get; init; } = "";
}

internal sealed record TenureFact(Guid CustomerId, Tenure Tenure, string GroupName);

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
