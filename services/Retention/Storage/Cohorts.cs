using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Retention.Storage;

/// <summary>What a granule changed of a cohort.</summary>
internal sealed class CohortStep
{
    /// <summary>Granule of the cohort, from 1.</summary>
    public int Cohort { get; init; }

    /// <summary>Granule of the change, from 1; 0: before the cohort's own (revenue that precedes the customer's start).</summary>
    public int Granule { get; init; }

    public long Customers { get; init; }

    public decimal Mrr { get; init; }

    public long Began { get; init; }
}

/// <summary>
/// Reads cohorts: from the counted months where the period is made of whole months, else from the ledger. Both give the same.
/// </summary>
internal static class Cohorts
{
    public static async Task<List<CohortStep>> FromMonths(
        Transaction<RetentionDbContext> tx, ReportPeriod period) => (await tx.Connection.QueryAsync<CohortStep>(
        new CommandDefinition(
            """
            select (extract(year from age(cohort, @from)) * 12 + extract(month from age(cohort, @from)))::int + 1 as cohort,
              (case when month < @from then 0 else (extract(year from age(month, @from)) * 12 + extract(month from age(month, @from)))::int + 1 end) as granule,
              sum(customers)::bigint as customers, sum(mrr) as mrr, sum(began)::bigint as began
            from cohort_month where workspace_id = @workspace and cohort >= @from and cohort < @to and month < @to group by 1, 2
            """,
            new { workspace = tx.WorkspaceId, from = period.Granules[0].Start, to = period.Granules[^1].End },
            cancellationToken: tx.CancellationToken))).AsList();

    public static async Task<List<CohortStep>> FromLedger(
        Transaction<RetentionDbContext> tx, ReportPeriod period) => (await tx.Connection.QueryAsync<CohortStep>(
        new CommandDefinition(
            """
            with member as (
              select id, start_time, width_bucket(start_time, @bounds) as cohort from customer where workspace_id = @workspace and start_time >= @from and start_time < @to),
            turn as (
              select cohort, time, comes from (
                select cohort, time, comes, lag(comes) over (partition by id order by time, seq) as before from (
                  select id, cohort, start_time as time, '00000000-0000-0000-0000-000000000000'::uuid as seq, true as comes from member
                  union all
                  select m.id, m.cohort, r.occur_time, r.id, r.type = 'Reactivation' from member m
                  join revenue r on r.workspace_id = @workspace and r.customer_id = m.id and r.occur_time < @to and r.type in ('Churn', 'Reactivation')) as told) as told
              where before is distinct from comes and (comes or before is not null)),
            step as (
              select cohort, cohort as granule, 0 as customers, 0::numeric as mrr, 1 as began from member
              union all
              select cohort, width_bucket(time, @bounds), case when comes then 1 else -1 end, 0, 0 from turn
              union all
              select m.cohort, width_bucket(r.occur_time, @bounds), 0, r.mrr_delta, 0
              from member m join revenue r on r.workspace_id = @workspace and r.customer_id = m.id and r.occur_time < @to and r.mrr_delta <> 0)
            select cohort, granule, sum(customers) as customers, sum(mrr) as mrr, sum(began) as began from step group by 1, 2
            """,
            new
            {
                workspace = tx.WorkspaceId,
                bounds = period.Granules.Select(granule => granule.From).ToArray(),
                from = period.From,
                to = period.To,
            },
            cancellationToken: tx.CancellationToken))).AsList();
}
