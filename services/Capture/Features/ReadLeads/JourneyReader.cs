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

        var ids = new { workspace = tx.WorkspaceId, lead = lead.Id, limit = MaxSessions, pages = MaxPages };
        var sessions = (await tx.Connection.QueryAsync<SessionColumns>(
            $"""
            select {VisitStore.SessionColumnList} from session s where s.workspace_id = @workspace and s.lead_id = @lead
            order by s.start_time desc, s.id desc limit @limit
            """,
            ids)).Reverse().Select(row => row.ToSession()).ToArray();
        var sessionCount = sessions.Length;
        if (sessionCount == MaxSessions)
        {
            (sessions[0], sessionCount) = await First(tx, ids);
        }

        // One look at the activities tells the pages of each session and what there is in all.
        var seen = (await tx.Connection.QueryAsync<Seen>(
            """
            select session_id, sum(count)::int as count, min(first) as first, max(last) as last,
              (array_agg(url order by first) filter (where url is not null))[1:@pages] as pages
            from (
              select session_id, case when type in ('PAGE', 'SCREEN') then url end as url, count(*) as count, min(time) as first, max(time) as last
              from activity where workspace_id = @workspace and lead_id = @lead group by 1, 2) by_page
            group by session_id
            """,
            ids)).AsList();
        var pages = seen.Where(row => row.SessionId is not null).ToDictionary(row => row.SessionId!.Value, row => row.Pages ?? []);
        var touches = sessions.Select(VisitStore.ToTouch).ToList();
        if (lead.ToldTouch is { } told)
        {
            touches.Add(told);
        }

        return new Journey
        {
            LeadId = lead.Id.ToString(),
            Sessions = { sessions.Select(session => ToProto(session, pages.GetValueOrDefault(session.Id, []))) },
            Touches = { touches.OrderBy(touch => touch.Time).Select(touch => touch.ToProto()) },
            FirstTouch = lead.FirstTouchOrUnknown.ToProto(),
            LastTouch = lead.LastTouchOrUnknown.ToProto(),
            SessionCount = sessionCount,
            ActivityCount = seen.Sum(row => row.Count),
            FirstActivityTime = seen.Count == 0 ? null : seen.Min(row => row.First).ToProto(),
            LastActivityTime = seen.Count == 0 ? null : seen.Max(row => row.Last).ToProto(),
        };
    }, ct);

    private static Session ToProto(StoredSession session, string[] pages) => new()
    {
        Id = session.Id.ToString(),
        VisitorId = session.VisitorId.ToString(),
        StartTime = session.Session.Start.ToProto(),
        EndTime = session.Session.End.ToProto(),
        Touch = VisitStore.ToTouch(session).ToProto(),
        PageViews = session.Session.PageViews,
        ActivityCount = session.Session.Activities,
        ChannelRules = session.Session.Source.Rules ?? "",
        Pages = { pages },
    };

    private static async Task<(StoredSession First, int Count)> First(Transaction<CaptureDbContext> tx, object ids)
    {
        var first = await tx.Connection.QuerySingleAsync<SessionColumns>(
            $"""
            select {VisitStore.SessionColumnList} from session s where s.workspace_id = @workspace and s.lead_id = @lead order by s.start_time, s.id limit 1
            """,
            ids);
        return (first.ToSession(), await tx.Connection.QuerySingleAsync<int>("select count(*)::int from session where workspace_id = @workspace and lead_id = @lead", ids));
    }

    private sealed class Seen
    {
        public Guid? SessionId { get; init; }

        public int Count { get; init; }

        public DateTimeOffset First { get; init; }

        public DateTimeOffset Last { get; init; }

        // In order of first sight; null without a page.
        public string[]? Pages { get; init; }
    }
}
