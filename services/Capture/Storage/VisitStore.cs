using Dapper;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Capture.Storage;

/// <summary>Reads visitors, sessions and activities.</summary>
internal static class VisitStore
{
    /// <summary>Most activities of one visitor that are cut into sessions anew; older ones stay as they are.</summary>
    public const int MaxHistory = 20_000;

    internal const string SessionColumnList =
        "s.id, s.visitor_id, s.lead_id, s.start_time, s.end_time, s.source_kind, s.channel, s.source, s.medium, s.campaign, s.keyword, s.click_id, s.referrer_host, s.channel_rules, s.landing_page, s.exit_page, s.page_views, s.activities";

    private const int VisitorWidth = 5;
    private const int SessionWidth = 18;

    private const string VisitorColumnList =
        $"v.id as visitor, v.anonymous_id, v.lead_id as last_lead, v.last_time, v.bot_until, {SessionColumnList}";

    private const string VisitorsByDevice =
        $"""
        from unnest($2) as k(id)
        cross join lateral (select * from visitor where workspace_id = $1 and anonymous_id = k.id offset 0) v {LatestSession}
        """;

    /// <summary>Asks for visitors, each with the latest session and the lead; $1 is the workspace, $2 device ids.</summary>
    internal const string ByDevice =
        $"""
        select {VisitorColumnList}, l.* {VisitorsByDevice}
        left join lateral (
          select {LeadStore.Columns} from lead where workspace_id = $1 and id = v.lead_id and erase_time is null offset 0) l on true
        """;

    private const string ById =
        $"""
        select {VisitorColumnList} from unnest($2) as k(id)
        cross join lateral (select * from visitor where workspace_id = $1 and id = k.id offset 0) v {LatestSession}
        """;

    private const string LatestSession =
        "left join lateral (select * from session where workspace_id = $1 and id = v.last_session_id offset 0) s on true";

    /// <summary>Visitors by the sender's device id.</summary>
    public static Task<Dictionary<string, StoredVisitor>> Load(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<string> anonymousIds) =>
        Load(
            tx, $"select {VisitorColumnList} {VisitorsByDevice}", Bulk.Array(NpgsqlDbType.Text, anonymousIds.ToArray()),
            anonymousIds.Count);

    public static Task<Dictionary<string, StoredVisitor>> Load(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> ids) =>
        Load(tx, ById, Bulk.Array(NpgsqlDbType.Uuid, ids.ToArray()), ids.Count);

    /// <summary>Visitors whose past messages named one of the keys.</summary>
    public static async Task<IReadOnlyList<Guid>> WithKeys(Transaction<CaptureDbContext> tx, IReadOnlyCollection<IdentityKey> keys) =>
        keys.Count == 0 ? [] : (await tx.Connection.QueryAsync<Guid>(
            """
            select distinct a.visitor_id
            from unnest(@kinds, @values) as k(kind, value)
            join activity a on a.workspace_id = @workspace and a.identity_kind = k.kind and a.identity_value = k.value
            where a.visitor_id is not null
            """,
            new
            {
                workspace = tx.WorkspaceId,
                kinds = keys.Select(key => key.Kind).ToArray(),
                values = keys.Select(key => key.Value).ToArray()
            })).ToArray();

    /// <summary>Session of each visitor that was running at, or was the last before, a time.</summary>
    public static async Task<Dictionary<Guid, StoredSession>> SessionsAt(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<(Guid Visitor, DateTimeOffset Time)> times) =>
        times.Count == 0 ? [] : (await tx.Connection.QueryAsync<SessionColumns>(
            $"""
            select {SessionColumnList}
            from unnest(@visitors, @times) as t(visitor_id, time)
            cross join lateral (
              select * from session s where s.workspace_id = @workspace and s.visitor_id = t.visitor_id and s.start_time <= t.time
              order by s.start_time desc limit 1) s
            """,
            new
            {
                workspace = tx.WorkspaceId,
                visitors = times.Select(time => time.Visitor).ToArray(),
                times = times.Select(time => time.Time).ToArray()
            }))
            .Select(row => row.ToSession()).ToDictionary(session => session.VisitorId);

    /// <summary>
    /// Sessions and activities of visitors from a time on; who is named by an activity's own message is looked up now, and where it came
    /// from is read by the rules of now.
    /// </summary>
    public static async Task<(ILookup<Guid, StoredSession> Sessions, ILookup<Guid, StoredActivity> Activities)> History(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<(Guid Visitor, DateTimeOffset From)> windows,
        Func<IdentityKey, Guid?> ownerOf, SourceReader sources)
    {
        if (windows.Count == 0)
        {
            return (Array.Empty<StoredSession>().ToLookup(session => session.VisitorId), Array.Empty<StoredActivity>().ToLookup(
                activity => activity.VisitorId));
        }

        var visitors = windows.Select(window => window.Visitor).ToArray();
        var times = windows.Select(window => window.From).ToArray();
        var (sessions, activities) = (new List<StoredSession>(), new List<StoredActivity>());
        tx.Ask(
            new(
                $"""
                select {SessionColumnList}
                from unnest($2, $3) as t(visitor_id, time)
                join session s on s.workspace_id = $1 and s.visitor_id = t.visitor_id and s.start_time >= t.time
                """)
            {
                Parameters =
                    { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, visitors), Bulk.Array(NpgsqlDbType.TimestampTz, times) },
            },
            async rows => sessions = await ReadSessions(rows, tx.CancellationToken));
        tx.Ask(
            new(
                """
                select a.id, a.visitor_id, a.session_id, a.lead_id, a.type, a.time, a.url, a.source_kind, a.channel, a.source, a.medium, a.campaign,
                  a.keyword, a.click_id, a.referrer_host, a.opens, a.identity_kind, a.identity_value, i.lead_id as named_lead_id
                from unnest($2, $3, $4) as t(visitor_id, time, first_id)
                cross join lateral (
                  select * from activity a
                  where a.workspace_id = $1 and a.visitor_id = t.visitor_id and a.time >= t.time and a.id >= t.first_id
                  order by a.time desc limit $5) a
                left join lead_identity i on i.workspace_id = $1 and i.kind = a.identity_kind and i.value = a.identity_value
                """)
            {
                Parameters =
                {
                    Bulk.Value(tx.WorkspaceId),
                    Bulk.Array(NpgsqlDbType.Uuid, visitors),
                    Bulk.Array(NpgsqlDbType.TimestampTz, times),
                    // Leaves out the months before.
                    Bulk.Array(NpgsqlDbType.Uuid, windows.Select(window => Partitions.FirstId(window.From)).ToArray()),
                    Bulk.Value(MaxHistory),
                },
            },
            async rows =>
            {
                var parse = rows.GetRowParser<ActivityColumns>();
                while (await rows.ReadAsync(tx.CancellationToken))
                {
                    activities.Add(parse(rows).ToActivity(ownerOf, sources));
                }
            });
        await tx.Flush();
        return (sessions.ToLookup(session => session.VisitorId), activities.ToLookup(activity => activity.VisitorId));
    }

    /// <summary>First and last touch of leads by their sessions; null for a lead without any.</summary>
    public static async Task<Dictionary<Guid, (Touch? First, Touch? Last)>> Touches(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> leads)
    {
        var found = AskTouches(tx, leads);
        await tx.Flush();
        return found;
    }

    /// <summary>As <see cref="Touches"/>, known after the next flush.</summary>
    public static Dictionary<Guid, (Touch? First, Touch? Last)> AskTouches(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> leads)
    {
        var found = leads.ToDictionary(lead => lead, _ => default((Touch? First, Touch? Last)));
        void Ask(string direction, Action<Guid, Touch> note) => tx.Ask(
            new(
                $"""
                select {SessionColumnList}
                from unnest($2) as l(id)
                cross join lateral (
                  select * from session s where s.workspace_id = $1 and s.lead_id = l.id order by s.start_time {direction}, s.id {direction} limit 1) s
                """)
            {
                Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, leads.ToArray()) },
            },
            async rows =>
            {
                foreach (var session in await ReadSessions(rows, tx.CancellationToken))
                {
                    note(session.Session.Lead!.Value, ToTouch(session));
                }
            });

        if (leads.Count > 0)
        {
            Ask("asc", (lead, touch) => found[lead] = (touch, found[lead].Last));
            Ask("desc", (lead, touch) => found[lead] = (found[lead].First, touch));
        }

        return found;
    }

    /// <summary>Those of the sessions that are not stored.</summary>
    public static async Task<IReadOnlySet<Guid>> Missing(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> sessions) =>
        sessions.Count == 0 ? new HashSet<Guid>() : (await tx.Connection.QueryAsync<Guid>(
            """
            select i.id from unnest(@ids) as i(id)
            where not exists (select 1 from session s where s.workspace_id = @workspace and s.id = i.id)
            """,
            new { workspace = tx.WorkspaceId, ids = sessions.ToArray() })).ToHashSet();

    public static Touch ToTouch(StoredSession session)
    {
        var (visit, source) = (session.Session, session.Session.Source);
        return new(
            source.Channel, source.Source, source.Medium, source.Campaign, source.Keyword, visit.LandingPage, source.ClickId,
            visit.Start, session.Id);
    }

    /// <summary>Reads rows of <see cref="SessionColumnList"/>.</summary>
    public static async Task<List<StoredSession>> ReadSessions(NpgsqlDataReader rows, CancellationToken ct)
    {
        var sessions = new List<StoredSession>();
        var parse = rows.GetRowParser<SessionColumns>();
        while (await rows.ReadAsync(ct))
        {
            sessions.Add(parse(rows).ToSession());
        }

        return sessions;
    }

    /// <summary>Reads the rows of <see cref="ByDevice"/>.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="leads">Gets the leads; null where they were not asked for.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<Dictionary<string, StoredVisitor>> ReadVisitors(
        NpgsqlDataReader rows, Dictionary<Guid, Lead>? leads, CancellationToken ct)
    {
        var found = new Dictionary<string, StoredVisitor>(StringComparer.Ordinal);
        var parseVisitor = rows.GetRowParser<VisitorColumns>(length: VisitorWidth);
        var parseSession = rows.GetRowParser<SessionColumns>(startIndex: VisitorWidth, length: SessionWidth);
        var readLead = leads is null ? null : LeadStore.LeadsOf(rows, VisitorWidth + SessionWidth, leads);
        while (await rows.ReadAsync(ct))
        {
            var visitor = parseVisitor(rows);
            found[visitor.AnonymousId] = new(
                visitor.Visitor, visitor.AnonymousId, visitor.LastLead, visitor.LastTime,
                rows.IsDBNull(VisitorWidth) ? null : parseSession(rows).ToSession())
            {
                BotUntil = visitor.BotUntil,
            };
            readLead?.Invoke();
        }

        return found;
    }

    private static async Task<Dictionary<string, StoredVisitor>> Load(
        Transaction<CaptureDbContext> tx, string sql, NpgsqlParameter keys, int count)
    {
        if (count == 0)
        {
            return new(StringComparer.Ordinal);
        }

        await using var command = new NpgsqlCommand(sql, tx.Connection) { Parameters = { Bulk.Value(tx.WorkspaceId), keys } };
        await using var rows = await command.ExecuteReaderAsync(tx.CancellationToken);
        return await ReadVisitors(rows, leads: null, tx.CancellationToken);
    }

    private sealed class VisitorColumns
    {
        public Guid Visitor { get; init; }

        public required string AnonymousId { get; init; }

        public Guid? LastLead { get; init; }

        public DateTimeOffset LastTime { get; init; }

        public DateTimeOffset? BotUntil { get; init; }
    }

    private sealed class ActivityColumns
    {
        public Guid Id { get; init; }

        public Guid VisitorId { get; init; }

        public Guid? SessionId { get; init; }

        public Guid? LeadId { get; init; }

        public required string Type { get; init; }

        public DateTimeOffset Time { get; init; }

        public string? Url { get; init; }

        public short SourceKind { get; init; }

        public string? Channel { get; init; }

        public string? Source { get; init; }

        public string? Medium { get; init; }

        public string? Campaign { get; init; }

        public string? Keyword { get; init; }

        public string? ClickId { get; init; }

        public string? ReferrerHost { get; init; }

        public bool Opens { get; init; }

        public string? IdentityKind { get; init; }

        public string? IdentityValue { get; init; }

        public Guid? NamedLeadId { get; init; }

        public StoredActivity ToActivity(Func<IdentityKey, Guid?> ownerOf, SourceReader sources)
        {
            var stored = new TrafficSource((EvidenceKind)SourceKind, Channel ?? "", Source, Medium, Campaign, Keyword, ClickId)
            {
                ReferrerHost = ReferrerHost
            };
            var source = sources.Reread(stored, Url);
            var named = NamedLeadId ?? (IdentityKind is null ? null : ownerOf(new(IdentityKind, IdentityValue!)));
            return new(
                VisitorId, new(Id, Time, Type is ActivityTypes.Page or ActivityTypes.Screen, Url, source, Opens, named), SessionId, LeadId,
                Observations.Tells(Type, IdentityKind));
        }
    }
}
