using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// Places new activities among the stored ones of their visitors. What comes in order goes on from the latest session; what comes late is
/// cut anew from the session it falls into; a visitor whose person becomes known or changes is cut anew from the beginning.
/// </summary>
internal static class VisitPlacer
{
    /// <param name="tx">The transaction.</param>
    /// <param name="fresh">New activities by device.</param>
    /// <param name="visitors">Stored visitors of those devices.</param>
    /// <param name="anew">Other visitors to cut anew from the beginning.</param>
    /// <param name="ownerOf">Owner of a key that this transaction made.</param>
    /// <param name="sources">By whose rules stored activities are read.</param>
    public static async Task<VisitChanges> Place(
        Transaction<CaptureDbContext> tx,
        IReadOnlyDictionary<string, List<VisitActivity>> fresh,
        IReadOnlyDictionary<string, StoredVisitor> visitors,
        IReadOnlyCollection<Guid> anew,
        Func<IdentityKey, Guid?> ownerOf,
        SourceReader sources)
    {
        var changes = new VisitChanges();
        var late = new List<(StoredVisitor Visitor, List<VisitActivity> Activities)>();
        var whole = new Dictionary<Guid, (StoredVisitor Visitor, List<VisitActivity> Activities)>();
        foreach (var (device, activities) in fresh)
        {
            if (!visitors.TryGetValue(device, out var visitor))
            {
                var first = activities.Min(activity => activity.Time);
                changes.Add(
                    new(Guid.CreateVersion7(first), device, null, first, null) { IsNew = true },
                    VisitTimeline.Build(activities), [], NoActivities);
            }
            else if (anew.Contains(visitor.Id) || (visitor.LeadId is null && activities.Exists(activity => activity.Lead is not null)))
            {
                whole.Add(visitor.Id, (visitor, activities));
            }
            else if (activities.TrueForAll(activity => activity.Time > visitor.LastTime))
            {
                var last = visitor.LastSession;
                changes.Add(
                    visitor, VisitTimeline.Build(activities, last?.Session, visitor.LeadId), last is null ? [] : [last], NoActivities);
            }
            else
            {
                late.Add((visitor, activities));
            }
        }

        var rest = anew.Where(id => !whole.ContainsKey(id)).ToArray();
        foreach (var visitor in (await VisitStore.Load(tx, rest)).Values)
        {
            whole.Add(visitor.Id, (visitor, []));
        }

        var windows = await Windows(tx, late, whole);
        var history = await VisitStore.History(tx, windows.Select(window => (window.Visitor.Id, window.From)).ToArray(), ownerOf, sources);
        foreach (var (visitor, activities, from, lead) in windows)
        {
            var (stored, sessions, before) = Whole(history.Activities[visitor.Id], history.Sessions[visitor.Id], lead);
            var all = stored.Values.Select(activity => activity.Activity).Concat(activities);
            changes.Add(visitor, VisitTimeline.Build(all, before: null, before), sessions, stored);
        }

        return changes;
    }

    // An activity changes nothing before the session in which it falls, unless it names another person: then the question whose the earlier
    // ones are is open again.
    private static async Task<List<(StoredVisitor Visitor, List<VisitActivity> Activities, DateTimeOffset From, Guid? Lead)>> Windows(
        Transaction<CaptureDbContext> tx,
        List<(StoredVisitor Visitor, List<VisitActivity> Activities)> late,
        Dictionary<Guid, (StoredVisitor Visitor, List<VisitActivity> Activities)> whole)
    {
        var windows = new List<(StoredVisitor, List<VisitActivity>, DateTimeOffset, Guid?)>();
        // Most fall into the latest session, which is at hand.
        var earliest = late.ToDictionary(item => item.Visitor.Id, item => item.Activities.Min(activity => activity.Time));
        bool IsInLatest(StoredVisitor visitor) => visitor.LastSession?.Session.Start <= earliest[visitor.Id];
        var visitors = late.Select(item => item.Visitor).ToLookup(IsInLatest);
        var sessions = await VisitStore.SessionsAt(tx, visitors[false].Select(visitor => (visitor.Id, earliest[visitor.Id])).ToArray());
        foreach (var visitor in visitors[true])
        {
            sessions.Add(visitor.Id, visitor.LastSession!);
        }

        foreach (var (visitor, activities) in late)
        {
            if (sessions.TryGetValue(visitor.Id, out var session)
                && activities.TrueForAll(
                    activity => activity.Time > session.Session.Start && (activity.Lead is null || activity.Lead == session.Session.Lead)))
            {
                windows.Add((visitor, activities, session.Session.Start, session.Session.Lead));
            }
            else
            {
                whole.Add(visitor.Id, (visitor, activities));
            }
        }

        windows.AddRange(whole.Values.Select(item => (item.Visitor, item.Activities, DateTimeOffset.UnixEpoch, default(Guid?))));
        return windows;
    }

    // Of a history that is longer than is read, or of which data retention has deleted the beginning, only what follows the last incomplete
    // session is cut anew; the sessions before it stay as they are.
    private static (Dictionary<Guid, StoredActivity> Activities, StoredSession[] Sessions, Guid? LeadBefore) Whole(
        IEnumerable<StoredActivity> activities, IEnumerable<StoredSession> sessions, Guid? leadBefore)
    {
        var (read, all) = (activities.ToDictionary(activity => activity.Activity.Id), sessions.ToArray());
        var counts = read.Values.Where(activity => activity.SessionId is not null)
            .CountBy(activity => activity.SessionId!.Value).ToDictionary();
        if (all.Where(session => counts.GetValueOrDefault(session.Id) < session.Session.Activities)
            .MaxBy(session => session.Session.Start) is not { } last)
        {
            return (read, all, leadBefore);
        }

        var later = read.Where(pair => pair.Value.Activity.Time > last.Session.End).ToDictionary();
        return (later, all.Where(session => session.Session.Start > last.Session.End).ToArray(), last.Session.Lead);
    }

    private static readonly Dictionary<Guid, StoredActivity> NoActivities = [];
}
