using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>
/// What follows from a change of a lead: its place in every segment, and the programs that it enters. One change costs one lead's
/// conditions, however many leads there are.
/// </summary>
internal sealed class JudgeLeadHandler(SegmentStore segments, EnrollLeadHandler enroll)
{
    /// <param name="tx">The transaction, which holds the lead's row locked.</param>
    /// <param name="lead">The lead as it is now.</param>
    /// <param name="causes">What happened, besides what the segments make of it.</param>
    public async Task Changed(Transaction<NurtureDbContext> tx, LeadRow lead, params IReadOnlyCollection<EntryCause> causes)
    {
        var entered = await Judge(tx, lead);
        await enroll.EnterAll(tx, lead, [.. causes, .. entered.Select(segment => new SegmentCause(segment))]);
    }

    private async Task<IReadOnlyList<Guid>> Judge(Transaction<NurtureDbContext> tx, LeadRow lead)
    {
        var all = await segments.All(tx);
        if (all.Count == 0 || lead.ProfileVersion == 0)
        {
            return [];
        }

        var facts = LeadStore.Facts(lead);
        var fitting = lead.EraseTime is not null || lead.MergedInto is not null
            ? []
            : all.Where(segment => segment.Condition.Holds(facts, tx.Now)).Select(segment => segment.Id).ToArray();
        var entered = await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            """
            delete from segment_member where workspace_id = @workspace and lead_id = @lead and segment_id <> all(@fitting);
            insert into segment_member (workspace_id, segment_id, lead_id, enter_time)
            select @workspace, id, @lead, @now from unnest(@fitting) as fitting(id)
            on conflict do nothing returning segment_id;
            """,
            new { workspace = tx.WorkspaceId, lead = lead.LeadId, now = tx.Now, fitting },
            cancellationToken: tx.CancellationToken));
        return entered.AsList();
    }
}
