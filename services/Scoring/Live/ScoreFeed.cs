using System.Collections.Concurrent;
using Lifecycle.Kernel;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Live;

/// <summary>Hands announcements of changed scores to the watches of this process.</summary>
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
        foreach (var watch in watches.Values.Where(watch => watch.WorkspaceId == announcement.WorkspaceId))
        {
            watch.Add(announcement.LeadIds);
        }
    }

    /// <summary>Announcements may have been missed: every watch ends and its reader begins anew.</summary>
    public void Break()
    {
        foreach (var watch in watches.Values)
        {
            watch.Fail(Error.Unavailable("Changes may have been missed; read the scores again and watch anew."));
        }
    }

    /// <summary>What one reader has not seen yet: leads, not changes, so that it stays small however often a score changes.</summary>
    public sealed class Watch(Guid workspaceId, IReadOnlySet<Guid> leadIds)
    {
        private const int MaxPending = 20_000;
        private readonly Lock gate = new();
        private TaskCompletionSource wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private HashSet<Guid> pending = [];
        private Error? failure;

        public Guid WorkspaceId => workspaceId;

        /// <summary>Leads whose scores changed since the last call; none when the wait ended. An error ends the watch.</summary>
        public async Task<Result<IReadOnlyCollection<Guid>>> Next(TimeSpan longest, CancellationToken ct)
        {
            try
            {
                await wake.Task.WaitAsync(longest, ct);
            }
            catch (TimeoutException)
            {
                // Nothing changed meanwhile.
            }

            lock (gate)
            {
                var taken = pending;
                (pending, wake) = ([], new(TaskCreationOptions.RunContinuationsAsynchronously));
                return failure is { } error ? error : taken;
            }
        }

        public void Fail(Error error)
        {
            lock (gate)
            {
                failure = error;
                wake.TrySetResult();
            }
        }

        internal void Add(IReadOnlyList<Guid> changed)
        {
            lock (gate)
            {
                pending.UnionWith(leadIds.Count == 0 ? changed : changed.Where(leadIds.Contains));
                if (pending.Count > MaxPending)
                {
                    failure = Error.Exhausted(
                        "The reader fell too far behind; read the scores again and watch anew.", TimeSpan.FromSeconds(1));
                }

                if (pending.Count > 0)
                {
                    wake.TrySetResult();
                }
            }
        }
    }
}
