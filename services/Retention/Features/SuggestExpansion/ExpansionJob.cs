using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.SuggestExpansion;

/// <summary>Holds every customer against the rules again and again.</summary>
public sealed partial class ExpansionJob(
    UnitOfWork<RetentionDbContext> work, ExpansionEvaluator evaluator, IOptions<RetentionOptions> options, TimeProvider time, ILogger<ExpansionJob> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(options.Value.ExpansionPauseMinutes), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await work.ForEachWorkspace((workspaceId, ct) => evaluator.Run(workspaceId, ct), stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A job outlives whatever goes wrong in one round: the next one begins anew.
                LogFailed(logger, fault);
            }
        }
    }

    [LoggerMessage(6203, LogLevel.Warning, "Looking for expansion failed and comes back")]
    private static partial void LogFailed(ILogger logger, Exception fault);
}
