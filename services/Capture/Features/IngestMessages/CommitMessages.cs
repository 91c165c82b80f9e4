using System.Diagnostics;
using Dapper;
using Lifecycle.Capture.Domain;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Jobs;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// Makes the messages of one or many requests of a workspace durable in one transaction, with all that follows from them.
/// </summary>
internal sealed class CommitMessages(
    UnitOfWork<CaptureDbContext> work, Partitions partitions, ChannelsCache channels, RollupFolder rollups,
    IOptions<CaptureOptions> options, TimeProvider time)
{
    private static readonly TimeSpan RepetitionsLast = TimeSpan.FromSeconds(10);

    // When messages last repeated earlier ones; for a while they are then looked up before they are noted.
    private long repeated;

    /// <summary>Outcomes in the order of the requests.</summary>
    public async Task<IReadOnlyList<IngestOutcome>> Handle(Guid workspaceId, IReadOnlyList<IngestRequest> requests, CancellationToken ct)
    {
        // The first request's trace carries the database work; each request's own events continue its own trace.
        using var span = CaptureTelemetry.Source.StartActivity(
            "ingest.commit", ActivityKind.Internal, requests[0].Trace,
            links: requests.Skip(1).Select(request => new ActivityLink(request.Trace)));
        IReadOnlyList<IngestOutcome> outcomes = [];
        var sources = await channels.Get(workspaceId);
        var keyed = Keyed(requests);
        for (var (mayRepeat, isMonthMade) = (time.GetElapsedTime(repeated) < RepetitionsLast, false); ;)
        {
            await partitions.Ensure(requests.SelectMany(request => request.Messages, (_, message) => message.Time), ct);
            try
            {
                await work.Run(
                    workspaceId, (tx, batch) => CommitReads.Add(batch, tx, keyed, mayRepeat),
                    async (tx, results) => outcomes = await Commit(
                        tx, await CommitReads.Read(results, mayRepeat, tx.CancellationToken), sources, keyed, requests), ct);
                rollups.Note(workspaceId);
                return outcomes;
            }
            catch (PostgresException exception) when (CommitReads.IsRepetition(exception) && !mayRepeat)
            {
                // Repetitions seldom come alone: a sender that had no answer sends all of it again.
                mayRepeat = true;
                repeated = time.GetTimestamp();
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.CheckViolation && !isMonthMade)
            {
                // No partition takes the row: another replica dropped its month, which a backfill brings back.
                isMonthMade = true;
                partitions.Forget();
            }
        }
    }

    private async Task<IReadOnlyList<IngestOutcome>> Commit(
        Transaction<CaptureDbContext> tx, CommitReads reads, SourceReader sources, KeyValuePair<Guid, Item>[] keyed,
        IReadOnlyList<IngestRequest> requests)
    {
        var fresh = await Fresh(tx, keyed, reads.Added);
        CountDropped(tx, fresh);
        var kept = fresh.Where(item => item.Message.Dropped == DropReason.None).ToArray();
        if (kept.Length > 0)
        {
            await Record(tx, sources, kept, reads, requests);
        }

        var accepted = fresh.CountBy(item => item.Request).ToDictionary();
        return requests.Select((request, index) =>
        {
            var count = accepted.GetValueOrDefault(index);
            return new IngestOutcome(count, request.Messages.Count - count);
        }).ToArray();
    }

    // In the order of their times. Of a message that comes twice at once the first counts.
    private static KeyValuePair<Guid, Item>[] Keyed(IReadOnlyList<IngestRequest> requests)
    {
        var keyed = new Dictionary<Guid, Item>(requests.Sum(request => request.Keys.Count));
        for (var index = 0; index < requests.Count; index++)
        {
            foreach (var (key, message) in requests[index].Keys.Zip(requests[index].Messages))
            {
                keyed.TryAdd(key, new(index, MessageReader.ActivityId(key, message.Time), message));
            }
        }

        return keyed.OrderBy(pair => pair.Value.Message.Time).ThenByDescending(pair => pair.Value.Message.Source.Kind)
            .ThenBy(pair => pair.Value.Id).ToArray();
    }

    private async Task<List<Item>> Fresh(Transaction<CaptureDbContext> tx, KeyValuePair<Guid, Item>[] keyed, HashSet<Guid>? added)
    {
        // The activity's id tells a repetition also after the message itself has been forgotten. A message cannot have come before its own
        // time, so only those older than that memory need the look.
        var remembered = tx.Now.AddDays(-options.Value.DeduplicationDays) + MessageReader.MaxAhead;
        var old = keyed.Select(pair => pair.Value).Where(item => item.Message.Time < remembered).Select(item => item.Id).ToArray();
        var recorded = old.Length == 0 ? [] : (await tx.Connection.QueryAsync<Guid>(
            "select a.id from unnest(@old) as m(id) join activity a on a.workspace_id = @workspace and a.id = m.id",
            new { workspace = tx.WorkspaceId, old })).ToHashSet();
        return keyed.Where(pair => added?.Contains(pair.Key) != false && !recorded.Contains(pair.Value.Id))
            .Select(pair => pair.Value).ToList();
    }

    private static void CountDropped(Transaction<CaptureDbContext> tx, IEnumerable<Item> items)
    {
        var quarter = TimeSpan.FromMinutes(15).Ticks;
        var counts = items.Where(item => item.Message.Dropped != DropReason.None)
            .GroupBy(item => (
                Bucket: new DateTimeOffset(item.Message.Time.UtcTicks - (item.Message.Time.UtcTicks % quarter), TimeSpan.Zero),
                Kind: item.Message.Dropped == DropReason.Bot ? "bot" : "consent",
                Detail: Texts.Clip(item.Message.Bot, 100) ?? ""))
            .OrderBy(group => group.Key).ToArray();
        Bulk.Add(
            tx.Closing,
            "hit_count",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, counts, _ => tx.WorkspaceId),
                BulkColumn.From("bucket", NpgsqlDbType.TimestampTz, counts, group => group.Key.Bucket),
                BulkColumn.From("kind", NpgsqlDbType.Text, counts, group => group.Key.Kind),
                BulkColumn.From("detail", NpgsqlDbType.Text, counts, group => group.Key.Detail),
                BulkColumn.From("hits", NpgsqlDbType.Bigint, counts, group => (long)group.Count()),
            ],
            "on conflict (workspace_id, bucket, kind, detail) do update set hits = hit_count.hits + excluded.hits");
    }

    private async Task Record(
        Transaction<CaptureDbContext> tx, SourceReader sources, Item[] items, CommitReads reads, IReadOnlyList<IngestRequest> requests)
    {
        var visitors = reads.Visitors;
        if (visitors.Values.Any(visitor => visitor.BotUntil > tx.Now))
        {
            bool IsRobots(Item item) =>
                item.Message.Device is { } device && visitors.TryGetValue(device, out var visitor) && visitor.BotUntil > tx.Now;
            await RobotVisits.Keep(
                tx, items.Where(IsRobots).ToLookup(item => visitors[item.Message.Device!].Id), options.Value.BotKeptActivities);
            CountDropped(
                tx, items.Where(IsRobots)
                    .Select(item => item with { Message = item.Message with { Dropped = DropReason.Bot, Bot = BotPolicy.Name } }));
            items = items.Where(item => !IsRobots(item)).ToArray();
            visitors = visitors.Where(pair => !(pair.Value.BotUntil > tx.Now)).ToDictionary(StringComparer.Ordinal);
        }

        var onDevice = visitors.Values.Where(visitor => visitor.LeadId is not null)
            .ToDictionary(visitor => visitor.AnonymousId, visitor => visitor.LeadId!.Value);
        var changes = ChangeSet.Of(tx, sources, reads, requests);
        foreach (var item in items)
        {
            if (Resolve(item.Message, changes.Resolver, onDevice) is { } lead)
            {
                changes.Named(item, lead);
            }
        }

        await changes.Apply(items, visitors);
        var policy = new BotPolicy(options.Value.BotPageViews, options.Value.BotPagesPerSecond);
        var robots = changes.Sessions.Where(session => session.Session.Lead is null && policy.IsRobot(session.Session))
            .Select(session => session.VisitorId).ToHashSet();
        if (robots.Count > 0)
        {
            await RobotVisits.Remove(tx, robots, tx.Now.AddDays(options.Value.BotDays));
        }
    }

    private static Lead? Resolve(IngestMessage message, IdentityResolver resolver, Dictionary<string, Guid> onDevice)
    {
        Guid? known = message.Device is { } device && onDevice.TryGetValue(device, out var found) ? resolver.Current(found) : null;
        var lead = resolver.Resolve(message.Person, known, () => Guid.CreateVersion7(message.Time));
        if (lead is null)
        {
            return null;
        }

        if (message.Device is { } named)
        {
            onDevice[named] = lead.Id;
        }
        else if (message.Source.Kind is EvidenceKind.Referrer or EvidenceKind.Campaign)
        {
            lead.CameFrom(Touch.Told(message.Source, message.Page.Url, message.Time));
        }

        return lead;
    }
}
