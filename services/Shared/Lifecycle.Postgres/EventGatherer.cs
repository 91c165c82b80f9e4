using Lifecycle.Contracts;

namespace Lifecycle.Postgres;

/// <summary>Brings events of a workspace that wait at the same time into one piece of work; one per kind of event and process.</summary>
/// <param name="maxWeight">Most weight of a piece, unless one event has more.</param>
/// <param name="concurrent">Most pieces of a workspace at a time.</param>
public sealed class EventGatherer<TEvent>(int maxWeight, int concurrent) : Gatherer<TEvent>(maxWeight, concurrent)
    where TEvent : class, ILifecycleEvent
{
    /// <summary>As the base's, in the event's workspace.</summary>
    internal Task<Exception?> Gather(
        TEvent e, int weight, Func<IReadOnlyList<TEvent>, CancellationToken, Task> work, CancellationToken ct) =>
        Gather(e.WorkspaceId, e, weight, work, ct);
}
