using Lifecycle.Capture.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>Makes the coming months' partitions ahead of time and drops those beyond retention.</summary>
internal sealed partial class PartitionKeeper(
    Partitions partitions, IOptions<CaptureOptions> options, TimeProvider time, ILogger<PartitionKeeper> logger) : BackgroundService
{
    private const int MonthsAhead = 2;

    private static readonly TimeSpan Round = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Round, time);
        do
        {
            try
            {
                await Keep(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round.</summary>
    internal async Task Keep(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await partitions.Ensure(Enumerable.Range(0, MonthsAhead + 1).Select(months => now.AddMonths(months)), ct);
        if (options.Value.RetentionMonths is > 0 and var kept)
        {
            foreach (var table in await partitions.Drop(Partitions.MonthOf(now.AddMonths(-kept)), ct))
            {
                LogDropped(table, kept);
            }
        }
    }

    [LoggerMessage(
        EventId = 3021, Level = LogLevel.Information, Message = "Dropped {Table}: its month lies more than {Months} months back")]
    private partial void LogDropped(string table, int months);

    [LoggerMessage(
        EventId = 3022, Level = LogLevel.Warning, Message = "Making or dropping partitions failed; tried again in the next round")]
    private partial void LogFailed(Exception exception);
}
