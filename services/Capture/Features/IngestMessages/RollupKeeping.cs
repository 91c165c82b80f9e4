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
    private ILookup<Guid, (StoredVisitor Visitor, StoredSession? Before, StoredSession? After)> moved =
        Array.Empty<(StoredVisitor Visitor, StoredSession? Before, StoredSession? After)>().ToLookup(item => item.Visitor.Id);
    private ILookup<Guid, StoredSession> others = Array.Empty<StoredSession>().ToLookup(session => session.VisitorId);

    private RollupKeeping(Transaction<CaptureDbContext> tx, TimeZoneInfo? zone, IReadOnlyDictionary<Guid, LeadFacts> before) =>
        (this.tx, change, this.before) = (tx, zone is null ? null : new(zone), before);

    /// <summary>Before anything is written.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="before">Leads as they were loaded; may grow until <see cref="Write"/>.</param>
    /// <param name="held">Zone by which the counts are kept, where it was read already.</param>
    public static async Task<RollupKeeping> Open(
        Transaction<CaptureDbContext> tx, IReadOnlyDictionary<Guid, LeadFacts> before, string? held = null) =>
        new(tx, await RollupStore.Zone(tx, held), before);

    /// <summary>Counts changed visits, before or after they are written.</summary>
    public async Task AskAndCount(VisitChanges visits)
    {
        AskFor(visits);
        await tx.Flush();
        Visits(visits);
    }

    /// <summary>
    /// Asks for what else the visitors of changed visits have; the answer may hold the changed ones as they were or as they are.
    /// </summary>
    public void AskFor(VisitChanges visits)
    {
        if (change is null)
        {
            return;
        }

        // What only went on leaves its visitor's counts as they are.
        moved = visits.Changed.Where(item => !SameGroups(item.Before?.Session, item.After?.Session)).ToLookup(item => item.Visitor.Id);
        var windows = moved.Where(HasOthers).Select(Window).ToArray();
        if (windows.Length > 0)
        {
            RollupStore.AskAround(tx, windows, sessions => others = sessions.ToLookup(session => session.VisitorId));
        }
    }

    /// <summary>Counts changed visits, while the answer is on its way.</summary>
    public void Visits(VisitChanges visits)
    {
        if (change is null)
        {
            return;
        }

        foreach (var (_, held, now) in visits.Changed)
        {
            change.Session(held?.Session, now?.Session);
        }

        foreach (var visitor in moved.Where(visitor => !HasOthers(visitor)))
        {
            Count(visitor, []);
        }

        change.Spread();
    }

    /// <summary>Counts what of the changed visits hangs on the answer, and changed leads, and has all written before the commit.</summary>
    /// <param name="leads">The leads as they are now.</param>
    public void Write(IReadOnlyCollection<Lead> leads)
    {
        if (change is null)
        {
            return;
        }

        foreach (var visitor in moved.Where(HasOthers))
        {
            Count(visitor, others[visitor.Key]);
        }

        var after = leads.ToDictionary(lead => lead.Id, LeadFacts.Of);
        foreach (var id in before.Keys.Union(after.Keys))
        {
            change.Lead(before.GetValueOrDefault(id), after.GetValueOrDefault(id));
        }

        RollupStore.Write(tx, change);
    }

    private void Count(
        IGrouping<Guid, (StoredVisitor Visitor, StoredSession? Before, StoredSession? After)> visitor, IEnumerable<StoredSession> held)
    {
        var concerned = visitor.Select(item => item.Before?.Id ?? item.After!.Id).ToHashSet();
        var rest = held.Where(session => !concerned.Contains(session.Id)).Select(session => session.Session).ToArray();
        change!.Visitor(
            rest.Concat(visitor.Where(item => item.Before is not null).Select(item => item.Before!.Session)),
            rest.Concat(visitor.Where(item => item.After is not null).Select(item => item.After!.Session)));
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
        var starts = visitor.SelectMany(item => new[] { item.Before, item.After }).OfType<StoredSession>()
            .Select(session => session.Session.Start).ToArray();
        return (visitor.Key, starts.Min(), starts.Max());
    }
}
