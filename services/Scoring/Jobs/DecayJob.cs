using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Jobs;

/// <summary>Decides what time alone has done: ends the qualification of leads whose score has decayed below the threshold or whose points
/// ended, and qualifies those against whom points ended. When that is due is known exactly beforehand.</summary>
public sealed class DecayJob(
    UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper, IOptions<ScoringOptions> options, TimeProvider time, ILogger<DecayJob> logger)
    : WorkspaceJob(work, options, time, logger)
{
    private const int BatchSize = 100;

    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        for (var count = BatchSize; count == BatchSize;)
        {
            count = 0;
            await Work.Run(workspaceId, async tx =>
            {
                var rows = await LeadStore.Select(
                    tx, "due_time <= @Now and change_time <= @quiet order by due_time limit @BatchSize for update skip locked",
                    new { tx.Now, quiet = tx.Now.AddSeconds(-Options.DecayQuietSeconds), BatchSize });
                if (rows.Count > 0)
                {
                    await keeper.Score(tx, rows, row => row.DueTime!.Value, settle: true);
                }

                count = rows.Count;
            }, ct);
        }
    }
}
