using Lifecycle.Capture.Features.QueryMetrics;
using Lifecycle.Capture.Features.ReadLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Jobs;

/// <summary>
/// Asks once at the start, for a workspace that is none, what reports and lists will be asked: compiling these paths and the readers of
/// their rows takes a process half a second, which the first user would wait for.
/// </summary>
internal sealed partial class ReadWarmUp(
    UnitOfWork<CaptureDbContext> work, CaptureMetrics metrics, LeadReader leads, TimeProvider time, ILogger<ReadWarmUp> logger)
    : BackgroundService
{
    private static readonly Caller Nobody = Caller.Service("capture", Guid.Empty, currencyCode: "USD");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not on the host's start-up path.
        await Task.Yield();
        try
        {
            var day = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
            foreach (var granularity in new[] { Granularity.Day, Granularity.Month })
            {
                var request = new QueryMetricsRequest
                {
                    From = day.AddDays(-40).ToString("yyyy-MM-dd", null),
                    To = day.ToString("yyyy-MM-dd", null),
                    Granularity = granularity,
                    GroupBy = "channel",
                };
                ProtoJson.Format((await metrics.Query(Nobody, request, stoppingToken)).OrThrow());
                await work.Read(Nobody.WorkspaceId, tx => CaptureMetrics.WarmUp(tx, Nobody, request), stoppingToken);
            }

            ProtoJson.Format((await leads.List(Nobody, new ListLeadsRequest(), stoppingToken)).OrThrow());
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFailed(exception);
        }
    }

    [LoggerMessage(EventId = 3071, Level = LogLevel.Information, Message = "Warming up failed; the first reports take longer")]
    private partial void LogFailed(Exception exception);
}
