using Dapper;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Capture.Storage;

/// <summary>
/// Keeps and rebuilds the counts by day, week and month. They are kept in the transaction of the change, under the workspace's lock; a
/// workspace whose state says nothing has none, and is counted from its sessions and leads until a rebuild.
/// </summary>
internal static class RollupStore
{
    private const int RowsAtOnce = 5_000;

    private static readonly Func<RollupCounts, long>[] Counts =
    [
        counts => counts.Visitors, counts => counts.Sessions, counts => counts.PageViews, counts => counts.Leads,
        counts => counts.FormLeads, counts => counts.CallLeads, counts => counts.ChatLeads,
    ];

    // Sessions lie in the month of their id, which is that of their start but for a few that late messages moved: a month more on either
    // side.
    private static readonly TimeSpan Slack = TimeSpan.FromDays(31);

    // A week and a month reach no further than this from any session in them.
    private static readonly TimeSpan Reach = TimeSpan.FromDays(32);

    /// <summary>
    /// Zone by which the workspace's rollups are kept; null when they are not. The first writer of an empty workspace begins them, in the
    /// zone known by then.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="held">What <see cref="Held"/> answers, where it was read already.</param>
    public static async Task<TimeZoneInfo?> Zone(Transaction<CaptureDbContext> tx, string? held = null)
    {
        var zone = held ?? await Held(tx) ?? await tx.Connection.QuerySingleOrDefaultAsync<string>(
            """
            insert into rollup_state (workspace_id, time_zone)
            select @workspace, coalesce((select time_zone from workspace where id = @workspace), 'UTC')
            where not exists (select 1 from lead where workspace_id = @workspace) and not exists (select 1 from session where workspace_id = @workspace)
            returning time_zone
            """,
            new { workspace = tx.WorkspaceId });
        return zone is null ? null : TimeZoneInfo.FindSystemTimeZoneById(zone);
    }

    /// <summary>Name of the zone by which the rollups are kept; null when they are not.</summary>
    public static async Task<string?> Held(Transaction<CaptureDbContext> tx)
    {
        await using var command = new NpgsqlCommand(HeldZone, tx.Connection) { Parameters = { Bulk.Value(tx.WorkspaceId) } };
        return (string?)await command.ExecuteScalarAsync(tx.CancellationToken);
    }

    /// <summary>Asks for it; $1 is the workspace.</summary>
    internal const string HeldZone = "select time_zone from rollup_state where workspace_id = $1";

    /// <summary>
    /// Says that the counts hold no longer, after sessions or leads were changed past <see cref="RollupChange"/>. Reports are counted from
    /// the rows until the keeper has rebuilt.
    /// </summary>
    public static Task Invalidate(Transaction<CaptureDbContext> tx) =>
        tx.Connection.ExecuteAsync("delete from rollup_state where workspace_id = @workspace", new { workspace = tx.WorkspaceId });

    /// <summary>Asks for the stored sessions of visitors near the changed ones, those among them.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="windows">Visitors with the earliest and the latest start concerned; at least one.</param>
    /// <param name="found">Gets the sessions at the next flush.</param>
    public static void AskAround(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<(Guid Visitor, DateTimeOffset First, DateTimeOffset Last)> windows,
        Action<List<StoredSession>> found) =>
        tx.Ask(
            new(
                $"""
                select {VisitStore.SessionColumnList}
                from unnest($2, $3, $4, $5, $6) as w(visitor_id, from_time, to_time, first_id, last_id)
                join session s on s.workspace_id = $1 and s.visitor_id = w.visitor_id
                  and s.start_time >= w.from_time and s.start_time < w.to_time and s.id >= w.first_id and s.id < w.last_id
                """)
            {
                Parameters =
                {
                    Bulk.Value(tx.WorkspaceId),
                    Bulk.Array(NpgsqlDbType.Uuid, windows.Select(window => window.Visitor).ToArray()),
                    Bulk.Array(NpgsqlDbType.TimestampTz, windows.Select(window => window.First - Reach).ToArray()),
                    Bulk.Array(NpgsqlDbType.TimestampTz, windows.Select(window => window.Last + Reach).ToArray()),
                    Bulk.Array(NpgsqlDbType.Uuid, windows.Select(window => Partitions.FirstId(window.First - Reach - Slack)).ToArray()),
                    Bulk.Array(NpgsqlDbType.Uuid, windows.Select(window => Partitions.FirstId(window.Last + Reach + Slack)).ToArray()),
                },
            },
            async rows => found(await VisitStore.ReadSessions(rows, tx.CancellationToken)));

    /// <summary>
    /// Notes the change of the counts, before the commit; it counts from then on, and <see cref="Fold"/> adds it to the rollups.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="change">The change.</param>
    /// <param name="from">Periods that begin before are left as they are.</param>
    public static void Write(Transaction<CaptureDbContext> tx, RollupChange change, DateOnly from = default)
    {
        foreach (var cells in change.Cells.Where(cell => cell.Key.Start >= from).Chunk(RowsAtOnce))
        {
            var command = new NpgsqlBatchCommand(
                """
                insert into metric_change (workspace_id, id, granularities, dimensions, starts, group_values, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                """);
            command.Parameters.Add(Bulk.Value(tx.WorkspaceId));
            command.Parameters.Add(Bulk.Value(tx.NewId()));
            command.Parameters.Add(Bulk.Array(NpgsqlDbType.Smallint, Array.ConvertAll(cells, cell => (short)cell.Key.Granularity)));
            command.Parameters.Add(Bulk.Array(NpgsqlDbType.Text, Array.ConvertAll(cells, cell => cell.Key.Dimension)));
            command.Parameters.Add(Bulk.Array(NpgsqlDbType.Date, Array.ConvertAll(cells, cell => cell.Key.Start)));
            command.Parameters.Add(Bulk.Array(NpgsqlDbType.Text, Array.ConvertAll(cells, cell => cell.Key.Value)));
            foreach (var count in Counts)
            {
                command.Parameters.Add(Bulk.Array(NpgsqlDbType.Bigint, Array.ConvertAll(cells, cell => count(cell.Value))));
            }

            tx.Closing.BatchCommands.Add(command);
        }
    }

    /// <summary>Whether <see cref="Fold"/> has something to do.</summary>
    public static Task<bool> HasChanges(Transaction<CaptureDbContext> tx) => tx.Connection.ExecuteScalarAsync<bool>(
        "select exists (select 1 from metric_change where workspace_id = @workspace)", new { workspace = tx.WorkspaceId });

    /// <summary>Adds the changes noted by past transactions to the rollups. Readers see the same counts before and after.</summary>
    /// <returns>Changes added.</returns>
    public static async Task<int> Fold(Transaction<CaptureDbContext> tx)
    {
        // One at a time: two would wait for each other's rows.
        await using var batch = new NpgsqlBatch(tx.Connection)
        {
            BatchCommands =
            {
                new("select pg_advisory_xact_lock(hashtextextended('capture.rollups/' || $1, 0))")
                {
                    Parameters = { Bulk.Value(tx.WorkspaceId.ToString()) }
                },
                new(
                    """
                    with taken as (delete from metric_change where workspace_id = $1 returning *),
                    cell as (
                      select c.granularity, c.dimension, c.start, c.value, sum(c.visitors) as visitors, sum(c.sessions) as sessions,
                        sum(c.page_views) as page_views, sum(c.leads) as leads, sum(c.form_leads) as form_leads, sum(c.call_leads) as call_leads,
                        sum(c.chat_leads) as chat_leads
                      from taken t cross join lateral unnest(
                        t.granularities, t.dimensions, t.starts, t.group_values, t.visitors, t.sessions, t.page_views, t.leads, t.form_leads, t.call_leads, t.chat_leads)
                        as c(granularity, dimension, start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads)
                      group by c.granularity, c.dimension, c.start, c.value),
                    folded as (
                      insert into metric_rollup (workspace_id, granularity, dimension, start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads)
                      select $1, granularity, dimension, start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads from cell
                      on conflict (workspace_id, granularity, dimension, start, value) do update set
                        visitors = metric_rollup.visitors + excluded.visitors, sessions = metric_rollup.sessions + excluded.sessions,
                        page_views = metric_rollup.page_views + excluded.page_views, leads = metric_rollup.leads + excluded.leads,
                        form_leads = metric_rollup.form_leads + excluded.form_leads, call_leads = metric_rollup.call_leads + excluded.call_leads,
                        chat_leads = metric_rollup.chat_leads + excluded.chat_leads)
                    select count(*)::int from taken
                    """) { Parameters = { Bulk.Value(tx.WorkspaceId) } },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(tx.CancellationToken);
        await reader.NextResultAsync(tx.CancellationToken);
        await reader.ReadAsync(tx.CancellationToken);
        return reader.GetInt32(0);
    }

    /// <summary>
    /// Counts everything anew from the sessions and leads held, in a zone. Writers of the workspace wait meanwhile; memory is that of the
    /// counts.
    /// </summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="timeZone">Zone by whose days to count.</param>
    /// <param name="retentionMonths">
    /// See <see cref="CaptureOptions.RetentionMonths"/>: periods that began before keep the counts they have.
    /// </param>
    /// <returns>Sessions and leads counted.</returns>
    public static async Task<(long Sessions, long Leads)> Rebuild(
        Transaction<CaptureDbContext> tx, TimeZoneInfo timeZone, int retentionMonths)
    {
        await LeadStore.Lock(tx);
        await Fold(tx);
        var from = retentionMonths == 0 ? default : Partitions.MonthOf(tx.Now.AddMonths(-retentionMonths)).AddDays(1);
        await tx.Connection.ExecuteAsync(
            "delete from metric_rollup where workspace_id = @workspace and start >= @from",
            new { workspace = tx.WorkspaceId, from }, commandTimeout: 0);
        var change = new RollupChange(timeZone);
        var sessions = await CountSessions(tx, change);
        var leads = await CountLeads(tx, change);
        Write(tx, change, from);
        await tx.Connection.ExecuteAsync(
            """
            insert into rollup_state (workspace_id, time_zone) values (@workspace, @zone)
            on conflict (workspace_id) do update set time_zone = excluded.time_zone
            """,
            new { workspace = tx.WorkspaceId, zone = timeZone.Id });
        return (sessions, leads);
    }

    private static async Task<long> CountSessions(Transaction<CaptureDbContext> tx, RollupChange change)
    {
        var count = 0L;
        var (visitor, visits) = (Guid.Empty, new List<VisitSession>());
        await using var command = Streaming(
            tx, $"select {VisitStore.SessionColumnList} from session s where s.workspace_id = $1 order by s.visitor_id");
        await using var reader = await command.ExecuteReaderAsync(tx.CancellationToken);
        var parse = reader.GetRowParser<SessionColumns>();
        while (await reader.ReadAsync(tx.CancellationToken))
        {
            var row = parse(reader).ToSession();
            if (row.VisitorId != visitor)
            {
                change.Visitor([], visits);
                visitor = row.VisitorId;
                visits.Clear();
            }

            change.Session(null, row.Session);
            visits.Add(row.Session);
            count++;
        }

        change.Visitor([], visits);
        return count;
    }

    private static async Task<long> CountLeads(Transaction<CaptureDbContext> tx, RollupChange change)
    {
        var count = 0L;
        await using var command = Streaming(
            tx,
            """
            select create_time, capture_type, form_type, channel, source, medium, campaign, keyword, first_touch ->> 'landingPage' as landing_page
            from lead where workspace_id = $1
            """);
        await using var reader = await command.ExecuteReaderAsync(tx.CancellationToken);
        var parse = reader.GetRowParser<LeadColumns>();
        while (await reader.ReadAsync(tx.CancellationToken))
        {
            change.Lead(null, parse(reader).ToFacts());
            count++;
        }

        return count;
    }

    private static NpgsqlCommand Streaming(Transaction<CaptureDbContext> tx, string sql) => new(sql, tx.Connection)
    {
        CommandTimeout = 0,
        Parameters = { new NpgsqlParameter<Guid> { TypedValue = tx.WorkspaceId } },
    };

    private sealed class LeadColumns
    {
        public DateTimeOffset CreateTime { get; init; }

        public required string CaptureType { get; init; }

        public string? FormType { get; init; }

        public required string Channel { get; init; }

        public string? Source { get; init; }

        public string? Medium { get; init; }

        public string? Campaign { get; init; }

        public string? Keyword { get; init; }

        public string? LandingPage { get; init; }

        public LeadFacts ToFacts() => new(
            CreateTime, CaptureType, FormType, new Touch(Channel, Source, Medium, Campaign, Keyword, LandingPage, null, CreateTime, null));
    }
}
