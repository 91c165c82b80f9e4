using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Jobs;

/// <summary>
/// Scores leads anew whose points begin or end by time passing alone: inactivity, counts over windows, points that expire. When that is, is
/// known exactly beforehand; readers that come first compute it for themselves.
/// </summary>
public sealed class TimedScoreJob(ScoreSettler settler)
{
    public Task Run(Guid workspaceId, CancellationToken ct) => settler.Settle(workspaceId, int.MaxValue, wait: false, ct);
}
