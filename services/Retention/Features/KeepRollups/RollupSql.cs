namespace Lifecycle.Retention.Features.KeepRollups;

/// <summary>The statements of <see cref="RollupKeeper"/>: $1 the workspace, $2 customers, $3 the time zone.</summary>
internal static class RollupSql
{
    private const string Own = "from customer_month m where m.workspace_id = $1 and m.customer_id = any($2)";

    /// <summary>A customer's months from its entries: in each the MRR before and after, and how often it came and left.</summary>
    private const string Months = """
        with money as (
          select customer_id, month, delta, gained,
            sum(delta) over (partition by customer_id order by month) as mrr_end,
            coalesce(bool_or(gained) over (partition by customer_id order by month rows between unbounded preceding and 1 preceding), false) as had
          from (
            select customer_id, date_trunc('month', occur_time at time zone $3)::date as month, sum(mrr_delta) as delta, bool_or(mrr_delta > 0) as gained
            from revenue where workspace_id = $1 and customer_id = any($2) and mrr_delta <> 0 group by 1, 2) by_month),
        turn as (
          select customer_id, time, seq, comes from (
            select customer_id, time, seq, comes, lag(comes) over (partition by customer_id order by time, seq) as before from (
              select id as customer_id, start_time as time, '00000000-0000-0000-0000-000000000000'::uuid as seq, true as comes
              from customer where workspace_id = $1 and id = any($2)
              union all
              select customer_id, occur_time, id, type = 'Reactivation' from revenue
              where workspace_id = $1 and customer_id = any($2) and type in ('Churn', 'Reactivation')) as told) as told
          where before is distinct from comes),
        span as (
          select customer_id, date_trunc('month', time at time zone $3)::date as came, comes,
            date_trunc('month', lead(time) over (partition by customer_id order by time, seq) at time zone $3)::date as went from turn),
        logo as (
          select customer_id, month, sum(joined)::int as joined, sum(lost)::int as lost, sum(won_and_lost)::int as won_and_lost from (
            select customer_id, came as month, 1 as joined, 0 as lost, 0 as won_and_lost from span where comes
            union all
            select customer_id, went, 0, (came < went)::int, (came = went)::int from span where comes and went is not null) as step
          group by 1, 2),
        month as (
          select customer_id, month, coalesce(delta, 0) as delta, mrr_end, coalesce(had, false) as had,
            coalesce(joined, 0) as joined, coalesce(lost, 0) as lost, coalesce(won_and_lost, 0) as won_and_lost
          from money full join logo using (customer_id, month)),
        filled as (
          select m.*, coalesce(m.mrr_end, sum(m.delta) over (partition by m.customer_id order by m.month)) as after from month m)
        """;

    /// <summary>Takes what is counted of the customers out of the sums, then forgets it.</summary>
    public static readonly string[] TakeOut =
    [
        $"""
        insert into mrr_month as t (workspace_id, month, added, reactivated, expanded, contracted, churned, joined, lost, won_and_lost)
        select $1, month, {Sums("-")} {Own} group by month
        {OnMonthConflict}
        """,
        $"""
        insert into cohort_month as t (workspace_id, cohort, month, customers, mrr, began)
        select $1, cohort, month, -sum(joined - lost - won_and_lost), -sum(mrr_end - mrr_start), -sum((month = cohort)::int) {Own} group by cohort, month
        {OnCohortConflict}
        """,
        "delete from customer_month where workspace_id = $1 and customer_id = any($2)",
    ];

    /// <summary>Counts the customers and puts them into the sums.</summary>
    public static readonly string[] PutIn =
    [
        $"""
        {Months}
        insert into customer_month (workspace_id, customer_id, month, cohort, movement, mrr_start, mrr_end, joined, lost, won_and_lost)
        select $1, f.customer_id, f.month, date_trunc('month', c.start_time at time zone $3)::date,
          case when delta = 0 then '' when after - delta = 0 then case when had then 'REACTIVATION' else 'NEW' end
            when after = 0 then 'CHURN' when delta > 0 then 'EXPANSION' else 'CONTRACTION' end,
          after - delta, after, joined, lost, won_and_lost
        from filled f join customer c on c.workspace_id = $1 and c.id = f.customer_id
        """,
        $"""
        insert into mrr_month as t (workspace_id, month, added, reactivated, expanded, contracted, churned, joined, lost, won_and_lost)
        select $1, month, {Sums("")} {Own} group by month
        {OnMonthConflict}
        """,
        $"""
        insert into cohort_month as t (workspace_id, cohort, month, customers, mrr, began)
        select $1, cohort, month, sum(joined - lost - won_and_lost), sum(mrr_end - mrr_start), sum((month = cohort)::int) {Own} group by cohort, month
        {OnCohortConflict}
        """,
        "delete from mrr_month where workspace_id = $1 and (added, reactivated, expanded, contracted, churned, joined, lost, won_and_lost) = (0, 0, 0, 0, 0, 0, 0, 0)",
        "delete from cohort_month where workspace_id = $1 and (customers, mrr, began) = (0, 0, 0)",
    ];

    private const string OnMonthConflict = """
        on conflict (workspace_id, month) do update set added = t.added + excluded.added, reactivated = t.reactivated + excluded.reactivated,
          expanded = t.expanded + excluded.expanded, contracted = t.contracted + excluded.contracted, churned = t.churned + excluded.churned,
          joined = t.joined + excluded.joined, lost = t.lost + excluded.lost, won_and_lost = t.won_and_lost + excluded.won_and_lost
        """;

    private const string OnCohortConflict = """
        on conflict (workspace_id, cohort, month) do update
          set customers = t.customers + excluded.customers, mrr = t.mrr + excluded.mrr, began = t.began + excluded.began
        """;

    private static string Sums(string sign) => $"""
        {sign}coalesce(sum(mrr_end) filter (where movement = 'NEW'), 0), {sign}coalesce(sum(mrr_end) filter (where movement = 'REACTIVATION'), 0),
        {sign}coalesce(sum(mrr_end - mrr_start) filter (where movement = 'EXPANSION'), 0),
        {sign}coalesce(sum(mrr_start - mrr_end) filter (where movement = 'CONTRACTION'), 0),
        {sign}coalesce(sum(mrr_start) filter (where movement = 'CHURN'), 0), {sign}sum(joined), {sign}sum(lost), {sign}sum(won_and_lost)
        """;
}
