using Dapper;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.MergeLeads;

/// <summary>
/// Moves what belongs to one lead to another. In a program that both are in, the target's place stands. The source's row stays as a
/// signpost for events still under way, without anything of the person.
/// </summary>
internal static class MergeLeadsHandler
{
    public static async Task Merge(Transaction<NurtureDbContext> tx, Guid sourceId, Guid targetId)
    {
        await LeadStore.LockAll(tx, [sourceId, targetId]);
        var source = await LeadStore.Lock(tx, sourceId);
        var target = await LeadStore.LockStanding(tx, targetId);
        if (source.MergedInto is not null || source.LeadId == target.LeadId)
        {
            return;
        }

        await EndEnrollments.All(tx, source.LeadId, "MERGED", await RunningPrograms(tx, target.LeadId));
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update enrollment e set lead_id = @target, occurrence = e.occurrence + coalesce((
              select max(t.occurrence) from enrollment t
              where t.workspace_id = @workspace and t.program_id = e.program_id and t.lead_id = @target), 0)
            where e.workspace_id = @workspace and e.lead_id = @source;
            update message m set lead_id = @target, external_id = case when exists (
              select 1 from message t where t.workspace_id = @workspace and t.lead_id = @target and t.external_id = m.external_id)
              then m.external_id || '#' || m.id else m.external_id end
            where m.workspace_id = @workspace and m.lead_id = @source;
            update mql set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            update recycling set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            update lead set merged_into = @target where workspace_id = @workspace and merged_into = @source;
            delete from segment_member where workspace_id = @workspace and lead_id = @source;
            """,
            new { workspace = tx.WorkspaceId, source = source.LeadId, target = target.LeadId },
            cancellationToken: tx.CancellationToken));
        source.MergedInto = target.LeadId;
        if (source.EngageTime > target.EngageTime || target.EngageTime is null)
        {
            target.EngageTime = source.EngageTime;
        }

        LeadStore.Forget(source);
    }

    private static async Task<IReadOnlySet<Guid>> RunningPrograms(Transaction<NurtureDbContext> tx, Guid leadId) =>
        (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            "select program_id from enrollment where workspace_id = @workspace and lead_id = @leadId and state = 'ACTIVE'",
            new { workspace = tx.WorkspaceId, leadId },
            cancellationToken: tx.CancellationToken))).ToHashSet();
}
