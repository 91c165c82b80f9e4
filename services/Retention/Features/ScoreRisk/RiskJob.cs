using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.ScoreRisk;

/// <summary>Scores customers of whom something was told, and every customer once a day.</summary>
public sealed partial class RiskJob(UnitOfWork<RetentionDbContext> work, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RiskJob> logger) : BackgroundService
{
    private const int BatchSize = 500;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RiskPauseSeconds), time);
        do
        {
            try
            {
                await work.ForEachWorkspace(Run, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A job outlives whatever goes wrong in one round: the next one begins where this one ended.
                LogFailed(logger, fault);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task Run(Guid workspaceId, CancellationToken ct)
    {
        for (var count = BatchSize; count == BatchSize;)
        {
            count = 0;
            await work.Run(
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

    [LoggerMessage(6202, LogLevel.Warning, "Scoring of risk failed and comes back")]
    private static partial void LogFailed(ILogger logger, Exception fault);
}
