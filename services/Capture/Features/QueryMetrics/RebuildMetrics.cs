using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.QueryMetrics;

/// <summary>Counts a workspace's rollups anew, in the zone of the caller's workspace.</summary>
internal sealed class RebuildMetrics(UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options)
{
    public async Task<RebuildRollupsResponse> Run(Caller caller, CancellationToken ct)
    {
        var counted = default((long Sessions, long Leads));
        await work.Run(
            caller.WorkspaceId, async tx => counted = await RollupStore.Rebuild(tx, caller.TimeZone, options.Value.RetentionMonths), ct);
        return new() { SessionCount = counted.Sessions, LeadCount = counted.Leads, TimeZone = caller.TimeZone.Id };
    }
}
