using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Points in time and a group, by which all the counts below are cut.</summary>
/// <param name="From">First instant of each point.</param>
/// <param name="To">Instant after each point.</param>
/// <param name="FirstDay">First day of each point.</param>
/// <param name="LastDay">Day after each point.</param>
/// <param name="Dimensions">Checked names of dimensions.</param>
public sealed record Cut(
    DateTimeOffset[] From, DateTimeOffset[] To, DateOnly[] FirstDay, DateOnly[] LastDay, IReadOnlyList<string> Dimensions)
{
    public static Cut Of(IReadOnlyList<Granule> granules, IReadOnlyList<string> dimensions) => new(
        granules.Select(granule => granule.From).ToArray(), granules.Select(granule => granule.To).ToArray(),
        granules.Select(granule => granule.Start).ToArray(), granules.Select(granule => granule.End).ToArray(), dimensions);

    /// <summary>SQL of the place (from 1) of the point that holds a time within the period.</summary>
    public string Point(string time) => From.Length == 1 ? "1" : $"width_bucket({time}, @from)";

    /// <summary>SQL of the group of rows with a <c>source_key</c>, whose first touch is joined as <c>d</c>.</summary>
    public string Group => GroupKeys.Sql("d", Dimensions);

    /// <summary>SQL of the place (from 1) of the point that holds a day (UTC), by the bounds up to which days are counted.</summary>
    public string CountedPoint(string day) => From.Length == 1 ? "1" : $"width_bucket({day}, @counted_days)";

    /// <summary>The bounds of the points, the end of the last behind them.</summary>
    public CountedTime[] Bounds(DateTimeOffset now) => From.Append(To[^1]).Select(time => CountedTime.ToDay(time, now)).ToArray();

    /// <summary>The day of a time, UTC.</summary>
    public static DateOnly DayOf(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime);

    /// <summary>As <see cref="JoinSource"/>, of rows that are the workspace's and do not say so.</summary>
    public string JoinKey(string alias) => Dimensions.Count == 0
        ? ""
        : $"left join lead_source d on d.workspace_id = @workspace and d.source_key = {alias}.source_key";

    /// <summary>SQL that joins the first touch of <paramref name="alias"/> as <c>d</c>, where a group needs it.</summary>
    public string JoinSource(string alias) => Dimensions.Count == 0
        ? ""
        : $"left join lead_source d on d.workspace_id = {alias}.workspace_id and d.source_key = {alias}.source_key";
}

/// <summary>
/// Counts in SQL over the facts that triggers keep (see the migration ReportFacts). A person whose leads were merged counts once, with the
/// first touch of the lead that lives on. Each statement walks an index over the period: stage_stay (workspace, enter_time), lead_fact
/// (workspace, create_time), spend (workspace, date); rows are grouped by the key of their first touch before its texts are looked up.
/// </summary>
public static class ReportData
{
    /// <summary>SQL: the person enters the stage for the first time in the point, so that it counts once.</summary>
    public static string IsFirst(Cut cut) =>
        cut.From.Length == 1
            ? "(s.previous_time is null or s.previous_time < @first)"
            : "(s.previous_time is null or s.previous_time < (@from)[width_bucket(s.enter_time, @from)])";

    /// <param name="stages">Only these; all where none is named.</param>
    /// <param name="asOfEnd">Only what had happened when the point ended counts as having gone on.</param>
    public static async Task<IReadOnlyList<EntryCount>> Entries(
        Transaction<ConversionDbContext> tx, Cut cut, bool asOfEnd = false, params Stage[] stages)
    {
        var end = cut.From.Length == 1 ? "@last" : "(@to)[width_bucket(s.enter_time, @from)]";
        var (wentOn, bought) = asOfEnd
            ? ($"s.onward_time < {end}", $"s.bought_time < {end}")
            : ("s.onward_time is not null", "s.bought_time is not null");
        return (await Query<EntryCount>(
            tx,
            cut,
            $"""
            with entry as (
              select {cut.Point("s.enter_time")} as point, s.workspace_id, {(cut.Dimensions.Count == 0 ? "0" : "s.source_key")} as source_key, s.stage as number,
                count(*) filter (where {IsFirst(cut)}) as entered,
                count(*) filter (where {IsFirst(cut)} and s.from_stage <> 9) as fresh,
                count(*) filter (where {IsFirst(cut)} and {wentOn}) as went_on,
                count(*) filter (where {IsFirst(cut)} and {bought}) as bought,
                count(*) filter (where s.returned) as returned
              from stage_stay s
              where s.workspace_id = @workspace and s.enter_time >= @first and s.enter_time < @last and s.counts{(stages.Length > 0 ? " and s.stage = any(@stages)" : "")}
              group by 1, 2, 3, 4)
            select e.point - 1 as granule, {cut.Group} as grp, e.number, sum(e.entered)::bigint as entered, sum(e.fresh)::bigint as fresh,
              sum(e.went_on)::bigint as went_on, sum(e.bought)::bigint as bought, sum(e.returned)::bigint as returned
            from entry e {cut.JoinSource("e")} group by 1, 2, 3
            """,
            new { stages = stages.Select(stage => (short)stage).ToArray() })).AsList();
    }

    /// <summary>Leads that entered the stages within the points, each once for a point and stage: what was counted by day, and the
    /// difference that the entries between the points' bounds and midnight make; people who enter anew are few, and read from the
    /// facts.</summary>
    /// <remarks>Each edge is looked up by itself (lateral, offset 0): Postgres guesses so many rows of a range it does not know that it
    /// would rather hold all rows against all edges.</remarks>
    public static async Task<IReadOnlyList<EntryCount>> Entered(Transaction<ConversionDbContext> tx, Cut cut, params Stage[] stages)
    {
        var key = cut.Dimensions.Count == 0 ? "0::bigint" : "s.source_key";
        return (await CountedDays<EntryCount>(
            tx,
            cut,
            $"""
            with entry as (
              select {cut.CountedPoint("s.day")} as point, {key} as source_key, s.stage as number, sum(s.entered) as entered
              from stay_day s where s.workspace_id = @workspace and s.day >= @since and s.day < @until and s.stage = any(@stages) group by 1, 2, 3
              union all
              select part.point, {key}, s.stage, sum(part.sign)
              from unnest(@edge_from, @edge_to) as edge(start, stop)
              cross join lateral (
                select * from stage_stay e where e.workspace_id = @workspace and e.enter_time >= edge.start and e.enter_time < edge.stop offset 0) s
              cross join lateral ({Parts(cut, "s.enter_time")}) part
              where s.counts and s.previous_time is null and s.stage = any(@stages) group by 1, 2, 3
              union all
              select {cut.Point("s.enter_time")}, {key}, s.stage, count(*)
              from stage_stay s
              where s.workspace_id = @workspace and s.enter_time >= @first and s.enter_time < @last and s.counts and s.previous_time is not null
                and {IsFirst(cut)} and s.stage = any(@stages) group by 1, 2, 3)
            select e.point - 1 as granule, {cut.Group} as grp, e.number, sum(e.entered)::bigint as entered
            from entry e {cut.JoinKey("e")} group by 1, 2, 3 having sum(e.entered) > 0
            """,
            new { stages = stages.Select(stage => (short)stage).ToArray() })).AsList();
    }

    /// <summary>New leads: what was counted by day, and the difference that those between the points' bounds and midnight make.</summary>
    public static async Task<IReadOnlyList<LeadCount>> Leads(Transaction<ConversionDbContext> tx, Cut cut)
    {
        var key = cut.Dimensions.Count == 0 ? "0::bigint" : "f.source_key";
        return (await CountedDays<LeadCount>(
            tx,
            cut,
            $"""
            with entry as (
              select {cut.CountedPoint("f.day")} as point, {key} as source_key, sum(f.leads) as leads,
                coalesce(sum(f.leads) filter (where f.capture_type = 'FORM'), 0) as forms,
                coalesce(sum(f.leads) filter (where f.capture_type = 'CALL'), 0) as calls,
                coalesce(sum(f.leads) filter (where f.capture_type = 'CHAT'), 0) as chats
              from lead_day f where f.workspace_id = @workspace and f.day >= @since and f.day < @until group by 1, 2
              union all
              select part.point, {key}, sum(part.sign), coalesce(sum(part.sign) filter (where f.capture_type = 'FORM'), 0),
                coalesce(sum(part.sign) filter (where f.capture_type = 'CALL'), 0), coalesce(sum(part.sign) filter (where f.capture_type = 'CHAT'), 0)
              from unnest(@edge_from, @edge_to) as edge(start, stop)
              cross join lateral (
                select * from lead_fact e where e.workspace_id = @workspace and e.create_time >= edge.start and e.create_time < edge.stop offset 0) f
              cross join lateral ({Parts(cut, "f.create_time")}) part
              group by 1, 2)
            select e.point - 1 as granule, {cut.Group} as grp, sum(e.leads)::bigint as leads, sum(e.forms)::bigint as forms,
              sum(e.calls)::bigint as calls, sum(e.chats)::bigint as chats
            from entry e {cut.JoinKey("e")} group by 1, 2 having sum(e.leads) > 0
            """)).AsList();
    }

    /// <summary>Deals opened within the points.</summary>
    public static async Task<IReadOnlyList<DealCount>> Opened(Transaction<ConversionDbContext> tx, Cut cut) => (await Query<DealCount>(
        tx,
        cut,
        $"""
        with entry as (
          select {cut.Point("f.create_time")} as point, f.workspace_id, f.source_key, count(*) as opened
          from deal_fact f where f.workspace_id = @workspace and f.create_time >= @first and f.create_time < @last group by 1, 2, 3)
        select e.point - 1 as granule, {cut.Group} as grp, sum(e.opened)::bigint as opened from entry e {cut.JoinSource("e")} group by 1, 2
        """)).AsList();

    public static async Task<IReadOnlyList<DealCount>> Deals(Transaction<ConversionDbContext> tx, Cut cut)
    {
        var counts = (await Query<DealCount>(
            tx,
            cut,
            $"""
            with deal as (
              select f.state, f.amount, f.create_time, f.close_time, f.origin_time as origin, {cut.Group} as grp
              from deal_fact f {cut.JoinSource("f")} where f.workspace_id = @workspace)
            select granule, grp, sum(opened)::bigint as opened, sum(won)::bigint as won, sum(lost)::bigint as lost, sum(bookings) as bookings,
              sum(cycle_days)::float8 as cycle_days, sum(open_before)::bigint as open_before, sum(year_bookings) as year_bookings
            from (
              select {cut.Point("create_time")} - 1 as granule, grp, 1 as opened, 0 as won, 0 as lost, 0::numeric as bookings,
                0::float8 as cycle_days, 0 as open_before, 0::numeric as year_bookings
              from deal where create_time >= @first and create_time < @last
              union all
              select {cut.Point("close_time")} - 1, grp, 0, (state = 'WON')::int, (state = 'LOST')::int,
                case state when 'WON' then amount else 0 end,
                case state when 'WON' then date_part('epoch', close_time - create_time) / 86400.0 else 0 end, 0, 0
              from deal where close_time >= @first and close_time < @last
              union all
              select 0, grp, 0, 0, 0, 0, 0, 1, 0 from deal where create_time < @first and (close_time is null or close_time >= @first)
              union all
              select {cut.Point("origin")} - 1, grp, 0, 0, 0, 0, 0, 0, amount
              from deal where state = 'WON' and origin >= @first and origin < @last and close_time < origin + interval '1 year') part
            group by 1, 2 order by 2, 1
            """)).AsList();
        foreach (var group in counts.GroupBy(count => count.Grp))
        {
            var open = 0L;
            foreach (var count in group)
            {
                open += count.OpenBefore + count.Opened - count.Won - count.Lost;
                count.Open = open;
            }
        }

        return counts;
    }

    public static async Task<IReadOnlyList<SpendSum>> Spend(Transaction<ConversionDbContext> tx, Cut cut) => (await Query<SpendSum>(
        tx,
        cut,
        $"""
        select width_bucket(s.date, @firstDay) - 1 as granule, {GroupKeys.Sql("s", cut.Dimensions)} as grp, sum(s.amount) as amount,
          sum(s.clicks)::bigint as clicks
        from spend s
        where s.workspace_id = @workspace and s.date >= @first_day and s.date < @last_day
        group by 1, 2
        """)).AsList();

    /// <summary>A currency other than the workspace's among what would be summed, or null. Amounts of different currencies are never
    /// added.</summary>
    public static Task<string?> ForeignCurrency(Transaction<ConversionDbContext> tx, string currencyCode) =>
        tx.Connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            """
            select currency_code from (
              (select currency_code from deal_fact where workspace_id = @workspace and currency_code < @currencyCode order by currency_code limit 1)
              union all
              (select currency_code from deal_fact where workspace_id = @workspace and currency_code > @currencyCode order by currency_code limit 1)
              union all
              (select currency_code from spend where workspace_id = @workspace and currency_code < @currencyCode order by currency_code limit 1)
              union all
              (select currency_code from spend where workspace_id = @workspace and currency_code > @currencyCode order by currency_code limit 1)) other
            limit 1
            """,
            new { workspace = tx.WorkspaceId, currencyCode },
            cancellationToken: tx.CancellationToken));

    /// <summary>SQL: a time at an edge belongs to one point, and was counted in another.</summary>
    private static string Parts(Cut cut, string time) =>
        $"""
        select {cut.Point(time)} as point, 1 as sign where {time} >= @first and {time} < @last
        union all
        select {cut.CountedPoint($"conversion.day_of({time})")}, -1 where {time} >= @first_counted and {time} < @last_counted
        """;

    /// <summary>
    /// As <see cref="Query"/>, with the days that are counted (<c>@since</c>, <c>@until</c>, and of each point), and the edges.
    /// </summary>
    private static Task<IEnumerable<T>> CountedDays<T>(Transaction<ConversionDbContext> tx, Cut cut, string sql, object? more = null)
    {
        var bounds = cut.Bounds(tx.Now);
        var edges = bounds.Where(bound => bound.HasEdge).ToArray();
        var parameters = new DynamicParameters(more);
        parameters.AddDynamicParams(new
        {
            since = bounds[0].Day,
            until = bounds[^1].Day,
            first_counted = bounds[0].Counted,
            last_counted = bounds[^1].Counted,
            counted_days = bounds[..^1].Select(bound => bound.Day).ToArray(),
            edge_from = edges.Select(edge => edge.Start).ToArray(),
            edge_to = edges.Select(edge => edge.Stop).ToArray(),
        });
        return Query<T>(tx, cut, sql, parameters);
    }

    /// <summary>
    /// Runs a statement with <c>@workspace</c> and the cut: <c>@from</c>, <c>@to</c>, <c>@firstDay</c> (arrays), <c>@first</c>,
    /// <c>@last</c>, <c>@first_day</c>, <c>@last_day</c>.
    /// </summary>
    public static Task<IEnumerable<T>> Query<T>(Transaction<ConversionDbContext> tx, Cut cut, string sql, object? more = null)
    {
        var parameters = new DynamicParameters(more);
        parameters.AddDynamicParams(new
        {
            workspace = tx.WorkspaceId,
            from = cut.From,
            to = cut.To,
            firstDay = cut.FirstDay,
            first = cut.From[0],
            last = cut.To[^1],
            first_day = cut.FirstDay[0],
            last_day = cut.LastDay[^1],
        });
        return tx.Connection.QueryAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: tx.CancellationToken));
    }
}
