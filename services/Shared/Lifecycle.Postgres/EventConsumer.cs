using Lifecycle.Contracts;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Postgres;

/// <summary>
/// Base of every consumer: handles an event once, in one transaction with the inbox, however often it is delivered. Events come in any
/// order; the handler compares versions where order matters.
/// </summary>
/// <remarks>
/// While a server that the handler needs is out of reach, the message is held and tried again, with growing pauses, for as long as that
/// takes. Any other exception is tried five times more; then the message goes to the queue's error queue.
/// </remarks>
public abstract partial class EventConsumer<TEvent, TContext>(UnitOfWork<TContext> work) : IConsumer<TEvent>
    where TEvent : class, ILifecycleEvent
    where TContext : LifecycleDbContext
{
    /// <summary>Key in the inbox beside the event id. Renaming the class makes it another consumer.</summary>
    private protected string Name => GetType().Name;

    private protected UnitOfWork<TContext> Work => work;

    public async Task Consume(ConsumeContext<TEvent> context)
    {
        var (e, ct) = (context.Message, context.CancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await Once(e, ct);
                return;
            }
            catch (Exception exception) when (Faults.IsTransient(exception) && !ct.IsCancellationRequested)
            {
                var pause = Backoff.Delay(attempt, TimeSpan.FromMilliseconds(100), work.LongestPause);
                LogHeld(work.Logger, Name, e.EventId, attempt, pause, exception.GetBaseException().Message);
                await Task.Delay(pause, ct);
            }
        }
    }

    /// <summary>Runs the work once for the event, in a transaction of its own or with others.</summary>
    private protected virtual Task Once(TEvent e, CancellationToken ct) =>
        work.RunOnce(e.WorkspaceId, e.EventId, Name, tx => Handle(tx, e), ct);

    /// <summary>The work, inside the transaction.</summary>
    protected abstract Task Handle(Transaction<TContext> tx, TEvent e);

    [LoggerMessage(2141, LogLevel.Warning, "{Consumer} holds event {EventId} after attempt {Attempt}, next in {Pause}: {Reason}")]
    private static partial void LogHeld(ILogger logger, string consumer, Guid eventId, int attempt, TimeSpan pause, string reason);
}
