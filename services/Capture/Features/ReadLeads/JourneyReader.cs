using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Npgsql;

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

        var ids = new { workspace = tx.WorkspaceId, lead = lead.Id, limit = MaxSessions };
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

        var seen = await Look(tx, lead.Id);
        var touches = sessions.Select(VisitStore.ToTouch).ToList();
        if (lead.ToldTouch is { } told)
        {
            touches.Add(told);
        }

        return new Journey
        {
            LeadId = lead.Id.ToString(),
            Sessions = { sessions.Select(session => ToProto(session, seen.Pages.GetValueOrDefault(session.Id, []))) },
            Touches = { touches.OrderBy(touch => touch.Time).Select(touch => touch.ToProto()) },
            FirstTouch = lead.FirstTouchOrUnknown.ToProto(),
            LastTouch = lead.LastTouchOrUnknown.ToProto(),
            SessionCount = sessionCount,
            ActivityCount = seen.Count,
            FirstActivityTime = seen.First?.ToProto(),
            LastActivityTime = seen.Last?.ToProto(),
        };
    }, ct);

    private static Session ToProto(StoredSession session, Dictionary<string, DateTimeOffset> pages) => new()
    {
        Id = session.Id.ToString(),
        VisitorId = session.VisitorId.ToString(),
        StartTime = session.Session.Start.ToProto(),
        EndTime = session.Session.End.ToProto(),
        Touch = VisitStore.ToTouch(session).ToProto(),
        PageViews = session.Session.PageViews,
        ActivityCount = session.Session.Activities,
        ChannelRules = session.Session.Source.Rules ?? "",
        Pages = { pages.OrderBy(page => page.Value).Take(MaxPages).Select(page => page.Key) },
    };

    private static async Task<(StoredSession First, int Count)> First(Transaction<CaptureDbContext> tx, object ids)
    {
        var first = await tx.Connection.QuerySingleAsync<SessionColumns>(
            $"""
            select {VisitStore.SessionColumnList} from session s where s.workspace_id = @workspace and s.lead_id = @lead order by s.start_time, s.id limit 1
            """,
            ids);
        return (first.ToSession(), await tx.Connection.QuerySingleAsync<int>(
            "select count(*)::int from session where workspace_id = @workspace and lead_id = @lead", ids));
    }

    // One look at the activities tells the pages of each session and what there is in all. Grouping here is several times cheaper than in
    // Postgres.
    private static async Task<Seen> Look(Transaction<CaptureDbContext> tx, Guid leadId)
    {
        await using var command = new NpgsqlCommand(
            """
            select time, session_id, case when session_id is not null and type in ('PAGE', 'SCREEN') then url end
            from activity where workspace_id = $1 and lead_id = $2
            """, tx.Connection)
        { Parameters = { new() { Value = tx.WorkspaceId }, new() { Value = leadId } } };
        await using var reader = await command.ExecuteReaderAsync(tx.CancellationToken);
        var (count, first, last) = (0, (DateTimeOffset?)null, (DateTimeOffset?)null);
        var pages = new Dictionary<Guid, Dictionary<string, DateTimeOffset>>();
        while (await reader.ReadAsync(tx.CancellationToken))
        {
            var time = reader.GetFieldValue<DateTimeOffset>(0);
            count++;
            first = first < time ? first : time;
            last = last > time ? last : time;
            if (!reader.IsDBNull(2))
            {
                var (session, url) = (reader.GetGuid(1), reader.GetString(2));
                if (!pages.TryGetValue(session, out var seen))
                {
                    pages[session] = seen = [];
                }

                seen[url] = seen.TryGetValue(url, out var earlier) && earlier < time ? earlier : time;
            }
        }

        return new(count, first, last, pages);
    }

    /// <param name="Count">Activities in all.</param>
    /// <param name="First">Time of the first; null without any.</param>
    /// <param name="Last">Time of the last.</param>
    /// <param name="Pages">Pages of each session, each with when it was first seen.</param>
    private sealed record Seen(
        int Count, DateTimeOffset? First, DateTimeOffset? Last, Dictionary<Guid, Dictionary<string, DateTimeOffset>> Pages);
}
