using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ReadLeads;

/// <summary>Reads how a lead came and came back.</summary>
internal sealed class JourneyReader(UnitOfWork<CaptureDbContext> work)
{
    /// <summary>Most sessions shown: the first and the latest.</summary>
    public const int MaxSessions = 1000;

    private const int MaxPages = 50;

    public Task<Result<Journey>> Get(Caller caller, Guid id, CancellationToken ct) => work.Read(caller.WorkspaceId, async tx =>
    {
        if (await LeadStore.Find(tx, id) is not { } lead)
        {
            return (Result<Journey>)Error.NotFound("Lead", id);
        }

        var ids = new { workspace = tx.WorkspaceId, lead = lead.Id, limit = MaxSessions - 1 };
        var sessions = (await tx.Connection.QueryAsync<SessionColumns>(
            $"""
            (select {VisitStore.SessionColumnList} from session s where s.workspace_id = @workspace and s.lead_id = @lead order by s.start_time limit 1)
            union
            (select {VisitStore.SessionColumnList} from session s where s.workspace_id = @workspace and s.lead_id = @lead order by s.start_time desc limit @limit)
            order by start_time, id
            """,
            ids)).Select(row => row.ToSession()).ToArray();
        var pages = (await tx.Connection.QueryAsync<(Guid Session, string Url)>(
            """
            select session_id, url from activity
            where workspace_id = @workspace and lead_id = @lead and session_id = any(@sessions) and type in ('PAGE', 'SCREEN') and url is not null
            group by session_id, url order by min(time)
            """,
            new { workspace = tx.WorkspaceId, lead = lead.Id, sessions = sessions.Select(session => session.Id).ToArray() })).ToLookup(row => row.Session, row => row.Url);
        var totals = await tx.Connection.QuerySingleAsync<Totals>(
            """
            select (select count(*) from session where workspace_id = @workspace and lead_id = @lead)::int as sessions, count(*)::int as activities,
              min(time) as first, max(time) as last
            from activity where workspace_id = @workspace and lead_id = @lead
            """,
            ids);
        var touches = sessions.Select(VisitStore.ToTouch).ToList();
        if (lead.ToldTouch is { } told)
        {
            touches.Add(told);
        }

        return new Journey
        {
            LeadId = lead.Id.ToString(),
            Sessions = { sessions.Select(session => ToProto(session, pages[session.Id])) },
            Touches = { touches.OrderBy(touch => touch.Time).Select(touch => touch.ToProto()) },
            FirstTouch = lead.FirstTouchOrUnknown.ToProto(),
            LastTouch = lead.LastTouchOrUnknown.ToProto(),
            SessionCount = totals.Sessions,
            ActivityCount = totals.Activities,
            FirstActivityTime = totals.First.ToProto(),
            LastActivityTime = totals.Last.ToProto(),
        };
    }, ct);

    private static Session ToProto(StoredSession session, IEnumerable<string> pages) => new()
    {
        Id = session.Id.ToString(),
        VisitorId = session.VisitorId.ToString(),
        StartTime = session.Session.Start.ToProto(),
        EndTime = session.Session.End.ToProto(),
        Touch = VisitStore.ToTouch(session).ToProto(),
        PageViews = session.Session.PageViews,
        ActivityCount = session.Session.Activities,
        ChannelRules = session.Session.Source.Rules ?? "",
        Pages = { pages.Take(MaxPages) },
    };

    private sealed class Totals
    {
        public int Sessions { get; init; }

        public int Activities { get; init; }

        public DateTimeOffset? First { get; init; }

        public DateTimeOffset? Last { get; init; }
    }
}
