using System.Collections.Concurrent;
using Lifecycle.Kernel;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Live;

/// <summary>Wakes the watches of this process when scores changed on any replica; what changed they read for themselves.</summary>
public sealed class ScoreFeed(IOptions<ScoringOptions> options)
{
    private readonly ConcurrentDictionary<Guid, Watch> watches = new();

    /// <summary>Begins a watch; errors when the process has as many as it takes.</summary>
    /// <param name="id">Name of the watch.</param>
    /// <param name="workspaceId">Workspace whose scores it sees.</param>
    /// <param name="leadIds">Only these; empty: all.</param>
    public Result<Watch> Begin(Guid id, Guid workspaceId, IReadOnlySet<Guid> leadIds)
    {
        if (watches.Count >= options.Value.MaxWatches)
        {
            return Error.Exhausted($"{options.Value.MaxWatches} watches are open; try again later.", TimeSpan.FromSeconds(30));
        }

        return watches[id] = new(workspaceId, leadIds);
    }

    public void End(Guid id) => watches.TryRemove(id, out _);

    public void Announce(ScoreAnnouncement announcement)
    {
        foreach (var watch in watches.Values.Where(watch => watch.Concerns(announcement)))
        {
            watch.Ring();
        }
    }

    /// <summary>Announcements may have been missed: every watch looks.</summary>
    public void RingAll()
    {
        foreach (var watch in watches.Values)
        {
            watch.Ring();
        }
    }

    /// <summary>One reader's bell.</summary>
    public sealed class Watch(Guid workspaceId, IReadOnlySet<Guid> leadIds)
    {
        private TaskCompletionSource bell = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>
        /// Waits until something may have changed; false: nothing did for so long. Whoever looks after it misses nothing.
        /// </summary>
        public async Task<bool> Wait(TimeSpan longest, CancellationToken ct)
        {
            try
            {
                await Volatile.Read(ref bell).Task.WaitAsync(longest, ct);
            }
            catch (TimeoutException)
            {
                return false;
            }

            Volatile.Write(ref bell, new(TaskCreationOptions.RunContinuationsAsynchronously));
            return true;
        }

        internal bool Concerns(ScoreAnnouncement announcement) =>
            announcement.WorkspaceId == workspaceId && (leadIds.Count == 0 || announcement.LeadIds.Any(leadIds.Contains));

        internal void Ring() => Volatile.Read(ref bell).TrySetResult();
    }
}
