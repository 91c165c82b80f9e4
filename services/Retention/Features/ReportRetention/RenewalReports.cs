using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>Contracts that end soon, by how soon.</summary>
internal static class RenewalReports
{
    private static readonly (RenewalRow.Types.Horizon Horizon, int MinDays, int MaxDays)[] Horizons =
    [
        (RenewalRow.Types.Horizon.Overdue, -36_500, -1), (RenewalRow.Types.Horizon.Within30Days, 0, 30),
        (RenewalRow.Types.Horizon.Within60Days, 31, 60), (RenewalRow.Types.Horizon.Within90Days, 61, 90),
        (RenewalRow.Types.Horizon.Within120Days, 91, 120),
    ];

    /// <summary>Index (workspace_id, renewal_date) over customers that are with us.</summary>
    public static async Task<RenewalsReport> Of(Transaction<RetentionDbContext> tx, DateOnly today, string currencyCode)
    {
        var rows = (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            """
            select case when renewal_date < @today then 0 else least((greatest(renewal_date - @today, 1) + 29) / 30, 4) end as horizon,
              count(*) as customers, sum(mrr) as mrr, count(*) filter (where at_risk) as customers_at_risk, coalesce(sum(mrr) filter (where at_risk), 0) as mrr_at_risk
            from customer
            where workspace_id = @workspace and not churned and renewal_date is not null and renewal_date <= @today + 120 group by 1
            """,
            new { workspace = tx.WorkspaceId, today }, cancellationToken: tx.CancellationToken))).ToDictionary(row => row.Horizon);
        var report = new RenewalsReport { Note = rows.Count == 0 ? "No contract ends within 120 days." : "" };
        for (var index = 0; index < Horizons.Length; index++)
        {
            var (row, (horizon, minDays, maxDays)) = (rows.GetValueOrDefault(index) ?? new Row(), Horizons[index]);
            report.Rows.Add(new RenewalRow
            {
                Horizon = horizon,
                From = index == 0 ? "" : today.AddDays(minDays).ToString("yyyy-MM-dd", null),
                To = today.AddDays(maxDays).ToString("yyyy-MM-dd", null),
                Customers = row.Customers,
                Mrr = new Money(currencyCode, row.Mrr).ToProto(),
                CustomersAtRisk = row.CustomersAtRisk,
                MrrAtRisk = new Money(currencyCode, row.MrrAtRisk).ToProto(),
            });
        }

        return report;
    }

    private sealed class Row
    {
        public int Horizon { get; init; }

        public long Customers { get; init; }

        public decimal Mrr { get; init; }

        public long CustomersAtRisk { get; init; }

        public decimal MrrAtRisk { get; init; }
    }
}
