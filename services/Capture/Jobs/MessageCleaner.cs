using Dapper;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Forgets message ids after the time in which they deduplicate, in bounded batches; replicas share the work by skipping each other's rows.
/// (An activity's own id tells a repetition that carries its time also after that.)
/// </summary>
internal sealed class MessageCleaner(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<MessageCleaner> logger)
    : WorkspaceJob<CaptureDbContext>(work, TimeSpan.FromSeconds(options.Value.CleanerSeconds), time, logger)
{
    private readonly CaptureOptions settings = options.Value;

    protected override bool BeginsAtOnce => false;

    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        for (var deleted = settings.CleanerBatch; deleted == settings.CleanerBatch;)
        {
            await Work.Run(workspaceId, async tx => deleted = await tx.Connection.ExecuteAsync(
                """
                delete from message where workspace_id = @workspace and key = any(array(
                  select key from message where workspace_id = @workspace and received_at < @before
                  order by received_at limit @limit for update skip locked))
                """,
                new { workspace = workspaceId, before = tx.Now.AddDays(-settings.DeduplicationDays), limit = settings.CleanerBatch }), ct);
        }

        for (var deleted = settings.CleanerBatch; deleted == settings.CleanerBatch;)
        {
            await Work.Run(workspaceId, async tx => deleted = await tx.Connection.ExecuteAsync(
                """
                delete from robot_activity where workspace_id = @workspace and (visitor_id, id) in (
                  select visitor_id, id from robot_activity where workspace_id = @workspace and found_at < @before
                  order by found_at limit @limit for update skip locked)
                """,
                new { workspace = workspaceId, before = tx.Now.AddDays(-settings.BotDays), limit = settings.CleanerBatch }), ct);
        }
    }
}
