using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Storage;

/// <summary>
/// Hand-backs by sales and the first engagement after each, whichever of the two is heard of first. A hand-back counts once, in the period
/// of that engagement.
/// </summary>
internal static class Reopenings
{
    /// <summary>The lead did something.</summary>
    public static Task Engaged(Transaction<NurtureDbContext> tx, Guid leadId, DateTimeOffset time) => Engaged(tx, [(leadId, time)]);

    /// <summary>Leads did something.</summary>
    public static async Task Engaged(Transaction<NurtureDbContext> tx, IReadOnlyCollection<(Guid LeadId, DateTimeOffset Time)> engagements)
    {
        if (engagements.Count == 0)
        {
            return;
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update recycling r set reopen_time = first.time
            from (
              select r.id, min(e.time) as time
              from unnest(@leads, @times) as e(lead_id, time)
              join recycling r on r.workspace_id = @workspace and r.lead_id = e.lead_id and r.return_time < e.time
              where r.reopen_time is null or e.time < r.reopen_time
              group by r.id) first
            where r.workspace_id = @workspace and r.id = first.id;
            update lead l set engage_time = greatest(l.engage_time, last.time)
            from (select e.lead_id, max(e.time) as time from unnest(@leads, @times) as e(lead_id, time) group by e.lead_id) last
            where l.workspace_id = @workspace and l.lead_id = last.lead_id;
            """,
            new
            {
                workspace = tx.WorkspaceId,
                leads = engagements.Select(engagement => engagement.LeadId).ToArray(),
                times = engagements.Select(engagement => engagement.Time.UtcDateTime).ToArray(),
            },
            cancellationToken: tx.CancellationToken));
    }

    /// <summary>Sales handed the lead back. What it was seen doing after that counts at once.</summary>
    public static Task Returned(Transaction<NurtureDbContext> tx, Guid eventId, LeadRow lead, DateTimeOffset time) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into recycling (workspace_id, id, lead_id, return_time, reopen_time)
            values (@workspace, @id, @lead, @time, case when @engaged > @time then @engaged end) on conflict do nothing
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = eventId,
                lead = lead.LeadId,
                time = time.UtcDateTime,
                engaged = lead.EngageTime?.UtcDateTime
            },
            cancellationToken: tx.CancellationToken));
}
