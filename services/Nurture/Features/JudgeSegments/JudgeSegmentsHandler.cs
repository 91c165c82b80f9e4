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
/// Judges every existing lead by new and changed conditions, page by page, in order of their ids. Segments that wait together are judged
/// in one pass: one that comes later is brought to where the others are, and goes on with them. While pages are judged no lead of the
/// workspace changes: what comes before is seen by them, and what comes after is judged by the new conditions, so that none falls between.
/// </summary>
internal sealed class JudgeSegmentsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    SegmentStore segments,
    ProgramStore programs,
    EnrollLeadHandler enroll,
    TimeProvider time,
    IOptions<NurtureOptions> options) : ITimerWork
{
    /// <summary>Leads of a page whose activities are read too.</summary>
    private const int CountedPage = 2_000;

    /// <summary>Segments that are judged together, and by how many of them a page of full size is judged.</summary>
    private const int MaxTogether = 1_000;
    private const int FullPageSegments = 40;

    /// <summary>No further page is begun after it: changes of leads wait as long.</summary>
    private static readonly TimeSpan HoldTime = TimeSpan.FromMilliseconds(100);

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var worked = false;
        await unitOfWork.Run(workspaceId, async tx => worked = await JudgePages(tx), ct);
        return worked;
    }

    private async Task<bool> JudgePages(Transaction<NurtureDbContext> tx)
    {
        var pending = await Pending(tx);
        if (pending.Count == 0)
        {
            return false;
        }

        await SegmentLocks.TakeAlone(tx);
        var begun = time.GetTimestamp();
        var graph = await segments.Graph(tx);
        pending.RemoveAll(row => graph.Find(row.Id) is not { Condition: not null });
        if (pending.Count == 0)
        {
            return false;
        }

        var start = pending[0].EvaluatedLead;
        var together = pending.TakeWhile(row => row.EvaluatedLead == start).Take(MaxTogether).ToList();
        var ahead = pending.Find(row => row.EvaluatedLead != start);
        var seeds = together.ConvertAll(row => graph.Find(row.Id)!);
        var nodes = graph.Reach(seeds).Select(graph.Find).OfType<SegmentNode>().ToList();
        var entering = await Entering(tx, nodes);
        var size = PageSize(seeds, nodes, entering.Count > 0);
        var zone = nodes.Any(node => node.AsksForDays) ? await MembershipKeeper.WorkspaceZone(tx) : TimeZoneInfo.Utc;
        var pages = new LeadPages(tx, seeds, nodes, size, ahead?.EvaluatedLead);
        var (page, judged) = (await pages.Read(start ?? Guid.Empty), (long)size);
        while (true)
        {
            // While a page is judged the last one's members are written and the next one is read.
            var judging = page.Judge(graph, seeds, zone, tx.Now);
            var goesOn = entering.Count == 0 && time.GetElapsedTime(begun) < HoldTime;
            var next = goesOn && page.Next is { } last ? await pages.Read(last) : null;
            var changes = await judging;
            MembershipKeeper.Write(tx, changes);
            await Enroll(tx, changes, entering);
            if (next is null)
            {
                break;
            }

            (page, judged) = (next, judged + size);
        }

        foreach (var row in together)
        {
            if (page.Next is { } reached)
            {
                (row.EvaluatedLead, row.JudgedLeads) = (reached, row.JudgedLeads + judged);
            }
            else if (ahead is not null)
            {
                (row.EvaluatedLead, row.JudgedLeads) = (ahead.EvaluatedLead, ahead.JudgedLeads);
            }
            else
            {
                (row.EvaluatedVersion, row.EvaluatedLead) = (row.Version, null);
            }
        }

        return true;
    }

    /// <summary>Segments to judge, those that are furthest behind first. The partial index holds them and nothing else.</summary>
    private static Task<List<SegmentRow>> Pending(Transaction<NurtureDbContext> tx) => tx.Db.Segments.FromSqlRaw(
        """
        select * from segment where workspace_id = @workspace and evaluated_version < version
        order by evaluated_lead nulls first, id for update skip locked
        """,
        new NpgsqlParameter("workspace", tx.WorkspaceId)).ToListAsync(tx.CancellationToken);

    /// <summary>Those of the segments by which a program is entered.</summary>
    private async Task<HashSet<Guid>> Entering(Transaction<NurtureDbContext> tx, List<SegmentNode> reached)
    {
        var entering = (await programs.Active(tx)).SelectMany(program => program.Path.EntryTriggers).OfType<SegmentEnteredTrigger>()
            .Select(trigger => trigger.SegmentId).ToHashSet();
        entering.IntersectWith(reached.Select(node => node.Id));
        return entering;
    }

    private int PageSize(List<SegmentNode> seeds, List<SegmentNode> reached, bool isEntering)
    {
        var size = isEntering
            ? options.Value.BatchSize
            : reached.Any(node => node.Condition is { Tallies.Count: > 0 })
                ? Math.Min(CountedPage, options.Value.SegmentPageSize)
                : options.Value.SegmentPageSize;
        return Math.Clamp(options.Value.SegmentPageSize * FullPageSegments / seeds.Count, Math.Min(options.Value.BatchSize, size), size);
    }

    private async Task Enroll(Transaction<NurtureDbContext> tx, MembershipChanges changes, HashSet<Guid> entering)
    {
        var entered = entering.Count == 0
            ? []
            : changes.ByLead().Where(lead => lead.Value.Any(entering.Contains)).ToDictionary(lead => lead.Key, lead => lead.Value);
        if (entered.Count == 0)
        {
            return;
        }

        var leads = await LeadStore.FindAll(tx, entered.Keys);
        await enroll.EnterAll(tx, leads.Values.Select(
            lead =>
                (lead, (IReadOnlyCollection<EntryCause>)[.. entered[lead.LeadId].Select(segment => new SegmentCause(segment))])).ToList());
    }
}
