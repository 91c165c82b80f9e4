using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Postgres;

/// <summary>
/// Work done for every workspace, round after round, until the host stops. A workspace's fault is logged and holds up no other; the next
/// round tries it again. Every replica runs its own rounds: they share the work by what the work locks.
/// </summary>
/// <param name="work">The service's database.</param>
/// <param name="pause">From the end of a round to the beginning of the next, above 0.</param>
/// <param name="time">Clock of the pauses.</param>
/// <param name="logger">Of the job itself.</param>
public abstract partial class WorkspaceJob<TContext>(UnitOfWork<TContext> work, TimeSpan pause, TimeProvider time, ILogger logger)
    : BackgroundService
    where TContext : LifecycleDbContext
{
    protected UnitOfWork<TContext> Work => work;

    protected TimeProvider Time => time;

    protected ILogger Logger => logger;

    /// <summary>Whether the first round begins with the process, or a pause later.</summary>
    protected virtual bool BeginsAtOnce => true;

    /// <summary>One workspace's part of a round.</summary>
    protected abstract Task Run(Guid workspaceId, CancellationToken ct);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host's start-up does not wait for a round.
        await Task.Yield();
        for (var rests = !BeginsAtOnce; !stoppingToken.IsCancellationRequested; rests = true)
        {
            if (rests)
            {
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (!stoppingToken.IsCancellationRequested)
            {
                await Round(stoppingToken);
            }
        }
    }

    private async Task Round(CancellationToken ct)
    {
        try
        {
            await work.ForEachWorkspace(RunOne, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception fault)
        {
            LogRoundFailed(GetType().Name, fault.GetBaseException().Message, fault);
        }
    }

    private async Task RunOne(Guid workspaceId, CancellationToken ct)
    {
        try
        {
            await Run(workspaceId, ct);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            LogFailed(GetType().Name, workspaceId, fault.GetBaseException().Message, fault);
        }
    }

    [LoggerMessage(2171, LogLevel.Warning, "{Job} failed for workspace {WorkspaceId} and comes back to it: {Reason}")]
    private partial void LogFailed(string job, Guid workspaceId, string reason, Exception fault);

    [LoggerMessage(2172, LogLevel.Warning, "A round of {Job} found no workspaces and comes again: {Reason}")]
    private partial void LogRoundFailed(string job, string reason, Exception fault);
}
