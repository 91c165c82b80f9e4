using Dapper;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Rollups;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Features.ReclassifyChannels;

/// <summary>Reads anew the touches that imports, API calls and messages without a device told; a channel that they named stays.</summary>
internal static class ToldTouchReclassifier
{
    /// <summary>The run after one batch; null when no lead is left.</summary>
    public static async Task<StoredReclassification?> Step(
        Transaction<CaptureDbContext> tx, StoredReclassification run, SourceReader sources, int limit)
    {
        var leads = (await tx.Connection.QueryAsync<(Guid Id, DateTimeOffset CreateTime)>(
            """
            select id, create_time from lead
            where workspace_id = @workspace and told_touch is not null and erase_time is null and create_time >= @time and (create_time, id) > (@time, @id)
            order by create_time, id limit @limit
            """,
            new { workspace = tx.WorkspaceId, time = run.CursorTime ?? DateTimeOffset.UnixEpoch, id = run.CursorId ?? Guid.Empty, limit }))
            .ToArray();
        if (leads.Length == 0)
        {
            return null;
        }

        var facts = new Dictionary<Guid, LeadFacts>();
        var rollups = await RollupKeeping.Open(tx, facts);
        var changed = await LeadTouches.Renew(
            tx, leads.Select(lead => lead.Id).ToArray(), lead => lead.Reclassify(sources), rollups, facts);
        return run.After(leads.Length, leads[^1].CreateTime, leads[^1].Id) with { ChangedLeads = run.ChangedLeads + changed };
    }
}
