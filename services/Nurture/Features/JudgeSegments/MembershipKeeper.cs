using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>A lead and the segments to judge it by.</summary>
internal sealed record JudgedLead(Guid LeadId, LeadFacts Facts, IReadOnlyCollection<SegmentNode> Seeds);

/// <summary>
/// Judges leads and keeps their places in segments, with the timers and events that follow: one reading and one writing of the database,
/// however many leads and segments. The caller holds the leads' rows, or the workspace's segment lock, alone.
/// </summary>
internal static class MembershipKeeper
{
    /// <summary>Leads that one event names at most.</summary>
    private const int EventSize = 500;

    /// <param name="tx">The transaction.</param>
    /// <param name="graph">The segments.</param>
    /// <param name="leads">Each lead once.</param>
    /// <returns>The segments that each lead came into, where there are any.</returns>
    public static async Task<IReadOnlyDictionary<Guid, IReadOnlyList<Guid>>> Judge(
        Transaction<NurtureDbContext> tx, SegmentGraph graph, IReadOnlyList<JudgedLead> leads)
    {
        var seeds = leads.SelectMany(lead => lead.Seeds).Distinct().ToList();
        if (seeds.Count == 0)
        {
            return new Dictionary<Guid, IReadOnlyList<Guid>>();
        }

        await tx.Flush();
        var reach = graph.Reach(seeds);
        var ids = leads.Select(lead => lead.LeadId).ToList();
        var tallies = reach.SelectMany(id => graph.Find(id)?.Condition?.Tallies ?? []).Distinct().ToList();
        var members = await Members(tx, ids);
        var activities = await ActivityStore.Load(tx, ids, tallies);
        var zone = reach.Any(id => graph.Find(id) is { AsksForDays: true }) ? await WorkspaceZone(tx) : TimeZoneInfo.Utc;
        var changes = new MembershipChanges();
        var now = tx.Now;
        foreach (var lead in leads)
        {
            var places = members[lead.LeadId].ToHashSet();
            var subject = new SegmentSubject(lead.Facts, [.. activities[lead.LeadId]], places, zone);
            changes.Add(lead.LeadId, graph.Judge(subject, places, lead.Seeds, now));
        }

        Write(tx, changes);
        return changes.ByLead();
    }

    /// <summary>Tells of changes, by segment.</summary>
    public static void Publish(
        Transaction<NurtureDbContext> tx,
        IEnumerable<(Guid Segment, Guid Lead)> entered,
        IEnumerable<(Guid Segment, Guid Lead)> left)
    {
        var changes = entered.Select(change => (change.Segment, change.Lead, IsEntry: true))
            .Concat(left.Select(change => (change.Segment, change.Lead, IsEntry: false)));
        foreach (var segment in changes.GroupBy(change => change.Segment))
        {
            foreach (var part in segment.Chunk(EventSize))
            {
                tx.Publish(new SegmentMembershipChanged(
                    tx.NewId(), tx.WorkspaceId, tx.Now,
                    (tx.Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, segment.Key,
                    [.. part.Where(change => change.IsEntry).Select(change => change.Lead)],
                    [.. part.Where(change => !change.IsEntry).Select(change => change.Lead)]));
            }
        }
    }

    /// <summary>Days are the workspace's where a lead tells no zone of its own.</summary>
    public static async Task<TimeZoneInfo> WorkspaceZone(Transaction<NurtureDbContext> tx) =>
        await tx.Connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select time_zone from workspace where id = @workspace", new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken))
            is { } name && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : TimeZoneInfo.Utc;

    /// <summary>By the leads' index, whatever they are in.</summary>
    private static async Task<ILookup<Guid, Guid>> Members(Transaction<NurtureDbContext> tx, List<Guid> leads)
    {
        var rows = await tx.Connection.QueryAsync<(Guid Lead, Guid Segment)>(new CommandDefinition(
            "select lead_id, segment_id from segment_member where workspace_id = @workspace and lead_id = any(@leads)",
            new { workspace = tx.WorkspaceId, leads = leads.ToArray() },
            cancellationToken: tx.CancellationToken));
        return rows.ToLookup(row => row.Lead, row => row.Segment);
    }

    /// <summary>
    /// Writes places and timers, and tells of them. Nothing in the transaction reads what this writes, but for another judgement, which
    /// flushes first.
    /// </summary>
    public static void Write(Transaction<NurtureDbContext> tx, MembershipChanges changes)
    {
        if (changes.Left.Count > 0)
        {
            tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                delete from segment_member m using unnest($2, $3) as d(segment_id, lead_id)
                where m.workspace_id = $1 and m.segment_id = d.segment_id and m.lead_id = d.lead_id
                """)
            {
                Parameters =
                {
                    Bulk.Value(tx.WorkspaceId),
                    Bulk.Array(NpgsqlDbType.Uuid, changes.Left.Select(change => change.Segment).ToArray()),
                    Bulk.Array(NpgsqlDbType.Uuid, changes.Left.Select(change => change.Lead).ToArray()),
                },
            });
        }

        Bulk.Add(
            tx.Closing,
            "segment_member",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, changes.Entered, _ => tx.WorkspaceId),
                BulkColumn.From("segment_id", NpgsqlDbType.Uuid, changes.Entered, change => change.Segment),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, changes.Entered, change => change.Lead),
                BulkColumn.From("enter_time", NpgsqlDbType.TimestampTz, changes.Entered, _ => tx.Now),
            ],
            "on conflict do nothing");
        Bulk.Add(
            tx.Closing,
            "segment_timer",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, changes.Timers, _ => tx.WorkspaceId),
                BulkColumn.From("segment_id", NpgsqlDbType.Uuid, changes.Timers, timer => timer.Segment),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, changes.Timers, timer => timer.Lead),
                BulkColumn.From("due_time", NpgsqlDbType.TimestampTz, changes.Timers, timer => timer.Due.ToUniversalTime()),
            ],
            // A timer that comes too early judges in vain and is set anew; moving it at each activity would cost more.
            """
            on conflict (workspace_id, segment_id, lead_id) do update set due_time = excluded.due_time
            where excluded.due_time < segment_timer.due_time
            """);
        Publish(tx, changes.Entered, changes.Left);
    }
}
