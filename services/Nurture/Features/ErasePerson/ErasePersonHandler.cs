using Dapper;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;

namespace Lifecycle.Nurture.Features.ErasePerson;

/// <summary>
/// Removes what names a person and keeps what is counted: times, sources, steps, opens. A suppression lives on as a hash, so that nobody
/// who asked for no mail gets some after the next import.
/// </summary>
internal static class ErasePersonHandler
{
    /// <returns>Records changed, by kind.</returns>
    public static async Task<IReadOnlyDictionary<string, long>> Erase(Transaction<NurtureDbContext> tx, Guid leadId)
    {
        var lead = await LeadStore.LockStanding(tx, leadId);
        var erased = await LeadStore.Lock(tx, leadId);
        var hash = lead.Email is { } email ? EmailAddress.Hash(email) : [];
        await EndEnrollments.All(tx, lead.LeadId, "ERASED");
        MembershipKeeper.Publish(tx, [], (await Places(tx, lead.LeadId)).Select(segment => (segment, lead.LeadId)));
        var counts = await PersonErasure.Run(
            tx,
            [
                ("suppressions",
                    """
                    update suppression set email = null
                    where workspace_id = @workspace and (email_hash = @hash or email in (
                      select to_address from message where workspace_id = @workspace and lead_id = @lead and to_address is not null))
                    """),
                ("engagements",
                    """
                    update engagement set url = null, user_agent = null, client = null
                    where workspace_id = @workspace and message_id in (select id from message where workspace_id = @workspace and lead_id = @lead)
                    """),
                ("messages",
                    """
                    update message set
                      to_address = null, subject = null, content = null, links = '{}',
                      external_id = case when external_id is null then null else 'erased#' || id end,
                      due_time = case when state = 'PENDING' then null else due_time end,
                      detail = case when state = 'PENDING' then 'ERASED' when state in ('BOUNCED', 'FAILED') then null else detail end,
                      state = case when state = 'PENDING' then 'SKIPPED' else state end
                    where workspace_id = @workspace and lead_id = @lead
                    """),
                ("activities", "delete from activity where workspace_id = @workspace and lead_id = @lead"),
                ("scoreChanges", "delete from score_change where workspace_id = @workspace and lead_id = @lead"),
                ("programCalls",
                    """
                    update program_call set value = null, due_time = null, state = case state when 'PENDING' then 'CANCELLED' else state end
                    where workspace_id = @workspace and lead_id = @lead and (value is not null or state = 'PENDING')
                    """),
                ("pendingEntries", "delete from pending_entry where workspace_id = @workspace and lead_id = @lead"),
                ("segmentMembers", "delete from segment_member where workspace_id = @workspace and lead_id = @lead"),
                ("segmentTimers", "delete from segment_timer where workspace_id = @workspace and lead_id = @lead"),
            ],
            new { workspace = tx.WorkspaceId, lead = lead.LeadId, hash });
        counts["webhookDeliveries"] = await WebhookDeliveries.Erase(tx, [lead.LeadId]);
        counts["profiles"] = lead.EraseTime is null ? 1 : 0;
        foreach (var row in new[] { lead, erased })
        {
            row.EraseTime ??= tx.Now;
            LeadStore.Forget(row);
        }

        return counts;
    }

    private static Task<IEnumerable<Guid>> Places(Transaction<NurtureDbContext> tx, Guid leadId) =>
        tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            "select segment_id from segment_member where workspace_id = @workspace and lead_id = @leadId",
            new { workspace = tx.WorkspaceId, leadId },
            cancellationToken: tx.CancellationToken));
}
