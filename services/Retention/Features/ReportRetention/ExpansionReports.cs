using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Money = Lifecycle.Kernel.Money;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>What became of suggestions, and what upsells and cross-sells brought.</summary>
internal static class ExpansionReports
{
    private const string ByRule = "rule";
    private const string ByKind = "kind";
    private const int MaxRows = 1_000;

    /// <summary>The dimension asked for: a rule, by default, the kind, or one of the customer.</summary>
    public static Result<string> Parse(string groupBy)
    {
        var violations = new Violations();
        violations.Require(
            groupBy is "" or ByRule or ByKind || Facts.Dimensions.ContainsKey(groupBy), "groupBy",
            $"groupBy must be one of {ByRule}, {ByKind}, {string.Join(", ", Facts.Dimensions.Keys)}.");
        return violations.ToError() is { } error ? error : groupBy.Length == 0 ? ByRule : groupBy;
    }

    public static async Task<ExpansionReport> Of(
        Transaction<RetentionDbContext> tx, ReportPeriod period, string groupBy, string currencyCode)
    {
        var parameters =
            new { workspaceId = tx.WorkspaceId, from = period.From, to = period.To, timeZone = period.TimeZone.Id, limit = MaxRows };
        // Index (workspace_id, create_time) over suggestions; each win by the key of the ledger's external ids.
        var rows = (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            $"""
            select {(groupBy == ByRule ? "s.rule_id::text" : groupBy == ByKind ? "''" : Facts.Dimensions[groupBy])} as group_name, s.kind,
              coalesce(max(u.display_name), '') as display_name, count(*) as suggested, count(*) filter (where s.state = 'OPENED') as opened,
              count(*) filter (where s.state = 'DISMISSED') as dismissed, count(*) filter (where s.outcome = 'WON') as won,
              count(*) filter (where s.outcome = 'LOST') as lost, coalesce(sum(s.amount), 0) as expected, coalesce(sum(r.base_amount), 0) as revenue
            from expansion_suggestion s join customer c on c.workspace_id = s.workspace_id and c.id = s.customer_id {Facts.CustomerJoin}
            left join expansion_rule u on u.workspace_id = s.workspace_id and u.id = s.rule_id {(groupBy == ByRule ? "" : "and false")}
            left join revenue r on r.workspace_id = s.workspace_id and r.external_id = 'opportunity:' || s.opportunity_id and not r.reversed
            where s.workspace_id = @workspaceId and s.create_time >= @from and s.create_time < @to
            group by 1, 2 order by revenue desc, suggested desc, 1, 2 limit @limit
            """,
            parameters, cancellationToken: tx.CancellationToken))).AsList();
        // Index (workspace_id, occur_time) over the ledger. What is taken back counts against what was sold.
        var sales = (await tx.Connection.QueryAsync<Sale>(new CommandDefinition(
            """
            select r.type, count(*) filter (where not r.reversed and r.reverses_id is null) as entries, sum(r.base_amount) as revenue,
              coalesce(sum(r.base_amount) filter (where s.id is not null), 0) as suggested
            from revenue r left join revenue t on t.workspace_id = r.workspace_id and t.id = r.reverses_id
            left join expansion_suggestion s on s.workspace_id = r.workspace_id and s.opportunity_id is not null
              and coalesce(r.external_id, t.external_id) = 'opportunity:' || s.opportunity_id
            where r.workspace_id = @workspaceId and r.occur_time >= @from and r.occur_time < @to and r.type in ('Upsell', 'CrossSell') group by 1
            """,
            parameters, cancellationToken: tx.CancellationToken))).ToDictionary(sale => sale.Type);
        var report = new ExpansionReport
        {
            Note = rows.Count == 0 && sales.Count == 0 ? "Nothing was suggested, upsold or cross-sold in the period." : ""
        };
        report.Rows.AddRange(rows.Select(row => ToProto(row, currencyCode)));
        foreach (var (type,
            kind) in new[] { ("Upsell", ExpansionRule.Types.Kind.Upsell), ("CrossSell", ExpansionRule.Types.Kind.CrossSell) })
        {
            var sale = sales.GetValueOrDefault(type) ?? new();
            report.Sales.Add(new ExpansionSale
            {
                Kind = kind,
                Entries = sale.Entries,
                Revenue = new Money(currencyCode, sale.Revenue).ToProto(),
                SuggestedRevenue = new Money(currencyCode, sale.Suggested).ToProto(),
            });
        }

        return report;
    }

    private static ExpansionRow ToProto(Row row, string currencyCode)
    {
        var proto = new ExpansionRow
        {
            Group = row.GroupName,
            DisplayName = row.DisplayName,
            Kind = Names.TryParse(row.Kind, out ExpansionRule.Types.Kind kind) ? kind : default,
            Suggested = row.Suggested,
            Opened = row.Opened,
            Dismissed = row.Dismissed,
            Won = row.Won,
            Lost = row.Lost,
            ConversionRate = (double)row.Won / row.Suggested,
            Expected = new Money(currencyCode, row.Expected).ToProto(),
            Revenue = new Money(currencyCode, row.Revenue).ToProto(),
        };
        if (row.Won + row.Lost > 0)
        {
            proto.WinRate = (double)row.Won / (row.Won + row.Lost);
        }

        return proto;
    }

    private sealed class Row
    {
        public string GroupName { get; init; } = "";

        public string Kind { get; init; } = "";

        public string DisplayName { get; init; } = "";

        public long Suggested { get; init; }

        public long Opened { get; init; }

        public long Dismissed { get; init; }

        public long Won { get; init; }

        public long Lost { get; init; }

        public decimal Expected { get; init; }

        public decimal Revenue { get; init; }
    }

    private sealed class Sale
    {
        public string Type { get; init; } = "";

        public long Entries { get; init; }

        public decimal Revenue { get; init; }

        public decimal Suggested { get; init; }
    }
}
