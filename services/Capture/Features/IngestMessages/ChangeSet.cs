using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>A message that is to be recorded.</summary>
/// <param name="Request">Position of its request.</param>
/// <param name="Id">Activity id.</param>
/// <param name="Message">The message.</param>
internal readonly record struct Item(int Request, Guid Id, IngestMessage Message);

/// <summary>
/// One transaction's changes to leads and visits: opened under the workspace's lock, filled through <see cref="Resolver"/>, applied at the
/// end. Every writer of leads goes this way, so that keys, sessions, touches and events always agree.
/// </summary>
internal sealed class ChangeSet
{
    /// <summary>Activities from which on they are worth a round trip of their own, in which the rest is made.</summary>
    private const int MinActivitiesAhead = 100;

    private readonly Transaction<CaptureDbContext> tx;
    private readonly SourceReader sources;
    private readonly Dictionary<Guid, Lead> leads;
    private readonly HashSet<Guid> existing;
    private readonly Dictionary<Guid, LeadFacts> loaded;
    private readonly LeadEvents events;
    private readonly Dictionary<Guid, Guid> named = [];
    private readonly HashSet<Guid> recut = [];
    private readonly string? zone;

    private ChangeSet(
        Transaction<CaptureDbContext> tx, SourceReader sources, Dictionary<IdentityKey, Guid> owners, Dictionary<Guid, Lead> leads,
        IReadOnlyList<IngestRequest> requests, string? zone = null)
    {
        (this.tx, this.sources, this.leads, this.zone) = (tx, sources, leads, zone);
        existing = leads.Keys.ToHashSet();
        loaded = leads.Values.ToDictionary(lead => lead.Id, LeadFacts.Of);
        events = new(tx, requests);
        Resolver = new(owners, leads);
    }

    public IdentityResolver Resolver { get; }

    /// <summary>Sessions that <see cref="Apply(IReadOnlyCollection{Item}, IReadOnlyDictionary{string, StoredVisitor})"/> wrote.</summary>
    public IReadOnlyList<StoredSession> Sessions { get; private set; } = [];

    /// <summary>Takes the workspace's lock and loads what the keys and ids lead to.</summary>
    public static async Task<ChangeSet> Open(
        Transaction<CaptureDbContext> tx, SourceReader sources, IEnumerable<IdentityKey> keys, IEnumerable<Guid> ids)
    {
        await LeadStore.Lock(tx);
        var owners = await LeadStore.OwnersOf(tx, keys.Distinct().ToArray());
        return new(tx, sources, owners, await LeadStore.Load(tx, owners.Values.Concat(ids).Distinct().ToArray()), []);
    }

    /// <summary>As above, of a commit that holds the lock and has loaded what its messages lead to.</summary>
    public static ChangeSet Of(
        Transaction<CaptureDbContext> tx, SourceReader sources, CommitReads reads, IReadOnlyList<IngestRequest> requests) =>
        new(tx, sources, reads.Owners, reads.Leads, requests, reads.Zone);

    /// <summary>Whether the lead was there before.</summary>
    public bool Existed(Lead lead) => existing.Contains(lead.Id);

    /// <summary>Notes whom a message names.</summary>
    public void Named(Item item, Lead lead)
    {
        named.Add(item.Id, lead.Id);
        events.CausedBy(lead.Id, item.Request);
    }

    /// <summary>Writes and publishes everything; what nothing here has to read is sent before the commit.</summary>
    /// <param name="items">New messages.</param>
    /// <param name="visitors">Stored visitors of their devices.</param>
    public Task Apply(IReadOnlyCollection<Item> items, IReadOnlyDictionary<string, StoredVisitor> visitors) =>
        Apply(items, visitors, isImport: false);

    private async Task Apply(IReadOnlyCollection<Item> items, IReadOnlyDictionary<string, StoredVisitor> visitors, bool isImport)
    {
        var rollups = await RollupKeeping.Open(tx, loaded, zone);
        var anew = new HashSet<Guid>(recut);
        foreach (var merge in Resolver.Merges.Where(merge => existing.Contains(merge.Source.Id)))
        {
            anew.UnionWith(await LeadStore.Merge(tx, merge.Source.Id, merge.Target.Id));
        }

        anew.UnionWith(await VisitStore.WithKeys(tx, Resolver.Added.Keys.Where(key => key.Kind == IdentityKey.User).ToArray()));
        var current = Resolver.Merges.Count == 0 ? visitors : await VisitStore.Load(tx, visitors.Keys.ToArray());
        var changes = await VisitPlacer.Place(tx, ByDevice(items), current, anew, Resolver.OwnerOf, sources);
        var visitorIds = changes.Visitors.ToDictionary(visitor => visitor.AnonymousId, visitor => visitor.Id);
        var activities = items.Select(item =>
        {
            var place = changes.Placed.TryGetValue(item.Id, out var found) ? found : new(item.Id, null, LeadOf(item));
            return new NewActivity(
                item.Id, item.Message.Device is { } device ? visitorIds[device] : null, place.SessionId, place.LeadId, item.Message);
        }).ToArray();

        VisitWriter.Write(tx, changes);
        Sessions = changes.Sessions;
        var told = activities.Where(activity => activity.LeadId is not null
            && activity.Message.Person is { Capture: null, Facts.Count: > 0 }).ToArray();
        var observes = told.Length > 0 || changes.Retold.Count > 0;
        VisitWriter.WriteActivities(tx, changes, activities);
        if (observes)
        {
            await Observe(changes, told);
        }

        // One round trip: the most of what a commit writes, and all that the rest hangs on. The server is at it while the visits are
        // counted.
        rollups.AskFor(changes);
        var identified = LeadEvents.AskFor(tx, changes.Identified);
        var touches = AskTouches(changes);
        if (tx.Asks || activities.Length >= MinActivitiesAhead)
        {
            await tx.FlushWhile(() => rollups.Visits(changes));
        }
        else
        {
            rollups.Visits(changes);
        }

        await Touch(changes, touches);
        rollups.Write(leads.Values);
        LeadStore.Save(tx, leads.Values);
        LeadStore.AddKeys(tx, Resolver.Added);
        events.Publish(
            Resolver, existing, changes, activities, identified, items.ToDictionary(item => item.Id, item => item.Request), isImport);
        if (isImport)
        {
            await events.AnnounceImport(Resolver, existing);
        }
    }

    /// <summary>Writes and publishes changes to leads that no message made.</summary>
    public async Task Apply()
    {
        await Apply([], new Dictionary<string, StoredVisitor>());
        await tx.Flush();
    }

    /// <summary>Cuts a visitor's activities into sessions from the beginning, with all that follows.</summary>
    public async Task CutAnew(Guid visitor)
    {
        recut.Add(visitor);
        await Apply();
    }

    /// <summary>As <see cref="Apply()"/>, for rows of an import, which are announced later.</summary>
    public Task ApplyImport() => Apply([], new Dictionary<string, StoredVisitor>(), isImport: true);

    private Dictionary<string, List<VisitActivity>> ByDevice(IEnumerable<Item> items) =>
        items.Where(item => item.Message.Device is not null)
            .GroupBy(item => item.Message.Device!, StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key,
                group => group.Select(item => new VisitActivity(
                    item.Id, item.Message.Time, item.Message.IsPageView, item.Message.Page.Url, item.Message.Source,
                    item.Message.Opens, LeadOf(item))).ToList(),
                StringComparer.Ordinal);

    // Asked again after all messages are read: a later one may have made the person known, or may have shown two to be one.
    private Guid? LeadOf(Item item)
    {
        Guid? lead = named.TryGetValue(item.Id, out var found)
            ? found
            : item.Message.Person.Keys.Select(Resolver.OwnerOf).FirstOrDefault(owner => owner is not null);
        return lead is { } id ? Resolver.Current(id) : null;
    }

    // A message that names nobody tells of whoever its activity is placed with: added where it is new, read anew where stored ones moved.
    private async Task Observe(VisitChanges changes, IReadOnlyCollection<NewActivity> told)
    {
        await tx.Flush();
        await Include(told.Select(activity => activity.LeadId!.Value).Concat(changes.Retold));
        foreach (var (id, profile) in await Observations.Load(tx, changes.Retold))
        {
            if (leads.TryGetValue(id, out var lead))
            {
                lead.Observe(profile);
            }
        }

        foreach (var group in told.Where(activity => !changes.Retold.Contains(activity.LeadId!.Value))
            .GroupBy(activity => activity.LeadId!.Value))
        {
            if (leads.TryGetValue(group.Key, out var lead))
            {
                var profile = Profile.Union(lead.Observed, new());
                foreach (var (message, fact) in group.SelectMany(
                    activity => activity.Message.Person.Facts, (activity, fact) => (activity.Message, fact)))
                {
                    profile.Set(fact.Key, fact.Json, message.Time);
                }

                lead.Observe(profile);
            }
        }
    }

    private async Task Include(IEnumerable<Guid> ids)
    {
        foreach (var lead in (await LeadStore.Load(tx, ids.Where(id => !leads.ContainsKey(id)).Distinct().ToArray())).Values)
        {
            Include(lead);
        }
    }

    private void Include(Lead lead)
    {
        leads.Add(lead.Id, lead);
        loaded.Add(lead.Id, LeadFacts.Of(lead));
        existing.Add(lead.Id);
    }

    // Asks for the sessions by which first and last touches are set, and for those of the leads that are not at hand.
    private Touching AskTouches(VisitChanges changes)
    {
        var touched = changes.Touched.Concat(leads.Values.Where(lead => lead.Changed).Select(lead => lead.Id)).ToHashSet();
        var missing = touched.Where(id => !leads.ContainsKey(id)).ToArray();
        var included = new List<Lead>(missing.Length);
        if (missing.Length > 0)
        {
            LeadStore.AskLoad(tx, missing, included.Add);
        }

        // A lead made here has the sessions cut here and, unless it took over another, no more: of an import there is nothing to look up.
        var visited = touched.Where(id =>
            !leads.ContainsKey(id) || existing.Contains(id) || changes.Touched.Contains(id) || Resolver.Merges.Count > 0).ToArray();
        return new(touched.Except(visited).ToArray(), included, VisitStore.AskTouches(tx, visited));
    }

    private async Task Touch(VisitChanges changes, Touching touching)
    {
        touching.Included.ForEach(Include);
        foreach (var lead in touching.Unvisited.Select(id => leads[id]))
        {
            lead.Touched(null, null, lead.CreateTime);
        }

        var found = touching.Sessions.Where(pair => leads.ContainsKey(pair.Key)).ToDictionary();
        var dropped = await Dropped(changes, found);
        foreach (var (id, (first, last)) in found)
        {
            var lead = leads[id];
            var (held, latest) = (lead.FirstTouch, lead.LastTouch);
            lead.Touched(
                held?.SessionId is { } begun && dropped.Contains(begun) ? held : first,
                last ?? (latest?.SessionId is { } ended && dropped.Contains(ended) ? latest : null),
                last?.Time ?? lead.CreateTime);
        }
    }

    // Sessions that touches were told on and retention has dropped since: the touch stays. One that ended in this change gives way.
    private async Task<IReadOnlySet<Guid>> Dropped(VisitChanges changes, Dictionary<Guid, (Touch? First, Touch? Last)> found)
    {
        var earlier = found.Where(
            pair => leads[pair.Key].FirstTouch is { SessionId: not null } held && !(pair.Value.First?.Time <= held.Time))
            .SelectMany(pair => new[] { leads[pair.Key].FirstTouch!.SessionId, leads[pair.Key].LastTouch?.SessionId }).OfType<Guid>();
        return await VisitStore.Missing(tx, earlier.Except(changes.Ended).ToArray());
    }

    /// <summary>What is asked for to set touches; known after the flush.</summary>
    /// <param name="Unvisited">Leads that have no sessions.</param>
    /// <param name="Included">Leads that were not at hand.</param>
    /// <param name="Sessions">Touches of the other leads by their sessions.</param>
    private sealed record Touching(Guid[] Unvisited, List<Lead> Included, Dictionary<Guid, (Touch? First, Touch? Last)> Sessions);
}
