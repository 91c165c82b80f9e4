using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain.Learning;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Features.LearnChurn;

/// <summary>A customer at an instant whose next months are known.</summary>
internal sealed class ChurnOutcome
{
    public Guid CustomerId { get; init; }

    public DateTimeOffset Time { get; init; }

    public bool Lost { get; init; }
}

/// <summary>What was known of customers at past instants, and what came of them.</summary>
internal static class ChurnHistory
{
    /// <summary>Instants that are looked back to at most, one horizon apart.</summary>
    public const int MaxInstants = 12;

    /// <summary>The instants: midnights in UTC, the latest so long ago that the horizon after it is over.</summary>
    public static DateTimeOffset[] Instants(DateTimeOffset now, int horizonDays)
    {
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return [.. Enumerable.Range(1, MaxInstants).Select(back => today.AddDays(-back * horizonDays))];
    }

    /// <summary>Customers that were with us at an instant, and whether they left within the horizon; the latest instants first.</summary>
    /// <remarks>Indexes (workspace_id, customer_id, occur_time) and, over losses, (workspace_id, occur_time, customer_id).</remarks>
    public static async Task<List<ChurnOutcome>> Outcomes(
        Transaction<RetentionDbContext> tx, DateTimeOffset[] instants, int horizonDays, int limit) =>
        (await tx.Connection.QueryAsync<ChurnOutcome>(new CommandDefinition(
            """
            select c.id as customer_id, i.time, exists (
                select 1 from revenue r where r.workspace_id = @workspace and r.customer_id = c.id and r.type = 'Churn'
                  and r.occur_time > i.time and r.occur_time <= i.time + make_interval(days => @horizonDays)) as lost
            from unnest(@instants) as i(time) join customer c on c.workspace_id = @workspace and c.start_time <= i.time
            where coalesce((
                select r.type = 'Reactivation' from revenue r
                where r.workspace_id = @workspace and r.customer_id = c.id and r.type in ('Churn', 'Reactivation') and r.occur_time <= i.time
                order by r.occur_time desc, r.id desc limit 1), true)
            order by i.time desc, c.id limit @limit
            """,
            new { workspace = tx.WorkspaceId, instants, horizonDays, limit }, commandTimeout: 300,
            cancellationToken: tx.CancellationToken))).AsList();

    /// <summary>What was known of each customer at its instant, in the order asked; nothing that happened later is read.</summary>
    public static async Task<List<ChurnFacts>> Facts(Transaction<RetentionDbContext> tx, Guid[] customerIds, DateTimeOffset[] times)
    {
        var rows = await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            """
            select floor(extract(epoch from a.time - c.start_time) / 86400)::int as tenure_days, (a.time at time zone 'UTC')::date as day, c.renewal_date, c.term_months,
              coalesce(p.plan, c.plan) as plan, m.mrr, s.usage, s.usage_before, s.tickets, s.failed_payments, e.mails, e.clicked, n.score as nps_score
            from unnest(@customerIds, @times) with ordinality as a(id, time, place)
            join customer c on c.workspace_id = @workspace and c.id = a.id
            cross join lateral (
              select coalesce(sum(mrr_delta), 0) as mrr from revenue where workspace_id = @workspace and customer_id = a.id and occur_time <= a.time) m
            cross join lateral (
              select coalesce(sum(quantity) filter (where kind = 'USAGE' and time > a.time - interval '30 days'), 0) as usage,
                coalesce(sum(quantity) filter (where kind = 'USAGE' and time <= a.time - interval '30 days'), 0) as usage_before,
                count(*) filter (where kind = 'SUPPORT' and time > a.time - interval '30 days') as tickets,
                count(*) filter (where kind = 'PAYMENT_FAILED') as failed_payments
              from customer_signal where workspace_id = @workspace and customer_id = a.id and time > a.time - interval '60 days' and time <= a.time) s
            cross join lateral (
              select count(*) as mails, count(*) filter (where click_time <= a.time) as clicked from campaign_email
              where workspace_id = @workspace and lead_id = c.lead_id and sent_time > a.time - interval '90 days' and sent_time <= a.time and not bounced) e
            left join lateral (
              select w.score from survey_answer w join survey q on q.workspace_id = w.workspace_id and q.id = w.survey_id and q.type = 'Nps'
              where w.workspace_id = @workspace and w.customer_id = a.id and w.answer_time > a.time - interval '180 days' and w.answer_time <= a.time
              order by w.answer_time desc, w.id desc limit 1) n on true
            left join lateral (
              select plan from past_plan where workspace_id = @workspace and customer_id = a.id and until_time > a.time order by until_time limit 1) p on true
            order by a.place
            """,
            new { workspace = tx.WorkspaceId, customerIds, times }, commandTimeout: 300, cancellationToken: tx.CancellationToken));
        return
        [
            .. rows.Select(row => new ChurnFacts(
                row.TenureDays, row.Mrr, row.Usage, row.UsageBefore, row.Tickets, row.FailedPayments, row.Mails, row.Clicked, row.NpsScore,
                ChurnFacts.RenewalIn(row.RenewalDate, row.TermMonths, row.Day), row.Plan)),
        ];
    }

    private sealed class Row
    {
        public int TenureDays { get; init; }

        public DateOnly Day { get; init; }

        public DateOnly? RenewalDate { get; init; }

        public int TermMonths { get; init; }

        public string Plan { get; init; } = "";

        public decimal Mrr { get; init; }

        public decimal Usage { get; init; }

        public decimal UsageBefore { get; init; }

        public long Tickets { get; init; }

        public long FailedPayments { get; init; }

        public long Mails { get; init; }

        public long Clicked { get; init; }

        public int? NpsScore { get; init; }
    }
}
