using Dapper;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Takes out the visits of anonymous visitors whose behaviour shows that they are robots.</summary>
internal static class RobotVisits
{
    /// <summary>
    /// All that the devices did becomes hits of a bot at the times at which it was done, their sessions and activities go, and until the
    /// given time whatever else they send is counted as such hits. A device on which a person was named is left alone: nobody's history is
    /// deleted on a guess.
    /// </summary>
    public static async Task Remove(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> visitors, DateTimeOffset until)
    {
        await tx.Flush();
        var robots = (await tx.Connection.QueryAsync<Guid>(
            """
            update visitor set bot_until = @until, last_session_id = null
            where workspace_id = @workspace and id = any(@visitors) and lead_id is null and bot_until is distinct from @human returning id
            """,
            new { workspace = tx.WorkspaceId, visitors = visitors.ToArray(), until, human = StoredVisitor.Human })).ToArray();
        var sessions = (await tx.Connection.QueryAsync<SessionColumns>(
            $"select {VisitStore.SessionColumnList} from session s where s.workspace_id = @workspace and s.visitor_id = any(@robots)",
            new { workspace = tx.WorkspaceId, robots })).Select(row => row.ToSession());
        var changes = new VisitChanges();
        foreach (var session in sessions)
        {
            changes.Changed.Add((new(session.VisitorId, "", null, session.Session.End, null), session, null));
        }

        var rollups = await RollupKeeping.Open(tx, new Dictionary<Guid, LeadFacts>());
        await rollups.AskAndCount(changes);
        rollups.Write([]);
        await tx.Connection.ExecuteAsync(
            """
            with visit as (delete from session where workspace_id = @workspace and visitor_id = any(@robots)),
            hit as (delete from activity where workspace_id = @workspace and visitor_id = any(@robots) returning *),
            kept as (
              insert into robot_activity (workspace_id, id, visitor_id, type, name, time, url, properties, source_kind, channel, source, medium, campaign, keyword,
                click_id, referrer_host, opens, identity_kind, identity_value)
              select workspace_id, id, visitor_id, type, name, time, url, properties, source_kind, channel, source, medium, campaign, keyword,
                click_id, referrer_host, opens, identity_kind, identity_value from hit)
            insert into hit_count (workspace_id, bucket, kind, detail, hits)
            select @workspace, date_bin('15 minutes', time, '2000-01-01T00:00:00Z'), 'bot', @name, count(*) from hit group by 2
            on conflict (workspace_id, bucket, kind, detail) do update set hits = hit_count.hits + excluded.hits
            """,
            new { workspace = tx.WorkspaceId, robots, name = BotPolicy.Name });
    }

    /// <summary>Keeps what robots' devices send, up to a bound for each.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="items">Messages by visitor.</param>
    /// <param name="most">Activities kept of one device.</param>
    public static async Task Keep(Transaction<CaptureDbContext> tx, ILookup<Guid, Item> items, int most)
    {
        var held = (await tx.Connection.QueryAsync<(Guid Visitor, int Count)>(
            "select visitor_id, count(*)::int from robot_activity where workspace_id = @workspace and visitor_id = any(@ids) group by 1",
            new { workspace = tx.WorkspaceId, ids = items.Select(group => group.Key).ToArray() }))
            .ToDictionary(row => row.Visitor, row => row.Count);
        VisitWriter.KeepRobots(
            tx,
            items.SelectMany(
                group => group.Take(Math.Max(most - held.GetValueOrDefault(group.Key), 0)),
                (group, item) => new NewActivity(item.Id, group.Key, null, null, item.Message)).ToArray());
    }
}
