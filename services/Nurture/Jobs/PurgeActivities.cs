using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Jobs;

/// <summary>
/// Removes activities and scores that are older than any window has to look back, some thousands at a time, at most once an hour.
/// </summary>
internal sealed class PurgeActivities(UnitOfWork<NurtureDbContext> unitOfWork, IOptions<NurtureOptions> options, TimeProvider time)
    : ITimerWork
{
    private const int Batch = 5_000;
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1);
    private readonly Dictionary<Guid, DateTimeOffset> done = [];

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (done.TryGetValue(workspaceId, out var last) && now - last < Pause)
        {
            return false;
        }

        var purged = 0;
        await unitOfWork.Run(
            workspaceId, async tx => purged = await ActivityStore.Purge(tx, now.AddDays(-options.Value.ActivityDays), Batch), ct);
        if (purged < Batch)
        {
            done[workspaceId] = now;
        }

        return purged >= Batch;
    }
}
