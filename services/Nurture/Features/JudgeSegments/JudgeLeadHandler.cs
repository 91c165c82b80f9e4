using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>A change of a lead.</summary>
/// <param name="Before">What was known before it; null: nothing, or everything is to be judged.</param>
/// <param name="Lead">The lead as it is now.</param>
/// <param name="Causes">What happened, besides what the segments make of it.</param>
internal sealed record LeadChange(LeadFacts? Before, LeadRow Lead, IReadOnlyCollection<EntryCause> Causes)
{
    /// <summary>What is known of the lead now; null: as its row says.</summary>
    public LeadFacts? After { get; init; }
}

/// <summary>
/// What follows from a change of a lead: its place in the segments that the change can affect, and the programs that it enters. One change
/// costs one lead's conditions, however many leads there are.
/// </summary>
internal sealed class JudgeLeadHandler(SegmentStore segments, EnrollLeadHandler enroll, WorkSignal signal)
{
    private static readonly IReadOnlyDictionary<Guid, IReadOnlyList<Guid>> Nobody = new Dictionary<Guid, IReadOnlyList<Guid>>();

    /// <param name="tx">The transaction, which holds the lead's row locked.</param>
    /// <param name="before">What was known before the change; null: nothing, or everything is to be judged.</param>
    /// <param name="lead">The lead as it is now.</param>
    /// <param name="causes">What happened, besides what the segments make of it.</param>
    public Task Changed(Transaction<NurtureDbContext> tx, LeadFacts? before, LeadRow lead, params IReadOnlyCollection<EntryCause> causes) =>
        Changed(tx, [new(before, lead, causes)]);

    /// <summary>Leads changed. One reading and one writing for all of them.</summary>
    /// <param name="tx">The transaction, which holds the leads' rows locked.</param>
    /// <param name="changes">Each lead once.</param>
    public async Task Changed(Transaction<NurtureDbContext> tx, IReadOnlyCollection<LeadChange> changes)
    {
        var known = changes.Where(change => IsJudged(change.Lead)).ToList();
        var entered = Nobody;
        if (known.Count > 0)
        {
            var graph = await segments.Graph(tx);
            entered = await MembershipKeeper.Judge(tx, graph, Affected(graph, known));
        }

        await Enter(tx, changes.Select(change => (change.Lead, change.Causes)), entered);
        foreach (var change in known.Where(change => change.Before is null))
        {
            await PendingEntries.Enter(tx, enroll, change.Lead);
        }
    }

    private static List<JudgedLead> Affected(SegmentGraph graph, IReadOnlyCollection<LeadChange> changes) =>
        graph.Ordered.Count == 0
            ? []
            : changes.Select(change => (change.Lead, change.Before, After: change.After ?? LeadStore.Facts(change.Lead)))
                .Select(change => new JudgedLead(change.Lead.LeadId, change.After, graph.AffectedBy(change.Before, change.After)))
                .Where(lead => lead.Seeds.Count > 0).ToList();

    /// <summary>Leads did something. One reading and one writing for all of them.</summary>
    /// <param name="tx">The transaction, which holds the leads' rows locked.</param>
    /// <param name="leads">Each lead with what it did and what that is to programs.</param>
    public async Task Did(
        Transaction<NurtureDbContext> tx,
        IReadOnlyCollection<(LeadRow Lead, IReadOnlyList<LeadActivity> Activities, IReadOnlyCollection<EntryCause> Causes)> leads)
    {
        var graph = await segments.Graph(tx);
        var judged = graph.Ordered.Count == 0
            ? []
            : leads.Where(lead => IsJudged(lead.Lead)).Select(lead => (lead.Lead, Facts: LeadStore.Facts(lead.Lead), lead.Activities))
                .Select(lead => new JudgedLead(lead.Lead.LeadId, lead.Facts, graph.AffectedBy(lead.Facts, lead.Activities)))
                .Where(lead => lead.Seeds.Count > 0).ToList();
        var entered = await MembershipKeeper.Judge(tx, graph, judged);
        await Enter(tx, leads.Select(lead => (lead.Lead, lead.Causes)), entered);
    }

    /// <summary>Something became of mails to leads, which segments may count. They are judged right after the transaction.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="byLead">Whether the lead did it: an opening, a click, an unsubscription; else a sending or bounce.</param>
    /// <param name="leadIds">The leads.</param>
    public async Task MailChanged(Transaction<NurtureDbContext> tx, bool byLead, params IReadOnlyCollection<Guid> leadIds) =>
        MailChanged(tx, await segments.Graph(tx), byLead, leadIds);

    /// <summary>As above, with the segments as the transaction sees them.</summary>
    public void MailChanged(Transaction<NurtureDbContext> tx, SegmentGraph graph, bool byLead, IReadOnlyCollection<Guid> leadIds)
    {
        var counting = graph.Ordered.Where(node => byLead ? node.CountsEngagement : node.CountsMail).ToList();
        if (counting.Count == 0 || leadIds.Count == 0)
        {
            return;
        }

        tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            insert into segment_timer (workspace_id, segment_id, lead_id, due_time)
            select $1, s, l, $4 from unnest($2) s cross join unnest($3) l
            on conflict (workspace_id, segment_id, lead_id) do update set due_time = excluded.due_time
            where excluded.due_time < segment_timer.due_time
            """)
        {
            Parameters =
            {
                Bulk.Value(tx.WorkspaceId),
                Bulk.Array(NpgsqlDbType.Uuid, counting.Select(node => node.Id).ToArray()),
                Bulk.Array(NpgsqlDbType.Uuid, leadIds.Distinct().ToArray()),
                Bulk.Value(tx.Now.UtcDateTime),
            },
        });
        signal.Ring(tx.WorkspaceId);
    }

    /// <summary>Enters leads where what happened, or coming into segments, admits them.</summary>
    public Task Enter(
        Transaction<NurtureDbContext> tx,
        IEnumerable<(LeadRow Lead, IReadOnlyCollection<EntryCause> Causes)> leads,
        IReadOnlyDictionary<Guid, IReadOnlyList<Guid>> entered) => enroll.EnterAll(
            tx,
            leads.Select(lead => (lead.Lead, entered.TryGetValue(lead.Lead.LeadId, out var places)
                ? [.. lead.Causes, .. places.Select(segment => new SegmentCause(segment))]
                : lead.Causes)).ToList());

    /// <summary>What is known of the lead; null before its profile has come.</summary>
    public static LeadFacts? Known(LeadRow lead) => lead.ProfileVersion == 0 ? null : LeadStore.Facts(lead);

    /// <summary>Nobody is in a segment before the profile has come, or after the person was erased or merged.</summary>
    public static bool IsJudged(LeadRow lead) => lead is { ProfileVersion: > 0, EraseTime: null, MergedInto: null };
}
