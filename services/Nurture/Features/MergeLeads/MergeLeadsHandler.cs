using Dapper;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.MergeLeads;

/// <summary>
/// Moves what belongs to one lead to another. In a program that both are in, the target's place stands. The source's row stays as a
/// signpost for events still under way, without anything of the person.
/// </summary>
internal static class MergeLeadsHandler
{
    /// <returns>The target; null where the source had been merged before.</returns>
    public static async Task<LeadRow?> Merge(Transaction<NurtureDbContext> tx, Guid sourceId, Guid targetId)
    {
        await LeadStore.LockAll(tx, [sourceId, targetId]);
        var source = await LeadStore.Lock(tx, sourceId);
        var target = await LeadStore.LockStanding(tx, targetId);
        if (source.MergedInto is not null || source.LeadId == target.LeadId)
        {
            return null;
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
            update program_call set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            update webhook_delivery set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            insert into pending_entry (workspace_id, lead_id, program_id, key, create_time)
              select workspace_id, @target, program_id, key, create_time from pending_entry
              where workspace_id = @workspace and lead_id = @source on conflict do nothing;
            delete from pending_entry where workspace_id = @workspace and lead_id = @source;
            update mql set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            update recycling set lead_id = @target where workspace_id = @workspace and lead_id = @source;
            update lead set merged_into = @target where workspace_id = @workspace and merged_into = @source;
            insert into activity (workspace_id, lead_id, id, time, type, name, session_id, url, properties)
              select workspace_id, @target, id, time, type, name, session_id, url, properties from activity
              where workspace_id = @workspace and lead_id = @source on conflict do nothing;
            delete from activity where workspace_id = @workspace and lead_id = @source;
            delete from score_change where workspace_id = @workspace and lead_id = @source;
            delete from segment_timer where workspace_id = @workspace and lead_id = @source;
            """,
            new { workspace = tx.WorkspaceId, source = source.LeadId, target = target.LeadId },
            cancellationToken: tx.CancellationToken));
        await MoveMembers(tx, source.LeadId, target.LeadId);
        source.MergedInto = target.LeadId;
        if (source.EngageTime > target.EngageTime || target.EngageTime is null)
        {
            target.EngageTime = source.EngageTime;
        }

        var touch = source.LastTouch;
        LeadStore.Forget(source);
        target.LastTouch ??= target.EraseTime is null ? touch : null;
        return target;
    }

    /// <summary>The target takes the source's place in lists; its place in other segments is judged anew.</summary>
    private static async Task MoveMembers(Transaction<NurtureDbContext> tx, Guid source, Guid target)
    {
        var left = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            "delete from segment_member where workspace_id = @workspace and lead_id = @source returning segment_id",
            new { workspace = tx.WorkspaceId, source },
            cancellationToken: tx.CancellationToken))).AsList();
        var entered = left.Count == 0
            ? []
            : (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
                """
                insert into segment_member (workspace_id, segment_id, lead_id, enter_time)
                select @workspace, s.id, @target, @now from segment s
                where s.workspace_id = @workspace and s.id = any(@left) and s.is_list on conflict do nothing returning segment_id
                """,
                new { workspace = tx.WorkspaceId, target, now = tx.Now, left = left.ToArray() },
                cancellationToken: tx.CancellationToken))).AsList();
        MembershipKeeper.Publish(tx, entered.ConvertAll(segment => (segment, target)), left.ConvertAll(segment => (segment, source)));
    }

    private static async Task<IReadOnlySet<Guid>> RunningPrograms(Transaction<NurtureDbContext> tx, Guid leadId) =>
        (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            "select program_id from enrollment where workspace_id = @workspace and lead_id = @leadId and state = 'ACTIVE'",
            new { workspace = tx.WorkspaceId, leadId },
            cancellationToken: tx.CancellationToken))).ToHashSet();
}
