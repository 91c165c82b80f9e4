using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Asks services again that have not confirmed an erasure in time. Replicas share the work by skipping each other's rows.
/// </summary>
internal sealed partial class ErasureReminder(
    UnitOfWork<CaptureDbContext> work, IOptions<CaptureOptions> options, TimeProvider time, ILogger<ErasureReminder> logger)
    : WorkspaceJob<CaptureDbContext>(work, TimeSpan.FromSeconds(options.Value.ErasureAskSeconds), time, logger)
{
    private const int Batch = 200;

    private readonly TimeSpan pause = TimeSpan.FromSeconds(options.Value.ErasureAskSeconds);

    protected override bool BeginsAtOnce => false;

    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        for (var asked = Batch; asked == Batch;)
        {
            await Work.Run(workspaceId, async tx => asked = await ErasureReceipts.AskAgain(tx, pause, Batch), ct);
            if (asked > 0)
            {
                LogAsked(Logger, asked, workspaceId);
            }
        }
    }

    [LoggerMessage(
        EventId = 3031, Level = LogLevel.Warning,
        Message = "{Erasures} erasures of workspace {WorkspaceId} are not confirmed by every service; asked again")]
    private static partial void LogAsked(ILogger logger, int erasures, Guid workspaceId);
}
