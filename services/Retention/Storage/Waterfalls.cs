using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.Storage;

/// <summary>MRR and customers of one group over a period, granule by granule.</summary>
/// <param name="Movements">The waterfall.</param>
/// <param name="Churn">Customers at the start, lost, won and lost.</param>
/// <param name="CustomersEnd">Customers at the end.</param>
internal sealed record WaterfallRow(MrrMovements Movements, ChurnCount Churn, long CustomersEnd);

/// <summary>
/// Reads the waterfall: from the counted months where the period is made of whole months, else from the ledger. Both give the same.
/// </summary>
internal static class Waterfalls
{
    /// <summary>Whether months as they are counted make up the period.</summary>
    public static bool IsMonthly(ReportPeriod period) =>
        period.Granularity == Granularity.Month && period.Granules.All(granule => granule.Start.Day == 1 && granule.End.Day == 1);

    /// <summary>The waterfall from the sums of months: as many rows as months are read.</summary>
    public static async Task<IReadOnlyList<WaterfallRow>> FromMonths(Transaction<RetentionDbContext> tx, ReportPeriod period)
    {
        var steps = await tx.Connection.QueryAsync<Step>(new CommandDefinition(
            """
            select (case when month < @from then 0 else (extract(year from age(month, @from)) * 12 + extract(month from age(month, @from)))::int + 1 end) as granule,
              sum(added) as added, sum(reactivated) as reactivated, sum(expanded) as expanded, sum(contracted) as contracted, sum(churned) as churned,
              sum(joined)::bigint as joined, sum(lost)::bigint as lost, sum(won_and_lost)::bigint as won_and_lost
            from mrr_month where workspace_id = @workspace and month < @to group by 1
            """,
            new { workspace = tx.WorkspaceId, from = period.Granules[0].Start, to = period.Granules[^1].End },
            cancellationToken: tx.CancellationToken));
        return Rows(steps, period.Granules.Count);
    }

    /// <summary>
    /// The waterfall from the ledger, over any granules, by the dimension of <see cref="Facts.Dimensions"/> where one is given.
    /// </summary>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<WaterfallRow>>> FromLedger(
        Transaction<RetentionDbContext> tx, ReportPeriod period, string? dimension)
    {
        var steps = (await tx.Connection.QueryAsync<Step>(new CommandDefinition(
            $"""
            with change as (
              select customer_id, width_bucket(occur_time, @bounds) as granule, sum(mrr_delta) as delta, bool_or(mrr_delta > 0) as gained
              from revenue where workspace_id = @workspace and occur_time < @to and mrr_delta <> 0 group by 1, 2),
            money as (
              select customer_id, granule, delta, sum(delta) over (partition by customer_id order by granule) as after,
                coalesce(bool_or(gained) over (partition by customer_id order by granule rows between unbounded preceding and 1 preceding), false) as had
              from change),
            turn as (
              select customer_id, time, seq, comes from (
                select customer_id, time, seq, comes, lag(comes) over (partition by customer_id order by time, seq) as before from (
                  select id as customer_id, start_time as time, '00000000-0000-0000-0000-000000000000'::uuid as seq, true as comes
                  from customer where workspace_id = @workspace and start_time < @to
                  union all
                  select customer_id, occur_time, id, type = 'Reactivation' from revenue
                  where workspace_id = @workspace and occur_time < @to and type in ('Churn', 'Reactivation')) as told) as told
              where before is distinct from comes),
            span as (
              select customer_id, comes, width_bucket(time, @bounds) as came,
                width_bucket(lead(time) over (partition by customer_id order by time, seq), @bounds) as went from turn),
            step as (
              select customer_id, granule,
                case when after - delta = 0 and not had then delta else 0 end as added, case when after - delta = 0 and had then delta else 0 end as reactivated,
                case when after - delta <> 0 and delta > 0 then delta else 0 end as expanded,
                case when after - delta <> 0 and delta < 0 and after <> 0 then -delta else 0 end as contracted,
                case when after - delta <> 0 and after = 0 then -delta else 0 end as churned, 0 as joined, 0 as lost, 0 as won_and_lost
              from money where delta <> 0
              union all
              select customer_id, came, 0, 0, 0, 0, 0, 1, 0, 0 from span where comes
              union all
              select customer_id, went, 0, 0, 0, 0, 0, 0, (came < went)::int, (came = went)::int from span where comes and went is not null)
            select {Facts.Group(dimension)} as group_name, s.granule, sum(s.added) as added, sum(s.reactivated) as reactivated, sum(s.expanded) as expanded,
              sum(s.contracted) as contracted, sum(s.churned) as churned, sum(s.joined) as joined, sum(s.lost) as lost, sum(s.won_and_lost) as won_and_lost
            from step s {(dimension is null ? "" : $"join customer c on c.workspace_id = @workspace and c.id = s.customer_id {Facts.CustomerJoin}")} group by 1, 2
            """,
            new
            {
                workspace = tx.WorkspaceId,
                bounds = period.Granules.Select(granule => granule.From).ToArray(),
                to = period.To,
                timeZone = period.TimeZone.Id,
            },
            cancellationToken: tx.CancellationToken))).AsList();
        return steps.GroupBy(step => step.GroupName)
            .ToDictionary(group => group.Key, IReadOnlyList<WaterfallRow> (group) => Rows(group, period.Granules.Count));
    }

    /// <summary>Granule 0 is all that was before the period.</summary>
    private static WaterfallRow[] Rows(IEnumerable<Step> steps, int granules)
    {
        var byGranule = steps.ToDictionary(step => step.Granule);
        var none = new Step();
        var before = byGranule.GetValueOrDefault(0, none);
        var (mrr, customers) = (before.Net, before.Joined - before.Lost - before.WonAndLost);
        var rows = new WaterfallRow[granules];
        for (var index = 0; index < granules; index++)
        {
            var step = byGranule.GetValueOrDefault(index + 1, none);
            var movements = new MrrMovements(mrr, step.Added, step.Reactivated, step.Expanded, step.Contracted, step.Churned);
            var end = customers + step.Joined - step.Lost - step.WonAndLost;
            rows[index] = new(movements, new(customers, step.Lost, step.WonAndLost), end);
            (mrr, customers) = (movements.End, end);
        }

        return rows;
    }

    private sealed class Step
    {
        public string GroupName { get; init; } = "";

        public int Granule { get; init; }

        public decimal Added { get; init; }

        public decimal Reactivated { get; init; }

        public decimal Expanded { get; init; }

        public decimal Contracted { get; init; }

        public decimal Churned { get; init; }

        public long Joined { get; init; }

        public long Lost { get; init; }

        public long WonAndLost { get; init; }

        public decimal Net => Added + Reactivated + Expanded - Contracted - Churned;
    }
}
