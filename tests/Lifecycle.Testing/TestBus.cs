using System.Collections.Concurrent;
using Lifecycle.Contracts;
using Lifecycle.Postgres.Bus;
using MassTransit;

namespace Lifecycle.Testing;

/// <summary>
/// A peer on the broker of a test: publishes events as another service would, and collects what the service under test publishes.
/// </summary>
public sealed class TestBus : IAsyncDisposable
{
    private readonly IBusControl bus;
    private readonly ConcurrentQueue<Delivery> received;

    private TestBus(IBusControl bus, ConcurrentQueue<Delivery> received) => (this.bus, this.received) = (bus, received);

    /// <summary>Everything received, as often as it was delivered, in order of arrival.</summary>
    public IReadOnlyCollection<Delivery> Received => received;

    /// <param name="broker">Virtual host.</param>
    /// <param name="collect">Events to collect; bound before this returns, so that nothing published later is missed.</param>
    public static Task<TestBus> Start(TestVirtualHost broker, params Type[] collect) => Start(broker.ConnectionString, collect);

    /// <param name="connectionString">Address of the broker, with virtual host.</param>
    /// <param name="collect">Events to collect; bound before this returns, so that nothing published later is missed.</param>
    public static async Task<TestBus> Start(string connectionString, params Type[] collect)
    {
        var received = new ConcurrentQueue<Delivery>();
        var bus = MassTransit.Bus.Factory.CreateUsingRabbitMq(rabbitmq =>
        {
            BusSetup.Connect(rabbitmq, new Uri(connectionString), "test");
            rabbitmq.ReceiveEndpoint($"test.{Guid.CreateVersion7():N}", endpoint =>
            {
                endpoint.AutoDelete = true;
                // One at a time, so that the order of arrival is the order of the queue.
                endpoint.PrefetchCount = 1;
                endpoint.ConcurrentMessageLimit = 1;
                foreach (var type in collect)
                {
                    var collector = Activator.CreateInstance(typeof(Collector<>).MakeGenericType(type), received)!;
                    endpoint.Consumer(collector.GetType(), _ => collector);
                }
            });
        });
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await bus.StartAsync(deadline.Token);
        return new(bus, received);
    }

    /// <summary>Publishes, confirmed by the broker, with the event id as message id.</summary>
    public Task Publish(ILifecycleEvent e) => bus.Publish(e, e.GetType(), context => context.MessageId = e.EventId);

    /// <summary>The collected events of one kind. An event may be delivered more than once, and stays one event.</summary>
    public IReadOnlyList<T> Of<T>()
        where T : ILifecycleEvent => [.. received.Select(delivery => delivery.Event).OfType<T>().DistinctBy(e => e.EventId)];

    /// <summary>Waits until exactly so many events of one kind have come; more at that moment is a failure too.</summary>
    public async Task<IReadOnlyList<T>> Until<T>(int count, Func<T, bool>? where = null, TimeSpan? within = null)
        where T : ILifecycleEvent
    {
        T[] Found() => [.. Of<T>().Where(e => where is null || where(e))];
        await Eventually.True(
            () => Task.FromResult(Found().Length >= count ? true : throw new InvalidOperationException($"{Found().Length} came")),
            $"{count} {typeof(T).Name}", within);
        return Found() is { } found && found.Length == count
            ? found
            : throw new InvalidOperationException($"{Found().Length} {typeof(T).Name} came instead of {count}.");
    }

    public async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await bus.StopAsync(deadline.Token);
    }

    private sealed class Collector<TEvent>(ConcurrentQueue<Delivery> received) : IConsumer<TEvent>
        where TEvent : class, ILifecycleEvent
    {
        public Task Consume(ConsumeContext<TEvent> context)
        {
            received.Enqueue(new(context.Message, context.MessageId, context.Headers.Get<string>("MT-Activity-Id")));
            return Task.CompletedTask;
        }
    }
}

/// <summary>One delivery of an event.</summary>
/// <param name="Event">The event.</param>
/// <param name="MessageId">The broker's message id.</param>
/// <param name="TraceParent">W3C trace context it was sent with.</param>
public sealed record Delivery(ILifecycleEvent Event, Guid? MessageId, string? TraceParent);
