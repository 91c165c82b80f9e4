using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Jobs;

/// <summary>Scores leads by the model in force that were last scored by another.</summary>
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
                var model = (await keeper.Model(tx)).Model;
                if (!await tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
                    "select exists (select from lead where workspace_id = @WorkspaceId and model_version < @Version and state is not null)",
                    new { tx.WorkspaceId, model.Version }, cancellationToken: ct)))
                {
                    return;
                }

                var rows = await LeadStore.Select(
                    tx, "model_version < @Version and state is not null order by lead_id limit @BatchSize for update skip locked",
                    new { model.Version, BatchSize });
                await keeper.Score(tx, rows, _ => tx.Now, newModel: true);
                count = rows.Count;
            }, ct);
        }
    }
}
