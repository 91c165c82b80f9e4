using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>Losses, why, and how long customers stay.</summary>
internal static class ChurnReports
{
    private const int MaxCurves = 50;

    /// <summary>Losses of the period, by granule, by whether the customer chose to, and by reason.</summary>
    public static async Task<ChurnReport> Churn(
        Transaction<RetentionDbContext> tx, ReportPeriod period, IReadOnlyList<WaterfallRow>? rows, string currencyCode)
    {
        // Index (workspace_id, occur_time) over losses.
        var losses = (await tx.Connection.QueryAsync<Loss>(new CommandDefinition(
            """
            select width_bucket(occur_time, @bounds) - 1 as granule, coalesce(reason, '') as reason, coalesce(voluntary, true) as voluntary,
              count(*) as customers, -sum(mrr_delta) as mrr
            from revenue where workspace_id = @workspace and type = 'Churn' and occur_time >= @from and occur_time < @to group by 1, 2, 3
            """,
            new
            {
                workspace = tx.WorkspaceId,
                from = period.From,
                to = period.To,
                bounds = period.Granules.Select(granule => granule.From).ToArray()
            },
            cancellationToken: tx.CancellationToken))).AsList();
        var report = new ChurnReport { Note = losses.Count == 0 ? "No customer left in the period." : "" };
        for (var index = 0; index < period.Granules.Count; index++)
        {
            var here = losses.Where(loss => loss.Granule == index).ToArray();
            var row = new ChurnRow
            {
                Start = period.Granules[index].Start.ToString("yyyy-MM-dd", null),
                CustomersStart = rows?[index].Churn.AtStart ?? 0,
                CustomersLost = rows?[index].Churn.Lost ?? 0,
                CustomersWonAndLost = rows?[index].Churn.WonAndLost ?? 0,
                Voluntary = here.Where(loss => loss.Voluntary).Sum(loss => loss.Customers),
                Involuntary = here.Where(loss => !loss.Voluntary).Sum(loss => loss.Customers),
                MrrLost = new Money(currencyCode, here.Sum(loss => loss.Mrr)).ToProto(),
            };
            if (rows?[index] is { } waterfall)
            {
                if (waterfall.Churn.Rate is { } rate)
                {
                    row.ChurnRate = rate;
                }

                if (waterfall.Movements.Start > 0)
                {
                    row.RevenueChurnRate = (double)(waterfall.Movements.Churn / waterfall.Movements.Start);
                }
            }

            report.Rows.Add(row);
        }

        report.Reasons.AddRange(losses.GroupBy(loss => (loss.Reason, loss.Voluntary)).Select(group => new ChurnReason
        {
            Reason = group.Key.Reason,
            Voluntary = group.Key.Voluntary,
            Customers = group.Sum(loss => loss.Customers),
            MrrLost = new Money(currencyCode, group.Sum(loss => loss.Mrr)).ToProto(),
        }).OrderByDescending(reason => reason.Customers).ThenBy(reason => reason.Reason, StringComparer.Ordinal));
        return report;
    }

    /// <summary>Survival of customers that began in the period, from their start to their first loss.</summary>
    public static async Task<SurvivalReport> Survive(
        Transaction<RetentionDbContext> tx, DateTimeOffset from, DateTimeOffset to, TimeZoneInfo timeZone, string? dimension, int months)
    {
        var counts = (await tx.Connection.QueryAsync<Count>(new CommandDefinition(
            $"""
            select {Facts.Group(dimension)} as group_name,
              floor(extract(epoch from coalesce(x.churn_time, @now) - c.start_time) / 86400)::int as days,
              count(x.churn_time) as lost, count(*) - count(x.churn_time) as staying
            from customer c
            left join (
              select r.customer_id, min(r.occur_time) as churn_time from revenue r where r.workspace_id = @workspace and r.type = 'Churn' group by 1) x
              on x.customer_id = c.id and x.churn_time >= c.start_time {Facts.CustomerJoin}
            where c.workspace_id = @workspace and c.start_time >= @from and c.start_time < least(@to, @now) group by 1, 2
            """,
            new { workspace = tx.WorkspaceId, from, to, now = tx.Now, timeZone = timeZone.Id },
            cancellationToken: tx.CancellationToken))).AsList();
        var report = new SurvivalReport { Note = counts.Count == 0 ? "No customer began in the period." : "" };
        foreach (var group in counts.GroupBy(count => count.GroupName)
            .OrderByDescending(group => group.Sum(count => count.Lost + count.Staying)).Take(MaxCurves))
        {
            var points = Survival.Curve(group.Select(count => new TenureCount(count.Days, count.Lost, count.Staying)), months);
            var curve = new SurvivalCurve
            {
                Group = dimension is null ? "" : group.Key,
                Customers = group.Sum(count => count.Lost + count.Staying),
                Lost = group.Sum(count => count.Lost)
            };
            if (Survival.MedianMonths(points) is { } median)
            {
                curve.MedianMonths = median;
            }

            foreach (var point in points)
            {
                var proto = new V1.SurvivalPoint
                {
                    Month = point.Month,
                    AtRisk = point.AtRisk,
                    Lost = point.Lost,
                    Survival = point.Survival,
                    Low = point.Low,
                    High = point.High
                };
                if (point.Hazard is { } hazard)
                {
                    proto.Hazard = hazard;
                }

                curve.Points.Add(proto);
            }

            report.Curves.Add(curve);
        }

        return report;
    }

    private sealed class Loss
    {
        public int Granule { get; init; }

        public string Reason { get; init; } = "";

        public bool Voluntary { get; init; }

        public long Customers { get; init; }

        public decimal Mrr { get; init; }
    }

    private sealed class Count
    {
        public string GroupName { get; init; } = "";

        public int Days { get; init; }

        public long Lost { get; init; }

        public long Staying { get; init; }
    }
}
