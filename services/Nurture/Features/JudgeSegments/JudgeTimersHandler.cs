using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>Judges leads anew when a window has passed: the head of an indexed queue, and nothing else.</summary>
internal sealed class JudgeTimersHandler(
    UnitOfWork<NurtureDbContext> unitOfWork, SegmentStore segments, JudgeLeadHandler judge, IOptions<NurtureOptions> options) : ITimerWork
{
    /// <summary>One process at a time works on a workspace's timers, so that no two wait for each other's leads.</summary>
    private const int LockClass = 4102;

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var count = 0;
        await unitOfWork.Run(workspaceId, async tx => count = await Judge(tx), ct);
        return count >= options.Value.BatchSize;
    }

    private async Task<int> Judge(Transaction<NurtureDbContext> tx)
    {
        var parameters = new
        {
            workspace = tx.WorkspaceId,
            now = tx.Now,
            limit = options.Value.BatchSize,
            @class = LockClass,
            key = BitConverter.ToInt32(tx.WorkspaceId.ToByteArray(), 12),
        };
        var due = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            """
            select distinct lead_id from (
              select lead_id from segment_timer where workspace_id = @workspace and due_time <= @now order by due_time limit @limit) t
            where pg_try_advisory_xact_lock(@class, @key)
            """,
            parameters,
            cancellationToken: tx.CancellationToken))).AsList();
        if (due.Count == 0)
        {
            return 0;
        }

        // Leads first, timers second, as every other transaction has it.
        var leads = await LeadStore.LockAll(tx, due);
        var fired = (await tx.Connection.QueryAsync<(Guid Lead, Guid Segment)>(new CommandDefinition(
            """
            delete from segment_timer where workspace_id = @workspace and lead_id = any(@due) and due_time <= @now
            returning lead_id, segment_id
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, due = due.ToArray() },
            cancellationToken: tx.CancellationToken))).ToLookup(row => row.Lead, row => row.Segment);
        var graph = await segments.Graph(tx);
        var judged = due.Select(id => leads[id]).Where(JudgeLeadHandler.IsJudged).Select(lead => new JudgedLead(
            lead.LeadId, LeadStore.Facts(lead), fired[lead.LeadId].Select(graph.Find).OfType<SegmentNode>().ToList())).ToList();
        var entered = await MembershipKeeper.Judge(tx, graph, judged);
        await judge.Enter(tx, entered.Keys.Select(lead => (leads[lead], (IReadOnlyCollection<EntryCause>)[])), entered);

        return due.Count;
    }
}
