using Npgsql;

namespace Lifecycle.Benchmarks;

/// <summary>Customers with a ledger of three years and the months counted of it, straight into Retention's tables.</summary>
internal static class RetentionMonths
{
    private const int Step = 100_000;

    /// <summary>
    /// Customers that begin on one of 1,000 days from 2023 on with a sale of 10 to 909 a month; 40 days later a third of them pays less and
    /// the others more; 140 days after the start a tenth leaves. None of these falls into one month with another, so that each makes a
    /// month of its customer.
    /// </summary>
    public static async Task Fill(BenchmarkSuite suite, int customers)
    {
        await using var connection = await suite.Database("retention").Administrator.OpenConnectionAsync();
        await Execute(
            connection, "insert into rollup_state (workspace_id, time_zone) values ($1, 'Europe/Berlin') on conflict do nothing",
            suite.WorkspaceId);
        for (var first = 0; first < customers; first += Step)
        {
            await Execute(connection, People(first, Math.Min(first + Step, customers) - 1));
            foreach (var sql in new[] { Customers, Revenue, Months })
            {
                await Execute(connection, sql, suite.WorkspaceId);
            }

            await Execute(connection, "drop table person");
        }

        foreach (var sql in new[] { MonthSums, CohortSums })
        {
            await Execute(connection, sql, suite.WorkspaceId);
        }

        await Execute(connection, "vacuum (analyze) customer, revenue, customer_month, mrr_month, cohort_month");
    }

    /// <summary>Marks every so-many-th customer as one whose ledger changed.</summary>
    /// <returns>How many.</returns>
    public static async Task<long> Mark(BenchmarkSuite suite, int every)
    {
        await using var connection = await suite.Database("retention").Administrator.OpenConnectionAsync();
        return await Execute(
            connection,
            $"""
            insert into rollup_mark (workspace_id, id, customer_ids)
            select $1, gen_random_uuid(), array[id] from customer where workspace_id = $1 and substring(external_id from 2)::int % {every} = 0
            """,
            suite.WorkspaceId);
    }

    /// <summary>All that is counted, as one text for each table: equal texts, equal amounts.</summary>
    public static async Task<string> Counted(BenchmarkSuite suite)
    {
        var texts = new List<string>();
        foreach (var (table, columns, order) in new[]
        {
            ("mrr_month",
                "month, trim_scale(added), trim_scale(reactivated), trim_scale(expanded), trim_scale(contracted), trim_scale(churned), joined, lost, won_and_lost",
                "month"),
            ("cohort_month", "cohort, month, customers, trim_scale(mrr), began", "cohort, month"),
            ("customer_month",
                "customer_id, month, cohort, movement, trim_scale(mrr_start), trim_scale(mrr_end), joined, lost, won_and_lost",
                "customer_id, month"),
        })
        {
            // A sum of hashes needs no sorting of millions.
            texts.Add((await suite.Database("retention").Scalar<string>(
                $"select count(*) || ' ' || coalesce(sum(hashtextextended(({columns})::text, 0)::numeric), 0) from {table} where workspace_id = $1",
                suite.WorkspaceId))!);
        }

        return string.Join('\n', texts);
    }

    private static string People(int first, int last) =>
        $"""
        create temporary table person on commit preserve rows as
        select n, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id, timestamptz '2023-01-01 00:00Z' + n % 1000 * interval '24 hours' as start,
          10 + n % 900 as sold, case when n % 3 = 0 then -1 - n % 9 else 1 + n % 9 end as change, n % 10 = 0 as leaves
        from generate_series({first}, {last}) n
        """;

    private const string Customers =
        """
        insert into customer (workspace_id, id, external_id, display_name, start_time, segment, plan, owner, term_months, mrr, total_revenue, churned, churn_time, churn_voluntary,
          version, at_risk, risk_due_time)
        select $1, id, 'c' || n, 'Customer ' || n, start, 'segment ' || n % 5, 'plan ' || n % 7, '', 0, case when leaves then 0 else sold + change end,
          sold + greatest(change, 0), leaves, case when leaves then start + interval '3360 hours' end, case when leaves then true end,
          case when leaves then 4 else 2 end, false, now() + interval '1 day'
        from person
        """;

    private const string Revenue =
        """
        insert into revenue (workspace_id, id, customer_id, type, amount, currency_code, base_amount, monthly, recurrence, occur_time, external_id, mrr_delta, reversed, voluntary,
          create_time)
        select $1, ('00000000-0000-7000-900' || step || '-' || lpad(to_hex(n), 12, '0'))::uuid, id, type, amount, 'EUR', amount,
          case when step = 3 then 0 else amount end, case when step = 3 then 'OneOff' else 'Monthly' end, time, 'r' || n || '-' || step, delta, false,
          case when step = 3 then true end, now()
        from person, lateral (values
          (1, 'New', sold, start, sold),
          (2, case when change < 0 then 'Contraction' else 'Upsell' end, abs(change), start + interval '960 hours', change),
          (3, 'Churn', sold + change, start + interval '3360 hours', -sold - change)) entry(step, type, amount, time, delta)
        where step < 3 or leaves
        """;

    private const string Months =
        """
        insert into customer_month (workspace_id, customer_id, month, cohort, movement, mrr_start, mrr_end, joined, lost, won_and_lost)
        select $1, id, date_trunc('month', time at time zone 'Europe/Berlin')::date, date_trunc('month', start at time zone 'Europe/Berlin')::date, movement,
          mrr_start, mrr_end, (step = 1)::int, (step = 3)::int, 0
        from person, lateral (values
          (1, 'NEW', start, 0, sold),
          (2, case when change < 0 then 'CONTRACTION' else 'EXPANSION' end, start + interval '960 hours', sold, sold + change),
          (3, 'CHURN', start + interval '3360 hours', sold + change, 0)) entry(step, movement, time, mrr_start, mrr_end)
        where step < 3 or leaves
        """;

    private const string MonthSums =
        """
        insert into mrr_month (workspace_id, month, added, reactivated, expanded, contracted, churned, joined, lost, won_and_lost)
        select $1, month, coalesce(sum(mrr_end) filter (where movement = 'NEW'), 0), 0, coalesce(sum(mrr_end - mrr_start) filter (where movement = 'EXPANSION'), 0),
          coalesce(sum(mrr_start - mrr_end) filter (where movement = 'CONTRACTION'), 0), coalesce(sum(mrr_start) filter (where movement = 'CHURN'), 0),
          sum(joined), sum(lost), sum(won_and_lost)
        from customer_month where workspace_id = $1 group by month
        """;

    private const string CohortSums =
        """
        insert into cohort_month (workspace_id, cohort, month, customers, mrr, began)
        select $1, cohort, month, sum(joined - lost - won_and_lost), sum(mrr_end - mrr_start), sum((month = cohort)::int)
        from customer_month where workspace_id = $1 group by cohort, month
        """;

    private static async Task<long> Execute(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 1800 };
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        return await command.ExecuteNonQueryAsync();
    }
}
