using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Jobs;

/// <summary>Scores leads by the models in force that were last scored by others.</summary>
public sealed class RescoreJob(
    UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper, IOptions<ScoringOptions> options, TimeProvider time, ILogger<RescoreJob> logger)
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
                var set = await keeper.Models(tx);
                if (!await tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
                    "select exists (select from lead where workspace_id = @WorkspaceId and generation < @Generation and state is not null)",
                    new { tx.WorkspaceId, set.Generation }, cancellationToken: ct)))
                {
                    return;
                }

                var rows = await LeadStore.Select(
                    tx, "generation < @Generation and state is not null order by lead_id limit @BatchSize for update skip locked",
                    new { set.Generation, BatchSize });
                await keeper.Score(tx, rows, _ => tx.Now, newModel: true);
                count = rows.Count;
            }, ct);
        }
    }
}
