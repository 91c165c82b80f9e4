using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>
/// Judges every existing lead by a new or changed condition, page by page. Leads are locked while judged: a change that comes meanwhile is
/// judged by the new condition after, so that none falls between.
/// </summary>
internal sealed class JudgeSegmentsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork, SegmentStore segments, EnrollLeadHandler enroll, IOptions<NurtureOptions> options) : ITimerWork
{
    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var worked = false;
        await unitOfWork.Run(workspaceId, async tx => worked = await JudgePage(tx), ct);
        return worked;
    }

    private async Task<bool> JudgePage(Transaction<NurtureDbContext> tx)
    {
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

        var size = options.Value.BatchSize;
        var leads = await tx.Db.Leads.FromSqlRaw(
            """
            select * from lead
            where workspace_id = @workspace and lead_id > @after and profile_version > 0 and merged_into is null and erase_time is null
            order by lead_id limit @size for update
            """,
            new NpgsqlParameter("workspace", tx.WorkspaceId),
            new NpgsqlParameter("after", segment.EvaluatedLead ?? Guid.Empty),
            new NpgsqlParameter("size", size)).AsNoTracking().ToListAsync(tx.CancellationToken);
        var condition = segments.Compile(segment.Id, segment.Version, segment.Condition).Condition;
        var judged = leads.ToLookup(lead => condition.Holds(LeadStore.Facts(lead), tx.Now));
        var entered = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            """
            delete from segment_member where workspace_id = @workspace and segment_id = @segment and lead_id = any(@unfit);
            insert into segment_member (workspace_id, segment_id, lead_id, enter_time)
            select @workspace, @segment, id, @now from unnest(@fit) as fit(id)
            on conflict do nothing returning lead_id;
            """,
            new
            {
                workspace = tx.WorkspaceId,
                segment = segment.Id,
                now = tx.Now,
                unfit = judged[false].Select(lead => lead.LeadId).ToArray(),
                fit = judged[true].Select(lead => lead.LeadId).ToArray(),
            },
            cancellationToken: tx.CancellationToken))).ToHashSet();
        foreach (var lead in judged[true].Where(lead => entered.Contains(lead.LeadId)))
        {
            await enroll.EnterAll(tx, lead, [new SegmentCause(segment.Id)]);
        }

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
}
