using Lifecycle.Contracts;

namespace Lifecycle.Postgres;

/// <summary>
/// Base of consumers whose events cost less together: those of a workspace that wait at the same time are handled in one transaction, each
/// still once. Nothing waits for company: an event that comes alone is handled at once. Register <see cref="EventGatherer{TEvent}"/> as a
/// singleton, and consume with as many messages at a time as shall meet.
/// </summary>
/// <remarks>
/// When events fail together for another reason than an outage, each is tried alone, so that one cannot spoil its neighbours.
/// </remarks>
public abstract class GatheringConsumer<TEvent, TContext>(UnitOfWork<TContext> work, EventGatherer<TEvent> gatherer)
    : EventConsumer<TEvent, TContext>(work)
    where TEvent : class, ILifecycleEvent
    where TContext : LifecycleDbContext
{
    /// <summary>How much of <see cref="Gatherer{TItem}.MaxWeight"/> the event takes.</summary>
    protected virtual int Weight(TEvent e) => 1;

    /// <summary>The work for events of one workspace, none of which was handled before, in no order.</summary>
    protected abstract Task Handle(Transaction<TContext> tx, IReadOnlyList<TEvent> events);

    protected sealed override Task Handle(Transaction<TContext> tx, TEvent e) => Handle(tx, [e]);

    private protected override async Task Once(TEvent e, CancellationToken ct)
    {
        if (await gatherer.Gather(e, Weight(e), Together, ct) is { } fault)
        {
            if (Faults.IsTransient(fault) || ct.IsCancellationRequested)
            {
                throw fault;
            }

            await base.Once(e, ct);
        }
    }

    private Task Together(IReadOnlyList<TEvent> events, CancellationToken ct) => Work.RunOnce(
        events[0].WorkspaceId, events.Select(e => e.EventId).Distinct().ToArray(), Name,
        (tx, isNew) => Handle(tx, events.Where(e => isNew.Contains(e.EventId)).DistinctBy(e => e.EventId).ToArray()), ct);
}
