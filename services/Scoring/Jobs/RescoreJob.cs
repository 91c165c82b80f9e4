using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Jobs;

/// <summary>Scores leads by the models in force that were last scored by others.</summary>
public sealed class RescoreJob(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
{
    private const int BatchSize = 250;

    /// <summary>
    /// Goes through the leads once, in order of id. Each batch is a transaction that brings its leads' ledgers, scores and qualification to
    /// the new models together: a reader sees a lead by the old ones or by the new ones. Which leads are done stands in their rows, so that
    /// a process that comes back, or another replica, goes on where work stopped; what somebody else holds is found in the next round.
    /// </summary>
    public async Task Run(Guid workspaceId, CancellationToken ct)
    {
        var last = Guid.Empty;
        for (var more = true; more;)
        {
            var after = last;
            await work.Run(workspaceId, async tx =>
            {
                var set = await keeper.Models(tx);
                var rows = await LeadStore.Select(
                    tx,
                    "lead_id > @after and generation < @Generation and state is not null order by lead_id limit @BatchSize for update skip locked",
                    new { after, set.Generation, BatchSize });
                await keeper.Score(tx, rows, _ => tx.Now, newModel: true, factsChanged: false);
                more = rows.Count == BatchSize;
                last = rows.Count > 0 ? rows[^1].LeadId : last;
            }, ct);
        }
    }
}
