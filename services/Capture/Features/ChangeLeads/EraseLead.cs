using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.ChangeLeads;

/// <summary>Erases a person: nothing that names them stays, the counts do.</summary>
internal static class EraseLead
{
    /// <summary>False when there is no such lead.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="id">The lead, or one that was merged into it.</param>
    /// <param name="pause">Time within which the other services are expected to confirm.</param>
    public static async Task<bool> Erase(Transaction<CaptureDbContext> tx, Guid id, TimeSpan pause)
    {
        await LeadStore.Lock(tx);
        if (await LeadStore.Find(tx, id) is not { } lead)
        {
            return false;
        }

        await SeparateSharedDevices(tx, lead.Id);
        var counts = await PersonErasure.Run(tx, Statements, new { workspace = tx.WorkspaceId, lead = lead.Id, now = tx.Now });
        var merged = await tx.Connection.QueryAsync<Guid>(
            "select source_id from lead_redirect where workspace_id = @workspace and target_id = @lead",
            new { workspace = tx.WorkspaceId, lead = lead.Id });
        counts["answers"] = await PersonErasure.ForgetAnswers(tx, merged.Append(lead.Id).ToArray());
        await ErasureReceipts.Open(tx, lead.Id, lead.Version + 1, counts.Values.Sum(), pause);
        return true;
    }

    private static readonly (string Kind, string Sql)[] Statements =
    [
        ("robotHits",
            """
            delete from robot_activity r using lead_identity i
            where r.workspace_id = @workspace and i.workspace_id = @workspace and i.lead_id = @lead
              and i.kind = r.identity_kind and i.value = r.identity_value
            """),
        ("visitors",
            """
            update visitor set anonymous_id = 'erased:' || id, lead_id = null
            where workspace_id = @workspace
              and (lead_id = @lead or id in (select visitor_id from session where workspace_id = @workspace and lead_id = @lead)
                or id in (select visitor_id from activity where workspace_id = @workspace and lead_id = @lead and visitor_id is not null))
            """),
        ("sessions",
            "update session set landing_page = null, exit_page = null, click_id = null where workspace_id = @workspace and lead_id = @lead"),
        ("activities",
            """
            update activity set name = type, url = null, properties = '{}', click_id = null, identity_kind = null, identity_value = null
            where workspace_id = @workspace and lead_id = @lead
            """),
        ("identities", "delete from lead_identity where workspace_id = @workspace and lead_id = @lead"),
        ("leads",
            """
            update lead set email = '', external_id = '', profile = '{}', own = '{}', observed = '{}', told_touch = null, first_touch = null, last_touch = null,
              version = version + 1, update_time = @now, erase_time = @now
            where workspace_id = @workspace and id = @lead
            """),
    ];

    // On a device that others used too, the person's visits move to a device of their own, so that the next cut of the device's history
    // into sessions gives none of them to somebody else.
    private static async Task SeparateSharedDevices(Transaction<CaptureDbContext> tx, Guid lead)
    {
        var shared = await tx.Connection.QueryAsync<Guid>(
            """
            select distinct a.visitor_id from activity a
            where a.workspace_id = @workspace and a.lead_id = @lead and a.visitor_id is not null
              and exists (
                select 1 from activity other
                where other.workspace_id = @workspace and other.visitor_id = a.visitor_id and other.lead_id is distinct from @lead)
            """,
            new { workspace = tx.WorkspaceId, lead });
        foreach (var device in shared)
        {
            await tx.Connection.ExecuteAsync(
                """
                insert into visitor (workspace_id, id, anonymous_id, lead_id, last_time) values (@workspace, @own, 'erased:' || @own, @lead, @now);
                update session set visitor_id = @own where workspace_id = @workspace and visitor_id = @device and lead_id = @lead;
                update activity set visitor_id = @own where workspace_id = @workspace and visitor_id = @device and lead_id = @lead;
                update visitor set lead_id = (
                    select a.lead_id from activity a where a.workspace_id = @workspace and a.visitor_id = @device order by a.time desc limit 1)
                  where workspace_id = @workspace and id = @device;
                update visitor v set last_session_id = (
                    select s.id from session s where s.workspace_id = @workspace and s.visitor_id = v.id order by s.start_time desc limit 1)
                  where workspace_id = @workspace and id in (@own, @device);
                """,
                new { workspace = tx.WorkspaceId, own = tx.NewId(), device, lead, now = tx.Now });
        }
    }
}
