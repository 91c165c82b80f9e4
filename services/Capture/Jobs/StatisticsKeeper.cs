using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Has the statistics renewed of tables that have doubled. A new table, and each month's new partition, starts without any: the planner
/// takes what it does not know for small and reads all of a workspace where a look by key would do. Autovacuum finds that out after a
/// minute or more, by when a busy site's table has a million rows; what is known to be large is left to it.
/// </summary>
internal sealed partial class StatisticsKeeper(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<StatisticsKeeper> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.StatisticsSeconds), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await work.Run(Guid.Empty, tx => tx.Connection.ExecuteAsync("select analyze_grown()"), stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(EventId = 3041, Level = LogLevel.Warning, Message = "Renewing statistics failed; tried again in the next round")]
    private partial void LogFailed(Exception exception);
}
