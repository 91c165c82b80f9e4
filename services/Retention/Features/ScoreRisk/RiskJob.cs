using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.ScoreRisk;

/// <summary>
/// Gives signals to customers that became known, and scores customers of whom something was told, and every customer once a day.
/// </summary>
public sealed class RiskJob(
    UnitOfWork<RetentionDbContext> work, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RiskJob> logger)
    : WorkspaceJob<RetentionDbContext>(work, TimeSpan.FromSeconds(options.Value.RiskPauseSeconds), time, logger)
{
    private const int BatchSize = 500;

    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        foreach (var step in new[] { ActivitySignals.GiveHeld, (Func<Transaction<RetentionDbContext>, Task<bool>>)ActivitySignals.Forget })
        {
            for (var more = true; more;)
            {
                await Work.Run(workspaceId, async tx => more = await step(tx), ct);
            }
        }

        for (var count = BatchSize; count == BatchSize;)
        {
            count = 0;
            await Work.Run(
                workspaceId,
                async tx =>
                {
                    var (model, version) = await RiskModels.InForce(tx);
                    var customers = await CustomerRisks.Read(tx, model, CustomerRisks.Due, default, BatchSize, locks: true);
                    if (customers.Count > 0)
                    {
                        await CustomerRisks.Keep(tx, model, version, customers);
                    }

                    count = customers.Count;
                },
                ct);
        }
    }
}
