using Lifecycle.Conversion.Features.WatchHandoffs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Jobs;

/// <summary>Looks for hand-offs past their deadline, round by round.</summary>
public sealed partial class HandoffWatcher(
    WatchHandoffs watch, UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options, TimeProvider time,
        ILogger<HandoffWatcher> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var poll = TimeSpan.FromSeconds(options.Value.HandoffPollSeconds);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work.ForEachWorkspace(watch.Handle, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogRoundFailed(exception.GetBaseException().Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(poll, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(4121, LogLevel.Warning, "A round of watching hand-offs failed and comes again: {Reason}")]
    private partial void LogRoundFailed(string reason);
}
