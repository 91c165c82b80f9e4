using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Features.LearnChurn;
using NpgsqlTypes;

namespace Lifecycle.Retention.Features.ScoreRisk;

/// <summary>A customer's score in the making.</summary>
internal sealed record ScoredCustomer(Guid Id, Guid? LeadId, long Version, decimal? Known, IReadOnlyList<RiskContribution> Contributions)
{
    public decimal Score { get; } = RiskModel.Score(Contributions);
}

/// <summary>Scores customers, many at a time: one read of all that is known, one write of what changed.</summary>
internal static class CustomerRisks
{
    /// <summary>Customers due: index (workspace_id, risk_due_time) over those with us.</summary>
    public const string Due = "c.risk_due_time <= @now";

    /// <summary>Reads what is known of customers that have not left.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="model">The weights.</param>
    /// <param name="condition">Which, over customer <c>c</c> and <c>@id</c>.</param>
    /// <param name="id">Value of <c>@id</c>.</param>
    /// <param name="limit">At most so many, longest due first.</param>
    /// <param name="locks">Locks them; those that others have locked are passed over.</param>
    public static async Task<List<ScoredCustomer>> Read(
        Transaction<Storage.RetentionDbContext> tx, RiskModel model, string condition, Guid id, int limit, bool locks)
    {
        var rows = await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            $"""
            with asked as materialized (
              select c.id, c.lead_id, c.version, c.risk_score, c.renewal_date from customer c
              where c.workspace_id = @workspace and not c.churned and ({condition}) order by c.risk_due_time limit @limit {(locks ? "for update skip locked" : "")})
            select a.id, a.lead_id, a.version, a.risk_score, s.usage, s.usage_before, s.tickets, s.failed_payments,
              coalesce(e.mails, 0) as mails, coalesce(e.opened, 0) as opened, coalesce(e.clicked, 0) as clicked,
              n.score as nps_score, a.renewal_date - @today as renewal_days
            from asked a
            cross join lateral (
              select coalesce(sum(quantity) filter (where kind = 'USAGE' and time > @now - interval '30 days'), 0) as usage,
                coalesce(sum(quantity) filter (where kind = 'USAGE' and time <= @now - interval '30 days'), 0) as usage_before,
                count(*) filter (where kind = 'SUPPORT' and time > @now - interval '30 days') as tickets,
                count(*) filter (where kind = 'PAYMENT_FAILED') as failed_payments
              from customer_signal where workspace_id = @workspace and customer_id = a.id and time > @now - interval '60 days' and time <= @now) s
            left join lateral (
              select count(*) as mails, count(*) filter (where opened or clicked) as opened, count(*) filter (where clicked) as clicked
              from campaign_email where workspace_id = @workspace and lead_id = a.lead_id and sent_time > @now - interval '90 days' and not bounced) e on true
            left join lateral (
              select w.score from survey_answer w join survey q on q.workspace_id = w.workspace_id and q.id = w.survey_id and q.type = 'Nps'
              where w.workspace_id = @workspace and w.customer_id = a.id and w.answer_time > @now - interval '180 days'
              order by w.answer_time desc, w.id desc limit 1) n on true
            order by a.id
            """,
            new { workspace = tx.WorkspaceId, id, limit, now = tx.Now, today = DateOnly.FromDateTime(tx.Now.UtcDateTime) },
            cancellationToken: tx.CancellationToken));
        return [.. rows.Select(row => new ScoredCustomer(row.Id, row.LeadId, row.Version, row.RiskScore, model.Explain(new(
            row.Usage, row.UsageBefore, row.Tickets, row.NpsScore, row.FailedPayments, row.Mails, row.Opened,
            row.Clicked, row.RenewalDays))))];
    }

    /// <summary>Keeps the scores of locked customers, with their probability to leave, and tells of the scores that changed.</summary>
    public static async Task Keep(
        Transaction<Storage.RetentionDbContext> tx, RiskModel model, int modelVersion, IReadOnlyList<ScoredCustomer> customers)
    {
        foreach (var customer in customers.Where(customer => customer.Score != (customer.Known ?? 0)))
        {
            tx.Publish(new CustomerRiskChanged(
                tx.NewId(), tx.WorkspaceId, tx.Now, customer.Version + 1, customer.Id, customer.LeadId, customer.Known, customer.Score,
                customer.Score >= model.Threshold, modelVersion,
                [.. customer.Contributions.Where(part => part.Points > 0).OrderByDescending(part => part.Points)
                    .Select(part => part.Evidence)]));
        }

        var probabilities = await ChurnModels.Probabilities(tx, [.. customers.Select(customer => customer.Id)]);
        Bulk.AddUpdate(
            tx.Closing, "customer", ["workspace_id", "id"],
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, customers, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, customers, one => one.Id),
                BulkColumn.From("risk_score", NpgsqlDbType.Numeric, customers, one => one.Score),
                new BulkColumn("churn_probability", NpgsqlDbType.Double, probabilities.ToArray()),
                BulkColumn.From("at_risk", NpgsqlDbType.Boolean, customers, one => one.Score >= model.Threshold),
                BulkColumn.From("risk_due_time", NpgsqlDbType.TimestampTz, customers, _ => tx.Now.AddDays(1)),
                BulkColumn.From("version", NpgsqlDbType.Bigint, customers, one => one.Version + (one.Score != (one.Known ?? 0) ? 1 : 0)),
            ]);
        await tx.Flush();
    }

    private sealed class Row
    {
        public Guid Id { get; init; }

        public Guid? LeadId { get; init; }

        public long Version { get; init; }

        public decimal? RiskScore { get; init; }

        public decimal Usage { get; init; }

        public decimal UsageBefore { get; init; }

        public long Tickets { get; init; }

        public long FailedPayments { get; init; }

        public long Mails { get; init; }

        public long Opened { get; init; }

        public long Clicked { get; init; }

        public int? NpsScore { get; init; }

        public int? RenewalDays { get; init; }
    }
}
