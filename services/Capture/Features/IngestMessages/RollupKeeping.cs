using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Keeps the rollups true to one transaction's changes to visits and leads.</summary>
internal sealed class RollupKeeping
{
    private readonly Transaction<CaptureDbContext> tx;
    private readonly RollupChange? change;
    private readonly IReadOnlyDictionary<Guid, LeadFacts> before;

    private RollupKeeping(Transaction<CaptureDbContext> tx, TimeZoneInfo? zone, IReadOnlyDictionary<Guid, LeadFacts> before) =>
        (this.tx, change, this.before) = (tx, zone is null ? null : new(zone), before);

    /// <summary>Before anything is written.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="before">Leads as they were loaded; may grow until <see cref="Write"/>.</param>
    /// <param name="held">Zone by which the counts are kept, where it was read already.</param>
    public static async Task<RollupKeeping> Open(Transaction<CaptureDbContext> tx, IReadOnlyDictionary<Guid, LeadFacts> before, string? held = null) =>
        new(tx, await RollupStore.Zone(tx, held), before);

    /// <summary>Counts changed visits; before they are written.</summary>
    public async Task Visits(VisitChanges visits)
    {
        if (change is null || visits.Changed.Count == 0)
        {
            return;
        }

        foreach (var (_, held, now) in visits.Changed)
        {
            change.Session(held?.Session, now?.Session);
        }

        // What only went on leaves its visitor's counts as they are.
        var moved = visits.Changed.Where(item => !SameGroups(item.Before?.Session, item.After?.Session)).ToLookup(item => item.Visitor.Id);
        var others = await RollupStore.Around(tx, moved.Where(HasOthers).Select(Window).ToArray());
        foreach (var visitor in moved)
        {
            var concerned = visitor.Select(item => item.Before?.Id ?? item.After!.Id).ToHashSet();
            var rest = others[visitor.Key].Where(session => !concerned.Contains(session.Id)).Select(session => session.Session).ToArray();
            change.Visitor(
                rest.Concat(visitor.Where(item => item.Before is not null).Select(item => item.Before!.Session)),
                rest.Concat(visitor.Where(item => item.After is not null).Select(item => item.After!.Session)));
        }
    }

    /// <summary>Counts changed leads, and has all written before the commit.</summary>
    /// <param name="leads">The leads as they are now.</param>
    public void Write(IReadOnlyCollection<Lead> leads)
    {
        if (change is null)
        {
            return;
        }

        var after = leads.ToDictionary(lead => lead.Id, LeadFacts.Of);
        foreach (var id in before.Keys.Union(after.Keys))
        {
            change.Lead(before.GetValueOrDefault(id), after.GetValueOrDefault(id));
        }

        RollupStore.Write(tx, change);
    }

    private static bool SameGroups(VisitSession? before, VisitSession? after) =>
        before is not null && after is not null
        && before.Start == after.Start && before.Source == after.Source && before.LandingPage == after.LandingPage;

    // A visitor whose latest session before lies months back, or who had none, has no other session in the periods concerned.
    private static bool HasOthers(IGrouping<Guid, (StoredVisitor Visitor, StoredSession? Before, StoredSession? After)> visitor) =>
        visitor.First().Visitor.LastSession is { } last && last.Session.Start > Window(visitor).First - TimeSpan.FromDays(32);

    private static (Guid Visitor, DateTimeOffset First, DateTimeOffset Last) Window(
        IGrouping<Guid, (StoredVisitor Visitor, StoredSession? Before, StoredSession? After)> visitor)
    {
        var starts = visitor.SelectMany(item => new[] { item.Before, item.After }).OfType<StoredSession>().Select(session => session.Session.Start).ToArray();
        return (visitor.Key, starts.Min(), starts.Max());
    }
}
