using System.Data.Common;
using System.Diagnostics;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Kernel;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>
/// Brings the messages of many requests into few commits. Bounded by messages: when it is full a request is refused at once. Requests are
/// answered after the commit that holds their messages; a stop waits for all that was taken.
/// </summary>
internal sealed partial class IngestQueue(CommitMessages commit, IOptions<CaptureOptions> options, ILogger<IngestQueue> logger)
    : BackgroundService
{
    internal static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly IngestLanes lanes = new(options.Value.MaxQueuedMessages, options.Value.AheadMessages);

    /// <summary>Answer while the database cannot be reached.</summary>
    public static Error OutOfReach =>
        Error.Unavailable("The messages could not be stored; send them again later.") with { RetryAfter = RetryAfter };

    /// <summary>
    /// Waits for the commit of the messages. UNAVAILABLE with a delay when the queue is full, the service stops or the database is out of
    /// reach.
    /// </summary>
    public async Task<Result<IngestOutcome>> Take(Guid workspaceId, IReadOnlyList<IngestMessage> messages)
    {
        if (messages.Count == 0)
        {
            return default(IngestOutcome);
        }

        var request = new IngestRequest(workspaceId, messages, Activity.Current?.Context ?? default);
        if (!lanes.TryAdd(request))
        {
            CaptureTelemetry.Refused.Add(1);
            return Error.Unavailable("Too many messages are waiting; send them again later.") with { RetryAfter = RetryAfter };
        }

        try
        {
            return await request.Outcome;
        }
        catch (DbException exception) when (exception.IsTransient)
        {
            LogUnavailable(messages.Count, exception.Message);
            return OutOfReach;
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        lanes.Close();
        if (ExecuteTask is { } writers)
        {
            await writers.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, options.Value.Writers).Select(_ => Task.Run(Write, CancellationToken.None)));

    private async Task Write()
    {
        while (await lanes.Take(options.Value.MaxCommitMessages) is { } group)
        {
            await Commit(group[0].WorkspaceId, group);
            lanes.Done(group);
        }
    }

    private async Task Commit(Guid workspaceId, IngestRequest[] requests)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var outcomes = await commit.Handle(workspaceId, requests, CancellationToken.None);
            for (var index = 0; index < requests.Length; index++)
            {
                requests[index].Succeed(outcomes[index]);
            }

            CaptureTelemetry.CommitSize.Record(requests.Sum(request => request.Messages.Count));
            CaptureTelemetry.CommitDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        catch (Exception exception) when (requests.Length > 1 && exception is not DbException { IsTransient: true })
        {
            // One request's fault must not fail its neighbours: each by itself.
            LogApart(requests.Length, exception);
            foreach (var request in requests)
            {
                await Commit(workspaceId, [request]);
            }
        }
        catch (Exception exception)
        {
            foreach (var request in requests)
            {
                request.Fail(exception);
            }
        }
    }

    [LoggerMessage(EventId = 3001, Level = LogLevel.Warning, Message = "Commit of {Requests} requests failed; each is tried by itself")]
    private partial void LogApart(int requests, Exception exception);

    [LoggerMessage(
        EventId = 3002, Level = LogLevel.Warning, Message = "Refused {Messages} messages, the database is out of reach: {Reason}")]
    private partial void LogUnavailable(int messages, string reason);
}
