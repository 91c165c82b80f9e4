using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Jobs;

/// <summary>Work that no message starts, workspace by workspace, again and again. Replicas share it: what one has locked the others pass
/// over.</summary>
public abstract partial class WorkspaceJob(
    UnitOfWork<ScoringDbContext> work, IOptions<ScoringOptions> options, TimeProvider time, ILogger logger)
    : BackgroundService
{
    protected UnitOfWork<ScoringDbContext> Work => work;

    protected ScoringOptions Options => options.Value;

    protected abstract Task Run(Guid workspaceId, CancellationToken ct);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(Options.JobPauseSeconds), time);
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
                LogFailed(logger, GetType().Name, fault);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(4241, LogLevel.Warning, "{Job} failed and comes back")]
    private static partial void LogFailed(ILogger logger, string job, Exception fault);
}
