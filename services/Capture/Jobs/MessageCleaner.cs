using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Forgets message ids after the time in which they deduplicate, in bounded batches; replicas share the work by skipping each other's rows. (An activity's
/// own id tells a repetition that carries its time also after that.)
/// </summary>
internal sealed partial class MessageCleaner(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<MessageCleaner> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.CleanerSeconds), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await work.ForEachWorkspace(Clean, stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task Clean(Guid workspaceId, CancellationToken ct)
    {
        for (var deleted = options.Value.CleanerBatch; deleted == options.Value.CleanerBatch;)
        {
            await work.Run(workspaceId, async tx => deleted = await tx.Connection.ExecuteAsync(
                """
                delete from message where workspace_id = @workspace and key = any(array(
                  select key from message where workspace_id = @workspace and received_at < @before
                  order by received_at limit @limit for update skip locked))
                """,
                new { workspace = workspaceId, before = tx.Now.AddDays(-options.Value.DeduplicationDays), limit = options.Value.CleanerBatch }), ct);
        }

        for (var deleted = options.Value.CleanerBatch; deleted == options.Value.CleanerBatch;)
        {
            await work.Run(workspaceId, async tx => deleted = await tx.Connection.ExecuteAsync(
                """
                delete from robot_activity where workspace_id = @workspace and (visitor_id, id) in (
                  select visitor_id, id from robot_activity where workspace_id = @workspace and found_at < @before
                  order by found_at limit @limit for update skip locked)
                """,
                new { workspace = workspaceId, before = tx.Now.AddDays(-options.Value.BotDays), limit = options.Value.CleanerBatch }), ct);
        }
    }

    [LoggerMessage(EventId = 3011, Level = LogLevel.Warning, Message = "Forgetting old message ids failed; tried again in the next round")]
    private partial void LogFailed(Exception exception);
}
