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
}

/// <summary>Leads that entered a stage within a point, each once.</summary>
public sealed class EntryCount
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    public string Stage { get; init; } = "";

    public long Entered { get; init; }

    /// <summary>Of these, not from CHURNED.</summary>
    public long Fresh { get; init; }

    /// <summary>Of these, reached a later stage of the funnel since.</summary>
    public long WentOn { get; init; }

    /// <summary>Of these, became customers since.</summary>
    public long Bought { get; init; }

    /// <summary>Entries that were hand-backs by sales; a lead that came back twice counts twice.</summary>
    public long Returned { get; init; }
}

/// <summary>New leads within a point.</summary>
public sealed class LeadCount
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    public long Leads { get; init; }

    public long Forms { get; init; }

    public long Calls { get; init; }

    public long Chats { get; init; }
}

/// <summary>Deals within a point.</summary>
public sealed class DealCount
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    public long Opened { get; init; }

    public long Won { get; init; }

    public long Lost { get; init; }

    public decimal Bookings { get; init; }

    /// <summary>Days from opening to closing, of all won deals together.</summary>
    public double CycleDays { get; init; }

    /// <summary>Open when the period began; told with the first point.</summary>
    public long OpenBefore { get; init; }

    /// <summary>Open when the point ended.</summary>
    public long Open { get; set; }

    /// <summary>Bookings within a year of the creation of the leads that were new in the point (of the deal, where it has no
    /// lead).</summary>
    public decimal YearBookings { get; init; }
}

/// <summary>Spend within a point.</summary>
public sealed class SpendSum
{
    public int Granule { get; init; }

    public string Grp { get; init; } = "";

    public decimal Amount { get; init; }

    public long Clicks { get; init; }
}

/// <summary>
/// Counts of the ledger and the deals in SQL. A person whose leads were merged counts once, with the first touch of the lead that lives on.
/// Each statement walks an index over the period: stage_change (workspace, time), lead (workspace, create_time), opportunity (workspace,
/// create_time | close_time), spend (workspace, date); <c>width_bucket</c> finds a row's point by binary search.
/// </summary>
public static class ReportData
{
    private const string Ranks = "array['LEAD', 'MQL', 'SQL', 'OPPORTUNITY', 'CUSTOMER', 'ADVOCATE']";

    public static async Task<IReadOnlyList<EntryCount>> Entries(Transaction<ConversionDbContext> tx, Cut cut) => (await Query<EntryCount>(
        tx,
        cut,
        $"""
        select width_bucket(c.time, @from) - 1 as granule, {GroupKeys.Sql("p", cut.Dimensions)} as grp, c.to_stage as stage,
          count(distinct p.lead_id) as entered,
          count(distinct p.lead_id) filter (where c.from_stage <> 'CHURNED') as fresh,
          count(distinct p.lead_id) filter (where later.furthest > array_position({Ranks}, c.to_stage)) as went_on,
          count(distinct p.lead_id) filter (where later.furthest >= 5) as bought,
          count(*) filter (where c.reason = 'RECYCLED') as returned
        from stage_change c
        join lead l on l.workspace_id = c.workspace_id and l.lead_id = c.lead_id
        join lead p on p.workspace_id = l.workspace_id and p.lead_id = coalesce(l.merged_into, l.lead_id)
        left join lateral (
          select max(array_position({Ranks}, d.to_stage)) as furthest from stage_change d
          where d.workspace_id = c.workspace_id
            and ((d.lead_id = c.lead_id and d.version > c.version) or (d.lead_id = l.merged_into and d.time >= c.time))) later on true
        where c.workspace_id = @workspace and c.time >= @first and c.time < @last and c.reason <> 'MERGED'
        group by 1, 2, 3
        """)).AsList();

    public static async Task<IReadOnlyList<LeadCount>> Leads(Transaction<ConversionDbContext> tx, Cut cut) => (await Query<LeadCount>(
        tx,
        cut,
        $"""
        select width_bucket(p.create_time, @from) - 1 as granule, {GroupKeys.Sql("p", cut.Dimensions)} as grp, count(*) as leads,
          count(*) filter (where p.capture_type = 'FORM') as forms,
          count(*) filter (where p.capture_type = 'CALL') as calls,
          count(*) filter (where p.capture_type = 'CHAT') as chats
        from lead p
        where p.workspace_id = @workspace and p.create_time >= @first and p.create_time < @last and p.captured and p.merged_into is null
        group by 1, 2
        """)).AsList();

    public static async Task<IReadOnlyList<DealCount>> Deals(Transaction<ConversionDbContext> tx, Cut cut)
    {
        var counts = (await Query<DealCount>(
            tx,
            cut,
            $"""
            with deal as (
              select o.state, o.amount, o.create_time, o.close_time, coalesce(p.create_time, o.create_time) as origin,
                {GroupKeys.Sql("p", cut.Dimensions)} as grp
              from opportunity o left join lead p on p.workspace_id = o.workspace_id and p.lead_id = o.lead_id
              where o.workspace_id = @workspace)
            select granule, grp, sum(opened)::bigint as opened, sum(won)::bigint as won, sum(lost)::bigint as lost, sum(bookings) as bookings,
              sum(cycle_days)::float8 as cycle_days, sum(open_before)::bigint as open_before, sum(year_bookings) as year_bookings
            from (
              select width_bucket(create_time, @from) - 1 as granule, grp, 1 as opened, 0 as won, 0 as lost, 0::numeric as bookings,
                0::float8 as cycle_days, 0 as open_before, 0::numeric as year_bookings
              from deal where create_time >= @first and create_time < @last
              union all
              select width_bucket(close_time, @from) - 1, grp, 0, (state = 'WON')::int, (state = 'LOST')::int,
                case state when 'WON' then amount else 0 end,
                case state when 'WON' then extract(epoch from close_time - create_time) / 86400.0 else 0 end, 0, 0
              from deal where close_time >= @first and close_time < @last
              union all
              select 0, grp, 0, 0, 0, 0, 0, 1, 0 from deal where create_time < @first and (close_time is null or close_time >= @first)
              union all
              select width_bucket(origin, @from) - 1, grp, 0, 0, 0, 0, 0, 0, amount
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
              (select currency_code from opportunity where workspace_id = @workspace and currency_code <> @currencyCode limit 1)
              union all (select currency_code from spend where workspace_id = @workspace and currency_code <> @currencyCode limit 1)) foreign_row limit 1
            """,
            new { workspace = tx.WorkspaceId, currencyCode },
            cancellationToken: tx.CancellationToken));

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
