using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>
/// Judges every existing lead by a new or changed condition, page by page, in order of their ids. While a page is judged no lead of the
/// workspace changes: what comes before is seen by it, and what comes after is judged by the new condition, so that none falls between.
/// </summary>
internal sealed class JudgeSegmentsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    SegmentStore segments,
    ProgramStore programs,
    EnrollLeadHandler enroll,
    IOptions<NurtureOptions> options) : ITimerWork
{
    /// <summary>Leads of a page whose activities are read too.</summary>
    private const int CountedPage = 2_000;

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var worked = false;
        await unitOfWork.Run(workspaceId, async tx => worked = await JudgePage(tx), ct);
        return worked;
    }

    private async Task<bool> JudgePage(Transaction<NurtureDbContext> tx)
    {
        // The partial index holds the segments to judge and nothing else.
        var segment = (await tx.Db.Segments.FromSqlRaw(
            """
            select * from segment where workspace_id = @workspace and evaluated_version < version
            order by id limit 1 for update skip locked
            """,
            new NpgsqlParameter("workspace", tx.WorkspaceId)).ToListAsync(tx.CancellationToken)).SingleOrDefault();
        if (segment is null)
        {
            return false;
        }

        await SegmentLocks.TakeAlone(tx);
        var graph = await segments.Graph(tx);
        if (graph.Find(segment.Id) is not { Condition: not null } node)
        {
            return false;
        }

        var entering = (await programs.Active(tx)).SelectMany(program => program.Path.EntryTriggers).OfType<SegmentEnteredTrigger>()
            .Select(trigger => trigger.SegmentId).ToHashSet();
        var nodes = graph.Reach([node]).Select(graph.Find).OfType<SegmentNode>().ToList();
        var size = nodes.Any(reached => entering.Contains(reached.Id))
            ? options.Value.BatchSize
            : nodes.Any(reached => reached.Condition is { Tallies.Count: > 0 }) ? CountedPage : options.Value.SegmentPageSize;
        var leads = (await Page(tx, nodes, segment.EvaluatedLead ?? Guid.Empty, size)).AsList();
        var seeds = new[] { node };
        var entered = await MembershipKeeper.Judge(
            tx, graph, [.. leads.InParallel(lead => new JudgedLead(lead.LeadId, LeadStore.Facts(lead), seeds))], isPage: true);
        await Enroll(tx, entered, entering);
        segment.JudgedLeads += leads.Count;
        if (leads.Count < size)
        {
            (segment.EvaluatedVersion, segment.EvaluatedLead) = (segment.Version, null);
        }
        else
        {
            segment.EvaluatedLead = leads[^1].LeadId;
        }

        return true;
    }

    private static Task<IEnumerable<LeadRow>> Page(
        Transaction<NurtureDbContext> tx, IReadOnlyCollection<SegmentNode> nodes, Guid after, int size) =>
        tx.Connection.QueryAsync<LeadRow>(new CommandDefinition(
            $"""
            select {LeadColumns.For(nodes.Select(node => node.Condition!).Where(condition => condition is not null))} from lead
            where workspace_id = @workspace and lead_id > @after and profile_version > 0 and merged_into is null and erase_time is null
            order by lead_id limit @size
            """,
            new { workspace = tx.WorkspaceId, after, size },
            cancellationToken: tx.CancellationToken));

    private async Task Enroll(
        Transaction<NurtureDbContext> tx, IReadOnlyDictionary<Guid, IReadOnlyList<Guid>> entered, IReadOnlySet<Guid> entering)
    {
        var ids = entered.Where(lead => lead.Value.Any(entering.Contains)).Select(lead => lead.Key).ToList();
        if (ids.Count == 0)
        {
            return;
        }

        var leads = await LeadStore.FindAll(tx, ids);
        await enroll.EnterAll(tx, leads.Values.Select(
            lead => (lead, (IReadOnlyCollection<EntryCause>)[.. entered[lead.LeadId].Select(segment => new SegmentCause(segment))])).ToList());
    }
}
