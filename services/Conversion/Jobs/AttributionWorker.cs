using System.Threading.Channels;
using Lifecycle.Conversion.Features.RunAttribution;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Jobs;

/// <summary>Wakes the attribution worker of this process; a lost wake-up costs a poll, not a run.</summary>
public sealed class AttributionSignal
{
    private readonly Channel<Guid> workspaces = Channel.CreateBounded<Guid>(
        new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>A run was asked for.</summary>
    public void Wake(Guid workspaceId) => workspaces.Writer.TryWrite(workspaceId);

    /// <summary>A workspace that called, or null when the time is over.</summary>
    public async Task<Guid?> Wait(TimeSpan patience, TimeProvider time, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ct);
        try
        {
            return await workspaces.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
    }
}

/// <summary>Carries out attribution runs as they fall due. Replicas share the work by row locks.</summary>
public sealed partial class AttributionWorker(
    AttributionSignal signal,
    RunAttribution run,
    UnitOfWork<ConversionDbContext> work,
    IOptions<ConversionOptions> options,
    TimeProvider time,
    ILogger<AttributionWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var poll = TimeSpan.FromSeconds(options.Value.AttributionPollSeconds);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await signal.Wait(poll, time, stoppingToken) is { } called)
                {
                    await run.Handle(called, stoppingToken);
                }
                else
                {
                    await work.ForEachWorkspace(run.Handle, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogRoundFailed(exception.GetBaseException().Message);
                await Task.Delay(poll, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(4122, LogLevel.Warning, "A round of attribution runs failed and comes again: {Reason}")]
    private partial void LogRoundFailed(string reason);
}
