using System.Threading.Channels;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Jobs;

/// <summary>Work that becomes due in a workspace.</summary>
internal interface IDueWork
{
    /// <summary>Does one bounded batch.</summary>
    /// <returns>Whether more may be due.</returns>
    Task<bool> RunBatch(Guid workspaceId, CancellationToken ct);
}

/// <summary>
/// Runs due work of all workspaces: at once where this process knows of a change, else at the next poll. Every replica runs it; rows are
/// shared out by <c>SKIP LOCKED</c>. A failure is logged and the round comes again.
/// </summary>
internal sealed partial class DueWorker<TWork>(
    IReadOnlyList<TWork> works,
    UnitOfWork<NurtureDbContext> unitOfWork,
    WorkSignal signal,
    IOptions<NurtureOptions> options,
    TimeProvider time,
    ILogger<DueWorker<TWork>> logger) : BackgroundService
    where TWork : IDueWork
{
    /// <summary>
    /// Batches of one kind of work in a row: a workspace with a million rows due holds up no other one, and no other kind.
    /// </summary>
    private const int BatchesPerTurn = 20;

    /// <summary>The transaction that rang needs a moment to commit.</summary>
    private static readonly TimeSpan CommitTime = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var rung = signal.Listen();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var isLeft = false;
                await unitOfWork.ForEachWorkspace(async (workspaceId, ct) => isLeft |= await RunAll(workspaceId, ct), stoppingToken);
                if (!isLeft)
                {
                    await ServeUntilPoll(rung, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                LogRoundFailed(typeof(TWork).Name, fault.GetBaseException().Message, fault);
                await Task.Delay(PauseAfterFailure, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeUntilPoll(ChannelReader<Guid> rung, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        var poll = TimeSpan.FromSeconds(options.Value.PollSeconds);
        while (poll - time.GetElapsedTime(start) is { Ticks: > 0 } left)
        {
            using var until = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var waiting = rung.WaitToReadAsync(until.Token).AsTask();
            var isRung = await Task.WhenAny(waiting, Task.Delay(left, time, until.Token)) == waiting && !ct.IsCancellationRequested;
            await until.CancelAsync();
            ct.ThrowIfCancellationRequested();
            if (!isRung)
            {
                return;
            }

            await Task.Delay(CommitTime, time, ct);
            var workspaces = new HashSet<Guid>();
            while (rung.TryRead(out var workspaceId))
            {
                workspaces.Add(workspaceId);
            }

            var isLeft = false;
            foreach (var workspaceId in workspaces)
            {
                isLeft |= await RunAll(workspaceId, ct);
            }

            if (isLeft)
            {
                return;
            }
        }
    }

    /// <returns>Whether more is due than its turn allowed for.</returns>
    private async Task<bool> RunAll(Guid workspaceId, CancellationToken ct)
    {
        var isLeft = false;
        foreach (var work in works)
        {
            try
            {
                var (hasMore, batches) = (true, 0);
                for (; hasMore && batches < BatchesPerTurn; batches++)
                {
                    ct.ThrowIfCancellationRequested();
                    hasMore = await work.RunBatch(workspaceId, ct);
                }

                isLeft |= hasMore;
            }
            catch (Exception fault) when (!ct.IsCancellationRequested)
            {
                // One workspace's fault holds up no other, and one kind of work no other kind.
                LogFailed(work.GetType().Name, workspaceId, fault.GetBaseException().Message, fault);
            }
        }

        return isLeft;
    }

    [LoggerMessage(4101, LogLevel.Error, "{Work} of workspace {WorkspaceId} failed and comes again: {Reason}")]
    private partial void LogFailed(string work, Guid workspaceId, string reason, Exception fault);

    [LoggerMessage(4102, LogLevel.Error, "{Work} found no workspaces and comes again: {Reason}")]
    private partial void LogRoundFailed(string work, string reason, Exception fault);
}

/// <summary>Work of the database alone.</summary>
internal interface ITimerWork : IDueWork;

/// <summary>Work that waits for the mail server, and must not keep the timers waiting.</summary>
internal interface IMailWork : IDueWork;

/// <summary>Work that waits for other services, and must keep neither timers nor mails waiting.</summary>
internal interface ICallWork : IDueWork;

/// <summary>Looks after the other workers, and must wait for none of them.</summary>
internal interface IWatchWork : IDueWork;
