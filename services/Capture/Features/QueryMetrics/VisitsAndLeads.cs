using Dapper;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Capture.Features.QueryMetrics;

/// <summary>Counts of one group in one point.</summary>
internal readonly record struct GroupCounts(int Granule, string Group, RollupCounts Counts);

/// <summary>
/// Counts visits and leads: whole days, weeks and months from the rollups, where these go by the caller's days; other points (quarters,
/// years, the cut-off ends of a period) from the rollups' days, but for their visitors, who are counted from the sessions. Without rollups
/// all is.
/// </summary>
internal static class VisitsAndLeads
{
    public static async Task<IReadOnlyList<GroupCounts>> Count(
        Transaction<CaptureDbContext> tx, MetricsQuery query, bool visits, bool leads)
    {
        if (await RollupStore.Held(tx) == query.Period.TimeZone.Id)
        {
            return await FromRollups(tx, query);
        }

        var counted = new List<GroupCounts>();
        if (visits)
        {
            counted.AddRange(await Sessions(tx, query.GroupBy, query.Period.Granules));
        }

        if (leads)
        {
            counted.AddRange(await Leads(tx, query));
        }

        return counted;
    }

    /// <summary>As <see cref="Count"/>, where the rollups go by the caller's days.</summary>
    internal static async Task<IReadOnlyList<GroupCounts>> FromRollups(Transaction<CaptureDbContext> tx, MetricsQuery query)
    {
        var granules = query.Period.Granules;
        var whole = granules.Where(granule => IsWhole(granule, query.Period.Granularity)).ToArray();
        var rest = granules.Except(whole).ToArray();
        var found = new List<GroupCounts>();
        if (whole.Length > 0)
        {
            found.AddRange(await Rows(tx, query, (short)query.Period.Granularity, whole[0].Start, whole[^1].End));
        }

        foreach (var part in rest)
        {
            var days = await Rows(tx, query, (short)Granularity.Day, part.Start, part.End);
            found.AddRange(days.Select(row => row with { Counts = row.Counts with { Visitors = 0 } }));
        }

        if (query.Wants("visitors") || query.Wants("visitor_to_lead_rate"))
        {
            foreach (var part in rest)
            {
                var index = query.Period.IndexOf(part.From);
                found.AddRange((await Sessions(tx, query.GroupBy, [part])).Select(row =>
                    new GroupCounts(index, row.Group, new RollupCounts(row.Counts.Visitors, 0, 0, 0, 0, 0, 0))));
            }
        }

        return Sum(found);
    }

    // A group that a change not yet added takes back counts nothing, which only the sum tells.
    private static GroupCounts[] Sum(IEnumerable<GroupCounts> rows)
    {
        var sums = new Dictionary<(int Granule, string Group), RollupCounts>();
        foreach (var row in rows)
        {
            var key = (row.Granule, row.Group);
            sums[key] = sums.GetValueOrDefault(key) + row.Counts;
        }

        return sums.Select(sum => new GroupCounts(sum.Key.Granule, sum.Key.Group, sum.Value)).ToArray();
    }

    private static bool IsWhole(Granule granule, Granularity granularity) => granularity switch
    {
        Granularity.Day => true,
        Granularity.Week => granule.Start.DayOfWeek == DayOfWeek.Monday && granule.End == granule.Start.AddDays(7),
        Granularity.Month => granule.Start.Day == 1 && granule.End == granule.Start.AddMonths(1),
        _ => false,
    };

    // By the key of the rollups: its columns before `value` are given. What is not yet added to them comes in rows of its own.
    private static async Task<IEnumerable<GroupCounts>> Rows(
        Transaction<CaptureDbContext> tx, MetricsQuery query, short granularity, DateOnly from, DateOnly to)
    {
        var rows = await tx.Connection.QueryAsync<Row>(
            """
            select start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads
            from metric_count
            where workspace_id = @workspace and granularity = @granularity and dimension = @dimension and start >= @from and start < @to
              and (visitors, sessions, page_views, leads) <> (0, 0, 0, 0)
            """,
            new { workspace = tx.WorkspaceId, granularity, dimension = query.GroupBy ?? "", from, to });
        return rows.Select(row => new GroupCounts(
            query.Period.IndexOf(row.Start),
            query.GroupBy is null ? "" : row.Value.Length == 0 ? CaptureMetrics.NotSet : row.Value,
            new(row.Visitors, row.Sessions, row.PageViews, row.Leads, row.FormLeads, row.CallLeads, row.ChatLeads)));
    }

    private static async Task<IEnumerable<GroupCounts>> Sessions(
        Transaction<CaptureDbContext> tx, string? groupBy, IReadOnlyList<Granule> granules)
    {
        var group = groupBy == RollupDimensions.LandingPage ? Page("landing_page") : Dimension(groupBy);
        var rows = await tx.Connection.QueryAsync<(int Granule, string Group, long Visitors, long Sessions, long PageViews)>(
            $"""
            select width_bucket(start_time, @starts) - 1, {group}, count(distinct visitor_id), count(*), coalesce(sum(page_views), 0)::bigint
            from session where workspace_id = @workspace and start_time >= @from and start_time < @to
            group by 1, 2
            """,
            Parameters(tx, granules));
        return rows.Select(row => new GroupCounts(row.Granule, row.Group, new(row.Visitors, row.Sessions, row.PageViews, 0, 0, 0, 0)));
    }

    private static async Task<IEnumerable<GroupCounts>> Leads(Transaction<CaptureDbContext> tx, MetricsQuery query)
    {
        var group = query.GroupBy switch
        {
            RollupDimensions.LandingPage => Page("first_touch ->> 'landingPage'"),
            RollupDimensions.CaptureType => "capture_type",
            RollupDimensions.FormType => $"coalesce(form_type, '{CaptureMetrics.NotSet}')",
            var dimension => Dimension(dimension),
        };
        var rows = await tx.Connection.QueryAsync<(int Granule, string Group, long Leads, long Form, long Call, long Chat)>(
            $"""
            select width_bucket(create_time, @starts) - 1, {group}, count(*), count(*) filter (where capture_type = 'FORM'),
              count(*) filter (where capture_type = 'CALL'), count(*) filter (where capture_type = 'CHAT')
            from lead where workspace_id = @workspace and create_time >= @from and create_time < @to
            group by 1, 2
            """,
            Parameters(tx, query.Period.Granules));
        return rows.Select(row => new GroupCounts(row.Granule, row.Group, new(0, 0, 0, row.Leads, row.Form, row.Call, row.Chat)));
    }

    private static object Parameters(Transaction<CaptureDbContext> tx, IReadOnlyList<Granule> granules) => new
    {
        workspace = tx.WorkspaceId,
        from = granules[0].From,
        to = granules[^1].To,
        starts = granules.Select(granule => granule.From).ToArray(),
    };

    // Column names come from the list of dimensions, never from the caller.
    private static string Dimension(string? name) => name is null ? "''" : $"coalesce(nullif({name}, ''), '{CaptureMetrics.NotSet}')";

    private static string Page(string url) =>
        $"coalesce(nullif(left(split_part(split_part({url}, '?', 1), '#', 1), {RollupDimensions.MaxPage}), ''), '{CaptureMetrics.NotSet}')";

    private sealed class Row
    {
        public DateOnly Start { get; init; }

        public required string Value { get; init; }

        public long Visitors { get; init; }

        public long Sessions { get; init; }

        public long PageViews { get; init; }

        public long Leads { get; init; }

        public long FormLeads { get; init; }

        public long CallLeads { get; init; }

        public long ChatLeads { get; init; }
    }
}
