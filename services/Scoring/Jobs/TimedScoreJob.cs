using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Jobs;

/// <summary>
/// Scores leads anew whose points begin or end by time passing alone: inactivity, counts over windows, points that expire. When that is, is
/// known exactly beforehand; readers that come first compute it for themselves.
/// </summary>
public sealed class TimedScoreJob(
    UnitOfWork<ScoringDbContext> work, ScoreSettler settler, IOptions<ScoringOptions> options, TimeProvider time, ILogger<TimedScoreJob> logger)
    : WorkspaceJob(work, options, time, logger)
{
    protected override Task Run(Guid workspaceId, CancellationToken ct) => settler.Settle(workspaceId, int.MaxValue, wait: false, ct);
}
