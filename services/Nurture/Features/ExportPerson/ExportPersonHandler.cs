using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ExportPerson;

/// <summary>All that the service holds on one person.</summary>
internal sealed class ExportPersonHandler(UnitOfWork<NurtureDbContext> unitOfWork)
{
    public Task<Struct> Export(Guid workspaceId, Guid leadId, CancellationToken ct) =>
        unitOfWork.Read(workspaceId, tx => Export(tx, leadId), ct);

    private static async Task<Struct> Export(Transaction<NurtureDbContext> tx, Guid leadId)
    {
        var named = await LeadStore.Find(tx, leadId);
        var lead = named?.MergedInto is { } target ? await LeadStore.Find(tx, target) : named;
        var data = new Struct();
        if (lead is null)
        {
            return data;
        }

        // Rows become JSON in the database: the export shows whatever the tables hold, also what is added to them later.
        var parts = await tx.Connection.QueryAsync<(string Name, string Json)>(new CommandDefinition(
            """
            select 'nurtureProfile', coalesce(jsonb_agg(to_jsonb(l) - 'workspace_id'), '[]')::text
              from lead l where workspace_id = @workspace and lead_id = @lead
            union all
            select 'segments', coalesce(jsonb_agg(
                jsonb_build_object('displayName', s.display_name, 'enterTime', m.enter_time) order by m.enter_time), '[]')::text
              from segment_member m join segment s on s.workspace_id = m.workspace_id and s.id = m.segment_id
              where m.workspace_id = @workspace and m.lead_id = @lead
            union all
            select 'nurtureActivities', coalesce(jsonb_agg(to_jsonb(a) - 'workspace_id' order by a.time), '[]')::text
              from activity a where workspace_id = @workspace and lead_id = @lead
            union all
            select 'nurtureScores', coalesce(jsonb_agg(to_jsonb(c) - 'workspace_id' order by c.time, c.version), '[]')::text
              from score_change c where workspace_id = @workspace and lead_id = @lead
            union all
            select 'enrollments', coalesce(jsonb_agg(to_jsonb(e) - 'workspace_id' order by e.enter_time), '[]')::text
              from enrollment e where workspace_id = @workspace and lead_id = @lead
            union all
            select 'pendingEntries', coalesce(jsonb_agg(to_jsonb(e) - 'workspace_id' order by e.create_time), '[]')::text
              from pending_entry e where workspace_id = @workspace and lead_id = @lead
            union all
            select 'programCalls', coalesce(jsonb_agg(to_jsonb(c) - 'workspace_id' order by c.create_time), '[]')::text
              from program_call c where workspace_id = @workspace and lead_id = @lead
            union all
            select 'notifications', coalesce(jsonb_agg(to_jsonb(d) - 'workspace_id' order by d.create_time), '[]')::text
              from webhook_delivery d where workspace_id = @workspace and lead_id = @lead
            union all
            select 'emails', coalesce(jsonb_agg(to_jsonb(m) - 'workspace_id' order by m.create_time), '[]')::text
              from message m where workspace_id = @workspace and lead_id = @lead
            union all
            select 'emailEngagements', coalesce(jsonb_agg(to_jsonb(g) - 'workspace_id' order by g.time), '[]')::text
              from engagement g join message m on m.workspace_id = g.workspace_id and m.id = g.message_id
              where g.workspace_id = @workspace and m.lead_id = @lead
            union all
            select 'suppressions', coalesce(jsonb_agg(
                jsonb_build_object('email', email, 'reason', reason, 'createTime', create_time)), '[]')::text
              from suppression where workspace_id = @workspace and email_hash = @hash
            """,
            new { workspace = tx.WorkspaceId, lead = lead.LeadId, hash = lead.Email is { } email ? EmailAddress.Hash(email) : [] },
            cancellationToken: tx.CancellationToken));
        foreach (var (name, json) in parts)
        {
            data.Fields[name] = Value.Parser.ParseJson(json);
        }

        return data;
    }
}
