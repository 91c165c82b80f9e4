using Lifecycle.Contracts;
using Lifecycle.Postgres.Outbox;
using MassTransit;

namespace Lifecycle.Postgres.Bus;

/// <summary>
/// Names an event's exchange <c>lifecycle.lead-captured</c>: subscribers bind to it, so it is part of the contract. Other messages keep the
/// name that
/// <paramref name="other"/> gives.
/// </summary>
internal sealed class LifecycleEntityNames(IEntityNameFormatter other) : IEntityNameFormatter
{
    public string FormatEntityName<T>() =>
        typeof(T) != typeof(ILifecycleEvent) && typeof(T).IsAssignableTo(typeof(ILifecycleEvent))
            ? Exchange(typeof(T))
            : other.FormatEntityName<T>();

    /// <summary>The exchange of an event.</summary>
    public static string Exchange(Type eventType) => $"lifecycle.{EventTypes.Kebab(eventType)}";
}
