using System.Threading.Channels;
using Lifecycle.Conversion.Features.FreezeJourneys;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Jobs;

/// <summary>Wakes the journey worker of this process; a lost wake-up costs a poll, not a journey.</summary>
public sealed class JourneySignal
{
    private readonly Channel<Guid> workspaces = Channel.CreateBounded<Guid>(
        new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>A deal of the workspace may have closed.</summary>
    public void Wake(Guid workspaceId) => workspaces.Writer.TryWrite(workspaceId);

    /// <summary>The workspaces that called since, or none when the time is over.</summary>
    public async Task<IReadOnlySet<Guid>> Wait(TimeSpan patience, TimeProvider time, CancellationToken ct)
    {
        var called = new HashSet<Guid>();
        using var deadline = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ct);
        try
        {
            await workspaces.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return called;
        }

        while (workspaces.Reader.TryRead(out var workspace))
        {
            called.Add(workspace);
        }

        return called;
    }
}

/// <summary>Freezes journeys of closed deals as they fall due. Replicas share the work by row locks.</summary>
public sealed partial class JourneyWorker(
    JourneySignal signal,
    FreezeJourneys freeze,
    UnitOfWork<ConversionDbContext> work,
    IOptions<ConversionOptions> options,
    TimeProvider time,
    ILogger<JourneyWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var poll = TimeSpan.FromSeconds(options.Value.JourneyPollSeconds);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var called = await signal.Wait(poll, time, stoppingToken);
                foreach (var workspace in called)
                {
                    await freeze.Handle(workspace, stoppingToken);
                }

                if (called.Count == 0)
                {
                    await work.ForEachWorkspace(freeze.Handle, stoppingToken);
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

    [LoggerMessage(4101, LogLevel.Warning, "A round of freezing journeys failed and comes again: {Reason}")]
    private partial void LogRoundFailed(string reason);
}
