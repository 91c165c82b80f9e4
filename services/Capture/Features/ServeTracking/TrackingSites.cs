using Lifecycle.Capture.Domain.Tracking;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.ServeTracking;

/// <summary>A workspace's settings with the script that carries them.</summary>
internal sealed record TrackingSite(TrackingSettings Settings, TrackingScript Script);

/// <summary>Finds how a workspace's sites are tracked: in memory for seconds, else in the database.</summary>
internal sealed class TrackingSites(UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options) : IDisposable
{
    private readonly MemoryCache cache = new(new MemoryCacheOptions { SizeLimit = options.Value.CachedTracking });

    public async ValueTask<TrackingSite> Get(Guid workspaceId, CancellationToken ct)
    {
        if (cache.TryGetValue<TrackingSite>(workspaceId, out var known))
        {
            return known!;
        }

        var (settings, _) = await work.Read(workspaceId, TrackingStore.Load, ct);
        using var entry = cache.CreateEntry(workspaceId);
        entry.Size = 1;
        entry.AbsoluteExpirationRelativeToNow = TimeSpan.FromSeconds(options.Value.TrackingCacheSeconds);
        var site = new TrackingSite(settings, TrackingScript.For(settings));
        entry.Value = site;
        return site;
    }

    /// <summary>After a change in this process; others hear of it when their copy expires.</summary>
    public void Forget(Guid workspaceId) => cache.Remove(workspaceId);

    public void Dispose() => cache.Dispose();
}
