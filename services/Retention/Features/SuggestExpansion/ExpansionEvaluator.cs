using Dapper;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;
using NpgsqlTypes;

namespace Lifecycle.Retention.Features.SuggestExpansion;

/// <summary>Holds customers against the rules, a thousand at a time.</summary>
public sealed class ExpansionEvaluator(UnitOfWork<RetentionDbContext> work)
{
    private const int BatchSize = 1_000;

    /// <summary>Every customer of the workspace that is with us.</summary>
    /// <returns>Customers looked at, and suggestions made.</returns>
    public async Task<(long Customers, long Created)> Run(Guid workspaceId, CancellationToken ct)
    {
        var rules = await work.Read(
            workspaceId, tx => tx.Db.ExpansionRules.Where(row => row.WorkspaceId == workspaceId).OrderBy(row => row.Id)
                .ToListAsync(tx.CancellationToken), ct);
        var conditions =
            rules.Select(rule => (Rule: rule, Condition: Condition.Parse(rule.Condition, ExpansionSubject.Catalog).Value)).ToArray();
        var (customers, created, last) = (0L, 0L, Guid.Empty);
        for (var count = conditions.Length == 0 ? 0 : BatchSize; count == BatchSize;)
        {
            var (batch, made, next) = (0, 0, last);
            await work.Run(
                workspaceId,
                async tx =>
                {
                    var rows = await Read(tx, last);
                    (batch, next) = (rows.Count, rows.Count > 0 ? rows[^1].Id : last);
                    made = await Suggest(tx, [.. rows.SelectMany(
                        row => conditions.Where(one => one.Condition.Holds(row.Subject, tx.Now)).Select(one => (row.Id, one.Rule)))]);
                },
                ct);
            (count, last) = (batch, next);
            (customers, created) = (customers + batch, created + made);
        }

        return (customers, created);
    }

    private static async Task<List<Row>> Read(
        Transaction<RetentionDbContext> tx, Guid last) => (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
        """
        with page as materialized (
          select * from customer c where c.workspace_id = @workspace and c.id > @last and not c.churned order by c.id limit @limit)
        select c.id, c.plan, c.segment, c.owner, c.mrr, c.total_revenue, c.risk_score, c.at_risk, floor(extract(epoch from @now - c.start_time) / 86400)::int as tenure_days,
          c.renewal_date - @today as renewal_days, s.usage, s.usage_before, n.score as nps_score
        from page c
        cross join lateral (
          select coalesce(sum(quantity) filter (where time > @now - interval '30 days'), 0) as usage,
            coalesce(sum(quantity) filter (where time <= @now - interval '30 days'), 0) as usage_before
          from customer_signal where workspace_id = @workspace and customer_id = c.id and kind = 'USAGE' and time > @now - interval '60 days' and time <= @now) s
        left join lateral (
          select w.score from survey_answer w join survey q on q.workspace_id = w.workspace_id and q.id = w.survey_id and q.type = 'Nps'
          where w.workspace_id = @workspace and w.customer_id = c.id and w.answer_time > @now - interval '180 days' order by w.answer_time desc, w.id desc limit 1) n on true
        order by c.id
        """,
        new { workspace = tx.WorkspaceId, last, limit = BatchSize, now = tx.Now, today = DateOnly.FromDateTime(tx.Now.UtcDateTime) },
        cancellationToken: tx.CancellationToken))).AsList();

    private static Task<int> Suggest(Transaction<RetentionDbContext> tx, (Guid CustomerId, ExpansionRuleRow Rule)[] found) => Bulk.Insert(
        tx, "expansion_suggestion",
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, found, _ => tx.WorkspaceId),
            BulkColumn.From("id", NpgsqlDbType.Uuid, found, _ => tx.NewId()),
            BulkColumn.From("customer_id", NpgsqlDbType.Uuid, found, one => one.CustomerId),
            BulkColumn.From("rule_id", NpgsqlDbType.Uuid, found, one => one.Rule.Id),
            BulkColumn.From("kind", NpgsqlDbType.Text, found, one => one.Rule.Kind),
            BulkColumn.From("product", NpgsqlDbType.Text, found, one => one.Rule.Product),
            BulkColumn.From("amount", NpgsqlDbType.Numeric, found, one => one.Rule.Amount),
            BulkColumn.From("state", NpgsqlDbType.Text, found, _ => "OPEN"),
            BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, found, _ => tx.Now),
        ],
        "on conflict (workspace_id, customer_id, rule_id) do nothing");

    private sealed class Row
    {
        public Guid Id { get; init; }

        public string Plan { get; init; } = "";

        public string Segment { get; init; } = "";

        public string Owner { get; init; } = "";

        public decimal Mrr { get; init; }

        public decimal TotalRevenue { get; init; }

        public decimal? RiskScore { get; init; }

        public bool AtRisk { get; init; }

        public int TenureDays { get; init; }

        public int? RenewalDays { get; init; }

        public decimal Usage { get; init; }

        public decimal UsageBefore { get; init; }

        public int? NpsScore { get; init; }

        public ExpansionSubject Subject =>
            new(Plan, Segment, Owner, Mrr, TotalRevenue, RiskScore, AtRisk, TenureDays, RenewalDays, Usage, UsageBefore, NpsScore);
    }
}
