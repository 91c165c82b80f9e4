using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Jobs;

/// <summary>Decides what time alone has done: ends the qualification of leads whose score has decayed below the threshold or whose points
/// ended, and qualifies those against whom points ended. When that is due is known exactly beforehand.</summary>
public sealed class DecayJob(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper, IOptions<ScoringOptions> options)
{
    private const int BatchSize = 100;

    public async Task Run(Guid workspaceId, CancellationToken ct)
    {
        for (var count = BatchSize; count == BatchSize;)
        {
            count = 0;
            await work.Run(workspaceId, async tx =>
            {
                var rows = await LeadStore.Select(
                    tx, "due_time <= @Now and change_time <= @quiet order by due_time limit @BatchSize for update skip locked",
                    new { tx.Now, quiet = tx.Now.AddSeconds(-options.Value.DecayQuietSeconds), BatchSize });
                if (rows.Count > 0)
                {
                    await keeper.Score(tx, rows, row => row.DueTime!.Value, settle: true, factsChanged: false);
                }

                count = rows.Count;
            }, ct);
        }
    }
}
