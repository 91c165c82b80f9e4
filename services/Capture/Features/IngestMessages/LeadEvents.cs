using System.Diagnostics;
using System.Text.Json;
using Dapper;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Features.ImportLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Tells the other services what a commit changed. Each event continues the trace of the request that caused it.</summary>
internal sealed class LeadEvents(Transaction<CaptureDbContext> tx, IReadOnlyList<IngestRequest> requests)
{
    /// <summary>Most activities in one message.</summary>
    public const int MaxActivities = 500;

    private readonly Dictionary<Guid, int> causes = [];

    public void CausedBy(Guid lead, int request) => causes[lead] = request;

    /// <param name="resolver">Leads as they are now.</param>
    /// <param name="existing">Those that were there before.</param>
    /// <param name="changes">Changed visits.</param>
    /// <param name="activities">New activities.</param>
    /// <param name="identified">Stored activities of which the person became known, see <see cref="AskFor"/>.</param>
    /// <param name="requestOf">Request of each new activity.</param>
    /// <param name="isImport">The leads are announced later, see <see cref="AnnounceImport"/>.</param>
    public void Publish(
        IdentityResolver resolver,
        IReadOnlySet<Guid> existing,
        VisitChanges changes,
        IReadOnlyCollection<NewActivity> activities,
        IEnumerable<ActivityInfo> identified,
        IReadOnlyDictionary<Guid, int> requestOf,
        bool isImport)
    {
        foreach (var merge in resolver.Merges.Where(merge => existing.Contains(merge.Source.Id)))
        {
            var target = resolver.Leads[resolver.Current(merge.Target.Id)];
            Publish(Cause(target.Id), new LeadsMerged(tx.NewId(), tx.WorkspaceId, merge.Time, target.Version, merge.Source.Id, target.Id));
        }

        foreach (var lead in isImport ? [] : Changed(resolver))
        {
            Publish(Cause(lead.Id), existing.Contains(lead.Id)
                ? lead.ToUpdated(tx.NewId(), tx.WorkspaceId)
                : lead.ToCaptured(tx.NewId(), tx.WorkspaceId));
        }

        var sessionRequests = activities.Where(activity => activity.SessionId is not null)
            .GroupBy(activity => activity.SessionId!.Value).ToDictionary(group => group.Key, group => requestOf[group.First().Id]);
        foreach (var session in changes.Begun)
        {
            Publish(
                sessionRequests.GetValueOrDefault(session.Id),
                new SessionStarted(
                    tx.NewId(), tx.WorkspaceId, session.Session.Start, 1, session.Id, session.VisitorId, session.Session.Lead,
                    VisitStore.ToTouch(session).ToInfo()));
        }

        var told = activities.Where(activity => activity.LeadId is not null)
            .Select(activity => (Request: requestOf[activity.Id], Info: ToInfo(activity))).ToList();
        told.AddRange(identified.Select(info => (Cause(info.LeadId), info)));
        foreach (var group in told.GroupBy(item => item.Request))
        {
            foreach (var chunk in group.Select(item => item.Info).OrderBy(info => info.Time)
                .ThenBy(info => info.ActivityId).Chunk(MaxActivities))
            {
                Publish(group.Key, new ActivitiesRecorded(tx.NewId(), tx.WorkspaceId, chunk[^1].Time, 1, chunk));
            }
        }
    }

    private int Cause(Guid lead) => causes.GetValueOrDefault(lead);

    private void Publish(int request, ILifecycleEvent e)
    {
        var current = Activity.Current;
        // The first request's trace is the one this commit runs in.
        using var span = request == 0
            ? null
            : CaptureTelemetry.Source.StartActivity("ingest.publish", ActivityKind.Internal, requests[request].Trace);
        tx.Publish(e);
        Activity.Current = current;
    }

    /// <summary>Notes changed leads for the announcement of an import.</summary>
    public Task AnnounceImport(IdentityResolver resolver, IReadOnlySet<Guid> existing)
    {
        var changed = Changed(resolver).Select(lead => lead.Id).ToLookup(existing.Contains);
        return ImportAnnouncements.Add(tx, changed[false].ToArray(), changed[true].ToArray());
    }

    private static IEnumerable<Lead> Changed(IdentityResolver resolver) => resolver.Leads.Values.Where(lead => lead.Changed);

    /// <summary>Asks for stored activities with their new places, which are known after the next flush.</summary>
    public static IReadOnlyCollection<ActivityInfo> AskFor(Transaction<CaptureDbContext> tx, List<Placement> placements)
    {
        var found = new List<ActivityInfo>(placements.Count);
        if (placements.Count == 0)
        {
            return found;
        }

        var places = placements.ToDictionary(placement => placement.Id);
        tx.Ask(
            new(
                """
                select a.id, a.type, a.name, a.time, a.url, a.properties::text as properties
                from unnest($2) as p(id) join activity a on a.workspace_id = $1 and a.id = p.id
                """)
            {
                Parameters =
                    { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, placements.Select(placement => placement.Id).ToArray()) },
            },
            async rows =>
            {
                var parse = rows.GetRowParser<Row>();
                while (await rows.ReadAsync(tx.CancellationToken))
                {
                    var row = parse(rows);
                    var place = places[row.Id];
                    found.Add(new(
                        row.Id, place.LeadId!.Value, row.Type, row.Name, row.Time, place.SessionId, row.Url, Properties(row.Properties)));
                }
            });
        return found;
    }

    private static ActivityInfo ToInfo(NewActivity activity) => new(
        activity.Id, activity.LeadId!.Value, activity.Message.Type, activity.Message.Name, activity.Message.Time, activity.SessionId,
        activity.Message.Page.Url, Properties(activity.Message.Properties));

    private static Dictionary<string, JsonElement> Properties(string json) =>
        JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!;

    private sealed class Row
    {
        public Guid Id { get; init; }

        public required string Type { get; init; }

        public required string Name { get; init; }

        public DateTimeOffset Time { get; init; }

        public string? Url { get; init; }

        public required string Properties { get; init; }
    }
}
