using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Capture.Storage;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>An activity with where it came to lie.</summary>
/// <param name="Id">Activity id.</param>
/// <param name="SessionId">Its session.</param>
/// <param name="LeadId">Its person.</param>
internal readonly record struct Placement(Guid Id, Guid? SessionId, Guid? LeadId);

/// <summary>What the new activities of visitors change: computed per visitor, written for all at once.</summary>
internal sealed class VisitChanges
{
    /// <summary>Sessions to write.</summary>
    public List<StoredSession> Sessions { get; } = [];

    /// <summary>Those of them that a known person began, or of which the person became known.</summary>
    public List<StoredSession> Begun { get; } = [];

    /// <summary>Sessions that began, changed or ended, as they were and as they are.</summary>
    public List<(StoredVisitor Visitor, StoredSession? Before, StoredSession? After)> Changed { get; } = [];

    /// <summary>Sessions that dissolved into others.</summary>
    public List<Guid> Ended { get; } = [];

    /// <summary>Place of each new activity.</summary>
    public Dictionary<Guid, Placement> Placed { get; } = [];

    /// <summary>Stored activities that moved to another session or person.</summary>
    public List<Placement> Moved { get; } = [];

    /// <summary>Stored activities of which the person became known.</summary>
    public List<Placement> Identified { get; } = [];

    /// <summary>Leads whose touches may have changed.</summary>
    public HashSet<Guid> Touched { get; } = [];

    /// <summary>Leads that gained or lost a stored activity that tells traits.</summary>
    public HashSet<Guid> Retold { get; } = [];

    /// <summary>Visitors to write.</summary>
    public List<StoredVisitor> Visitors { get; } = [];

    /// <summary>Takes over the timeline of one visitor.</summary>
    /// <param name="visitor">The visitor before.</param>
    /// <param name="timeline">All of the visitor's activities, or those from a session's start on.</param>
    /// <param name="oldSessions">Stored sessions that the timeline covers.</param>
    /// <param name="oldActivities">Stored activities that it covers, by id.</param>
    public void Add(
        StoredVisitor visitor, VisitTimeline timeline, IReadOnlyCollection<StoredSession> oldSessions,
        IReadOnlyDictionary<Guid, StoredActivity> oldActivities)
    {
        var ids = Identify(timeline, oldSessions, oldActivities);
        var before = oldSessions.ToDictionary(session => session.Id);
        for (var index = 0; index < ids.Length; index++)
        {
            var session = new StoredSession(ids[index], visitor.Id, timeline.Sessions[index]);
            var held = before.GetValueOrDefault(session.Id);
            before.Remove(session.Id);
            if (held?.Session.Lead is null && session.Session.Lead is not null)
            {
                Begun.Add(session);
            }

            if (held?.Session != session.Session)
            {
                Sessions.Add(session);
                Changed.Add((visitor, held, session));
                NoteTouch(held, session);
            }
        }

        foreach (var ended in before.Values)
        {
            Ended.Add(ended.Id);
            Changed.Add((visitor, ended, null));
            NoteTouch(ended, null);
        }

        foreach (var placed in timeline.Activities)
        {
            var placement = new Placement(placed.Activity.Id, placed.Session is { } session ? ids[session] : null, placed.Lead);
            if (!oldActivities.TryGetValue(placement.Id, out var old))
            {
                Placed.Add(placement.Id, placement);
                continue;
            }

            if (old.SessionId != placement.SessionId || old.LeadId != placement.LeadId)
            {
                Moved.Add(placement);
            }

            if (old.Tells && old.LeadId != placement.LeadId)
            {
                Retold.UnionWith(new[] { old.LeadId, placement.LeadId }.OfType<Guid>());
            }

            if (old.LeadId is null && placement.LeadId is not null)
            {
                Identified.Add(placement);
            }
        }

        var last = timeline.Activities.Count == 0 ? visitor.LastTime : timeline.Activities[^1].Activity.Time;
        // A timeline reaches to the visitor's latest activity, so its last session is the visitor's.
        var latest = ids.Length == 0
            ? (before.ContainsKey(visitor.LastSession?.Id ?? Guid.Empty) ? null : visitor.LastSession)
            : new(ids[^1], visitor.Id, timeline.Sessions[^1]);
        Visitors.Add(visitor with
        {
            LeadId = timeline.LastLead ?? visitor.LeadId,
            LastTime = last > visitor.LastTime ? last : visitor.LastTime,
            LastSession = latest,
        });
    }

    // A session keeps its id while any of its activities had it; the first activity that brings an unused one decides.
    private static Guid[] Identify(
        VisitTimeline timeline, IReadOnlyCollection<StoredSession> oldSessions, IReadOnlyDictionary<Guid, StoredActivity> oldActivities)
    {
        var known = oldSessions.Select(session => session.Id).ToHashSet();
        var ids = new Guid?[timeline.Sessions.Count];
        if (oldSessions.Count == 1 && oldActivities.Count == 0 && ids.Length > 0)
        {
            // Going on from the latest session.
            ids[0] = known.Single();
            known.Clear();
        }

        foreach (var placed in timeline.Activities)
        {
            if (placed.Session is { } index && ids[index] is null && oldActivities.TryGetValue(placed.Activity.Id, out var old)
                && old.SessionId is { } id && known.Remove(id))
            {
                ids[index] = id;
            }
        }

        return ids.Select((id, index) => id ?? Guid.CreateVersion7(timeline.Sessions[index].Start)).ToArray();
    }

    private void NoteTouch(StoredSession? held, StoredSession? now)
    {
        if (held is not null && now is not null && held.Session.Start == now.Session.Start && held.Session.Lead == now.Session.Lead
            && held.Session.Source == now.Session.Source && held.Session.LandingPage == now.Session.LandingPage)
        {
            return;
        }

        foreach (var lead in new[] { held?.Session.Lead, now?.Session.Lead })
        {
            if (lead is { } id)
            {
                Touched.Add(id);
            }
        }
    }
}
