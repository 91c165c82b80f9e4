using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>
/// Adds leads to a static list and takes them off, with all that follows: events, segments that ask for the list, programs.
/// </summary>
internal sealed class ChangeListHandler(SegmentStore segments, JudgeLeadHandler judge)
{
    /// <summary>Changes the list.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="list">A segment that is a static list; the caller has made sure.</param>
    /// <param name="leadIds">Leads as <see cref="LeadFinder"/> found them.</param>
    /// <param name="add">Whether to add them; else to take them off.</param>
    /// <returns>The leads for which that changed something.</returns>
    public async Task<IReadOnlyList<Guid>> Change(
        Transaction<NurtureDbContext> tx, Guid list, IReadOnlyCollection<Guid> leadIds, bool add)
    {
        if (leadIds.Count == 0)
        {
            return [];
        }

        var leads = await LeadStore.LockAll(tx, leadIds);
        await tx.Flush();
        var changed = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            add
                ? """
                  insert into segment_member (workspace_id, segment_id, lead_id, enter_time)
                  select @workspace, @list, id, @now from unnest(@leads) as l(id) on conflict do nothing returning lead_id
                  """
                : """
                  delete from segment_member where workspace_id = @workspace and segment_id = @list and lead_id = any(@leads)
                  returning lead_id
                  """,
            new
            {
                workspace = tx.WorkspaceId,
                list,
                now = tx.Now,
                leads = leads.Values.Where(JudgeLeadHandler.IsJudged).Select(lead => lead.LeadId).ToArray(),
            },
            cancellationToken: tx.CancellationToken))).AsList();
        var changes = changed.Select(lead => (list, lead)).ToList();
        MembershipKeeper.Publish(tx, add ? changes : [], add ? [] : changes);
        var graph = await segments.Graph(tx);
        var asking = graph.Dependents(list).ToList();
        var entered = await MembershipKeeper.Judge(
            tx, graph, changed.ConvertAll(lead => new JudgedLead(lead, LeadStore.Facts(leads[lead]), asking)));
        await judge.Enter(
            tx, changed.Select(lead => (leads[lead], (IReadOnlyCollection<EntryCause>)(add ? [new SegmentCause(list)] : []))), entered);

        return changed;
    }
}
