using System.Collections.Concurrent;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Adds what commits changed of the counts to the rollups, every few seconds for the workspaces that were written to in this process;
/// <see cref="RollupKeeper"/> finds what is left over.
/// </summary>
internal sealed partial class RollupFolder(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<RollupFolder> logger)
    : BackgroundService
{
    private readonly ConcurrentDictionary<Guid, bool> changed = [];

    /// <summary>The workspace's counts have changed.</summary>
    public void Note(Guid workspaceId) => changed.TryAdd(workspaceId, true);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RollupFoldSeconds), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var workspaceId in changed.Keys)
            {
                changed.TryRemove(workspaceId, out _);
                try
                {
                    await work.Run(workspaceId, tx => RollupStore.Fold(tx), stoppingToken);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    LogFailed(workspaceId, exception.Message);
                    Note(workspaceId);
                }
            }
        }
    }

    [LoggerMessage(
        EventId = 3033, Level = LogLevel.Warning,
        Message = "Adding changes to the rollups of {WorkspaceId} failed; tried again in the next round: {Reason}")]
    private partial void LogFailed(Guid workspaceId, string reason);
}
