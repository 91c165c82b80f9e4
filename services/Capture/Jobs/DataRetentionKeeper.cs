using Lifecycle.Capture.Features.RetainData;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Jobs;

/// <summary>Applies every workspace's policy of data retention from time to time.</summary>
internal sealed partial class DataRetentionKeeper(
    UnitOfWork<CaptureDbContext> work, DataRetainer retain, IOptions<CaptureOptions> options, TimeProvider time,
    ILogger<DataRetentionKeeper> logger)
    : WorkspaceJob<CaptureDbContext>(work, TimeSpan.FromSeconds(options.Value.DataRetentionSeconds), time, logger)
{
    protected override bool BeginsAtOnce => false;

    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        var (activities, leads) = await retain.Apply(workspaceId, ct);
        if (activities + leads > 0)
        {
            LogApplied(Logger, activities, leads, workspaceId);
        }
    }

    [LoggerMessage(
        EventId = 3041, Level = LogLevel.Information,
        Message = "Data retention deleted {Activities} activities and erased {Leads} leads of workspace {WorkspaceId}")]
    private static partial void LogApplied(ILogger logger, long activities, long leads, Guid workspaceId);
}
