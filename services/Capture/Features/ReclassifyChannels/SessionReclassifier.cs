using Dapper;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.ReclassifyChannels;

/// <summary>
/// Reads the sources of stored sessions anew. Where a session begins stays as it is; what changes is where it came from, and with it the
/// first and last touches of leads.
/// </summary>
internal static class SessionReclassifier
{
    /// <summary>The run after one batch; null when no session is left behind the cursor.</summary>
    public static async Task<StoredReclassification?> Step(
        Transaction<CaptureDbContext> tx, StoredReclassification run, SourceReader sources, int limit)
    {
        // Walks the index on the start; on the first pass every row qualifies, on the last none.
        var sessions = (await tx.Connection.QueryAsync<SessionColumns>(
            $"""
            select {VisitStore.SessionColumnList} from session s
            where s.workspace_id = @workspace and s.channel_rules is distinct from @rules and s.start_time >= @time and (s.start_time, s.id) > (@time, @id)
            order by s.start_time, s.id limit @limit
            """,
            new
            {
                workspace = tx.WorkspaceId,
                rules = sources.Version,
                time = run.CursorTime ?? DateTimeOffset.UnixEpoch,
                id = run.CursorId ?? Guid.Empty,
                limit
            }))
            .Select(row => row.ToSession()).ToArray();
        if (sessions.Length == 0)
        {
            return null;
        }

        var read = sessions.Select(
            session => (Before: session, Now: sources.Reread(session.Session.Source, session.Session.LandingPage))).ToArray();
        var changed =
            read.Where(item => item.Now with { Rules = item.Before.Session.Source.Rules } != item.Before.Session.Source).ToArray();
        var facts = new Dictionary<Guid, LeadFacts>();
        var rollups = await RollupKeeping.Open(tx, facts);
        await rollups.AskAndCount(Changes(changed));
        await Write(tx, read);
        var concerned = changed.Select(item => item.Before.Session.Lead).OfType<Guid>().Distinct().ToArray();
        var leads = await LeadTouches.Renew(tx, concerned, _ => { }, rollups, facts);
        return run.After(sessions.Length, sessions[^1].Session.Start, sessions[^1].Id) with
        {
            ChangedSessions = run.ChangedSessions + changed.Length,
            ChangedLeads = run.ChangedLeads + leads,
        };
    }

    private static VisitChanges Changes(IEnumerable<(StoredSession Before, TrafficSource Now)> changed)
    {
        var changes = new VisitChanges();
        foreach (var (before, now) in changed)
        {
            // Only the visitor's id and latest session are asked for; any session says that there may be others near it.
            var visitor = new StoredVisitor(before.VisitorId, "", null, before.Session.End, before);
            changes.Changed.Add((visitor, before, before with { Session = before.Session with { Source = now } }));
        }

        return changes;
    }

    private static Task<int> Write(
        Transaction<CaptureDbContext> tx, (StoredSession Before, TrafficSource Now)[] read) => tx.Connection.ExecuteAsync(
        """
        update session s set source_kind = n.kind, channel = n.channel, source = n.source, medium = n.medium, channel_rules = n.rules
        from unnest(@ids, @starts, @kinds, @channels, @sources, @mediums, @rules) as n(id, start_time, kind, channel, source, medium, rules)
        where s.workspace_id = @workspace and s.id = n.id and s.start_time = n.start_time
        """,
        new
        {
            workspace = tx.WorkspaceId,
            ids = read.Select(item => item.Before.Id).ToArray(),
            starts = read.Select(item => item.Before.Session.Start).ToArray(),
            kinds = read.Select(item => (short)item.Now.Kind).ToArray(),
            channels = read.Select(item => item.Now.Channel).ToArray(),
            sources = read.Select(item => item.Now.Source).ToArray(),
            mediums = read.Select(item => item.Now.Medium).ToArray(),
            rules = read.Select(item => item.Now.Rules).ToArray(),
        });
}

/// <summary>Renews the first and last touches of leads whose sessions or told touches changed, and tells the other services.</summary>
internal static class LeadTouches
{
    /// <summary>How many leads changed.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="ids">The leads.</param>
    /// <param name="before">Done to each lead before its touches are renewed.</param>
    /// <param name="rollups">Written at the end.</param>
    /// <param name="facts">Where the rollups look for the leads as they were.</param>
    public static async Task<int> Renew(
        Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> ids, Action<Lead> before, RollupKeeping rollups,
        Dictionary<Guid, LeadFacts> facts)
    {
        var leads = await LeadStore.Load(tx, ids);
        foreach (var lead in leads.Values)
        {
            facts.Add(lead.Id, LeadFacts.Of(lead));
        }

        var touches = await VisitStore.Touches(tx, leads.Keys.ToArray());
        // A touch stays as it is when retention has dropped its session.
        var told = leads.Values.SelectMany(lead => new[] { lead.FirstTouch?.SessionId, lead.LastTouch?.SessionId })
            .OfType<Guid>().Distinct().ToArray();
        var dropped = await VisitStore.Missing(tx, told);
        bool IsDropped(Touch? touch) => touch?.SessionId is { } session && dropped.Contains(session);
        foreach (var lead in leads.Values)
        {
            before(lead);
            var (first, last) = touches[lead.Id];
            lead.Touched(
                IsDropped(lead.FirstTouch) ? lead.FirstTouch : first, last ?? (IsDropped(lead.LastTouch) ? lead.LastTouch : null),
                last?.Time ?? lead.CreateTime);
        }

        rollups.Write(leads.Values);
        var changed = leads.Values.Where(lead => lead.Changed).ToArray();
        LeadStore.Save(tx, changed);
        foreach (var lead in changed)
        {
            tx.Publish(lead.ToUpdated(tx.NewId(), tx.WorkspaceId));
        }

        return changed.Length;
    }
}
