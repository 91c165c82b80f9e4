using Dapper;
using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.RetainData;

/// <summary>
/// Applies a workspace's policy in bounded batches, each a transaction under the lock of the workspace's writers, so that no commit cuts a
/// history into sessions while a part of it goes. Twice is as good as once: replicas need not know of each other.
/// </summary>
internal sealed class DataRetainer(UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time)
{
    private const int Visitors = 200;
    private const int Leads = 200;
    private const int Activities = 5_000;

    /// <summary>One round over a workspace; nothing happens without a policy.</summary>
    /// <returns>Activities deleted and leads erased.</returns>
    public async Task<(long Activities, long Leads)> Apply(Guid workspaceId, CancellationToken ct)
    {
        if (await work.Read(workspaceId, RetentionPolicy.Load, ct) is not { } policy)
        {
            return default;
        }

        var (activities, leads, now) = (0L, 0L, time.GetUtcNow());
        if (policy.AnonymousActivityDays is { } anonymousDays)
        {
            activities += await ForgetVisitors(workspaceId, now.AddDays(-anonymousDays), ct);
        }

        if (policy.LeadActivityDays is { } activityDays)
        {
            activities += await DeleteActivities(workspaceId, now.AddDays(-activityDays), ct);
        }

        if (policy.InactiveLeadDays is { } inactiveDays)
        {
            leads += await EraseInactive(workspaceId, now.AddDays(-inactiveDays), ct);
        }

        await work.Run(workspaceId, tx => tx.Connection.ExecuteAsync(
            "update data_retention set apply_time = @now where workspace_id = @workspace",
            new { workspace = workspaceId, now = tx.Now }), ct);
        return (activities, leads);
    }

    // A visitor who comes back later is a new one: the device's id is forgotten.
    private async Task<long> ForgetVisitors(Guid workspaceId, DateTimeOffset before, CancellationToken ct)
    {
        var total = 0L;
        var last = Guid.Empty;
        Guid[] visitors;
        do
        {
            (visitors, var deleted) = (Array.Empty<Guid>(), 0L);
            await work.Run(workspaceId, async tx =>
            {
                await LeadStore.Lock(tx);
                // An id is of the first visit: who came last before that time came first before it.
                visitors = (await tx.Connection.QueryAsync<Guid>(
                    """
                    select id from visitor
                    where workspace_id = @workspace and id > @last and id < @end
                      and lead_id is null and anonymous_id !~ '^(expired|erased):' and last_time < @before
                    order by id limit @limit
                    """,
                    new { workspace = tx.WorkspaceId, last, end = Partitions.FirstId(before), before, limit = Visitors })).ToArray();
                var counts = await PersonErasure.Run(
                    tx,
                    [
                        ("activities",
                            "delete from activity where workspace_id = @workspace and visitor_id = any(@visitors) and lead_id is null"),
                        ("sessions",
                            """
                            update session set click_id = null, exit_page = null, landing_page = split_part(landing_page, '?', 1)
                            where workspace_id = @workspace and visitor_id = any(@visitors) and lead_id is null
                            """),
                        ("visitors",
                            "update visitor set anonymous_id = 'expired:' || id where workspace_id = @workspace and id = any(@visitors)"),
                    ],
                    new { workspace = tx.WorkspaceId, visitors });
                deleted = counts["activities"];
            }, ct);
            total += deleted;
            last = visitors.LastOrDefault(last);
        }
        while (visitors.Length == Visitors);

        return total;
    }

    private Task<long> DeleteActivities(Guid workspaceId, DateTimeOffset before, CancellationToken ct) => ForEachPage(
        workspaceId,
        "select id from lead where workspace_id = @workspace and id > @last order by id limit @limit",
        before,
        async leads =>
        {
            var total = 0L;
            for (var deleted = Activities; deleted == Activities; total += deleted)
            {
                await work.Run(workspaceId, async tx =>
                {
                    await LeadStore.Lock(tx);
                    deleted = await tx.Connection.ExecuteAsync(
                        """
                        delete from activity where workspace_id = @workspace and id = any(array(
                          select id from activity where workspace_id = @workspace and lead_id = any(@leads) and time < @before limit @limit))
                        """,
                        new { workspace = tx.WorkspaceId, leads, before, limit = Activities });
                }, ct);
            }

            return total;
        },
        ct);

    private Task<long> EraseInactive(Guid workspaceId, DateTimeOffset before, CancellationToken ct) => ForEachPage(
        workspaceId,
        """
        select l.id from lead l
        where l.workspace_id = @workspace and l.id > @last and l.erase_time is null and l.update_time < @before
          and l.stage not in ('OPPORTUNITY', 'CUSTOMER', 'ADVOCATE')
          and not exists (select 1 from session s where s.workspace_id = @workspace and s.lead_id = l.id and s.end_time >= @before)
          and not exists (select 1 from activity a where a.workspace_id = @workspace and a.lead_id = l.id and a.time >= @before)
        order by l.id limit @limit
        """,
        before,
        async leads =>
        {
            var erased = 0L;
            foreach (var lead in leads)
            {
                await work.Run(workspaceId, async tx =>
                    erased += await EraseLead.Erase(tx, lead, TimeSpan.FromSeconds(options.Value.ErasureAskSeconds)) ? 1 : 0, ct);
            }

            return erased;
        },
        ct);

    private async Task<long> ForEachPage(
        Guid workspaceId, string sql, DateTimeOffset before, Func<Guid[], Task<long>> handle, CancellationToken ct)
    {
        var (total, last) = (0L, Guid.Empty);
        while (true)
        {
            var page = await work.Read(
                workspaceId, async tx =>
                    (await tx.Connection.QueryAsync<Guid>(sql, new { workspace = tx.WorkspaceId, last, before, limit = Leads })).ToArray(),
                ct);
            total += page.Length == 0 ? 0 : await handle(page);
            if (page.Length < Leads)
            {
                return total;
            }

            last = page[^1];
        }
    }
}
