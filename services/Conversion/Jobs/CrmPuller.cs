using Lifecycle.Conversion.Features.SyncCrm;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Jobs;

/// <summary>Looks for connections that are due to pull, round by round.</summary>
public sealed partial class CrmPuller(
    PullCrm pull, UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options, TimeProvider time,
        ILogger<CrmPuller> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var poll = TimeSpan.FromSeconds(options.Value.CrmPollSeconds);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work.ForEachWorkspace(pull.Handle, stoppingToken);
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

    [LoggerMessage(4132, LogLevel.Warning, "A round of pulling from CRMs failed and comes again: {Reason}")]
    private partial void LogRoundFailed(string reason);
}
