using System.Diagnostics;
using System.Text.Json;
using Dapper;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Features.ImportLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Tells the other services what a commit changed. Each event continues the trace of the request that caused it.</summary>
internal sealed class LeadEvents(Transaction<CaptureDbContext> tx, IReadOnlyList<IngestRequest> requests)
{
    /// <summary>Most activities in one message.</summary>
    public const int MaxActivities = 500;

    private readonly Dictionary<Guid, int> causes = [];

    public void CausedBy(Guid lead, int request) => causes[lead] = request;

    public async Task Publish(
        IdentityResolver resolver,
        IReadOnlySet<Guid> existing,
        VisitChanges changes,
        IReadOnlyCollection<NewActivity> activities,
        IReadOnlyDictionary<Guid, int> requestOf,
        bool isImport)
    {
        foreach (var merge in resolver.Merges.Where(merge => existing.Contains(merge.Source.Id)))
        {
            var target = resolver.Leads[resolver.Current(merge.Target.Id)];
            Publish(Cause(target.Id), new LeadsMerged(tx.NewId(), tx.WorkspaceId, merge.Time, target.Version, merge.Source.Id, target.Id));
        }

        var changed = resolver.Leads.Values.Where(lead => lead.Changed).ToLookup(lead => existing.Contains(lead.Id));
        if (isImport)
        {
            await ImportAnnouncements.Add(tx, changed[false].Select(lead => lead.Id).ToArray(), changed[true].Select(lead => lead.Id).ToArray());
        }
        else
        {
            foreach (var lead in changed.SelectMany(leads => leads))
            {
                Publish(
                    Cause(lead.Id),
                    existing.Contains(lead.Id) ? lead.ToUpdated(tx.NewId(), tx.WorkspaceId) : lead.ToCaptured(tx.NewId(), tx.WorkspaceId));
            }
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

        var told = activities.Where(activity => activity.LeadId is not null).Select(activity => (Request: requestOf[activity.Id], Info: ToInfo(activity))).ToList();
        told.AddRange((await Load(changes.Identified)).Select(info => (Cause(info.LeadId), info)));
        foreach (var group in told.GroupBy(item => item.Request))
        {
            foreach (var chunk in group.Select(item => item.Info).OrderBy(info => info.Time).ThenBy(info => info.ActivityId).Chunk(MaxActivities))
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
        using var span = request == 0 ? null : CaptureTelemetry.Source.StartActivity("ingest.publish", ActivityKind.Internal, requests[request].Trace);
        tx.Publish(e);
        Activity.Current = current;
    }

    private async Task<IEnumerable<ActivityInfo>> Load(List<Placement> placements)
    {
        var rows = placements.Count == 0 ? [] : await tx.Connection.QueryAsync<Row>(
            """
            select a.id, a.type, a.name, a.time, a.url, a.properties::text as properties
            from unnest(@ids) as p(id) join activity a on a.workspace_id = @workspace and a.id = p.id
            """,
            new { workspace = tx.WorkspaceId, ids = placements.Select(placement => placement.Id).ToArray() });
        var places = placements.ToDictionary(placement => placement.Id);
        return rows.Select(row => new ActivityInfo(
            row.Id, places[row.Id].LeadId!.Value, row.Type, row.Name, row.Time, places[row.Id].SessionId, row.Url, Properties(row.Properties)));
    }

    private static ActivityInfo ToInfo(NewActivity activity) => new(
        activity.Id, activity.LeadId!.Value, activity.Message.Type, activity.Message.Name, activity.Message.Time, activity.SessionId,
        activity.Message.Page.Url, Properties(activity.Message.Properties));

    private static Dictionary<string, JsonElement> Properties(string json) => JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!;

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
