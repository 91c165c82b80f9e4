using Lifecycle.Contracts;
using Lifecycle.Postgres.Outbox;
using MassTransit;

namespace Lifecycle.Postgres;

/// <summary>The consumers of a service.</summary>
public sealed class LifecycleBus
{
    private readonly List<Subscription> subscriptions = [];

    internal LifecycleBus()
    {
    }

    internal IEnumerable<IGrouping<Type, Subscription>> ByEvent => subscriptions.GroupBy(subscription => subscription.Event);

    internal IEnumerable<Type> Consumers => subscriptions.Select(subscription => subscription.Consumer).Distinct();

    /// <summary>Handles the event from the queue <c>&lt;service&gt;.&lt;event-in-kebab&gt;</c>, which all replicas share.</summary>
    /// <param name="atATime">Messages of the queue handled at a time; null: as set for all (<c>Lifecycle:Bus:ConcurrentMessages</c>). For
    /// those who gather them.</param>
    public void Consume<TConsumer, TEvent>(int? atATime = null)
        where TConsumer : class, IConsumer<TEvent>
        where TEvent : class, ILifecycleEvent =>
        subscriptions.Add(new(typeof(TEvent), typeof(TConsumer), atATime));

    internal void Consume(Type consumer, Type eventType) => subscriptions.Add(new(eventType, consumer, null));

    internal static string Queue(string service, Type eventType) => $"{service}.{EventTypes.Kebab(eventType)}";

    internal sealed record Subscription(Type Event, Type Consumer, int? AtATime);
}
