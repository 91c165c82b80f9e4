using Lifecycle.Contracts;
using Lifecycle.Postgres.Bus;
using Lifecycle.Postgres.Outbox;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lifecycle.Postgres;

public static class BusRegistration
{
    /// <summary>
    /// Adds RabbitMQ from <c>ConnectionStrings:rabbitmq</c>, the service's consumers, the one that keeps the table <c>workspace</c>, and
    /// the outbox relay. Comes after <c>AddLifecycleDatabase</c>. A broker that is away delays nothing but messages: the process starts,
    /// says so, and is not ready.
    /// </summary>
    /// <param name="builder">The host's builder.</param>
    /// <param name="service">First part of the queues' names, e.g. <c>scoring</c>.</param>
    /// <param name="configure">Names the consumers.</param>
    public static void AddLifecycleBus(this IHostApplicationBuilder builder, string service, Action<LifecycleBus> configure)
    {
        var services = builder.Services;
        var database = services.Select(descriptor => descriptor.ImplementationInstance).OfType<LifecycleDatabase>().SingleOrDefault()
            ?? throw new InvalidOperationException(
                $"Call {nameof(DatabaseRegistration.AddLifecycleDatabase)} before {nameof(AddLifecycleBus)}.");
        var bus = new LifecycleBus();
        bus.Consume(typeof(WorkspaceUpdatedConsumer<>).MakeGenericType(database.ContextType), typeof(WorkspaceUpdated));
        configure(bus);
        services.AddOptions<BusOptions>().BindConfiguration(BusOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddMassTransit(masstransit =>
        {
            foreach (var consumer in bus.Consumers)
            {
                masstransit.AddConsumer(consumer);
            }

            masstransit.UsingRabbitMq((context, rabbitmq) => Configure(context, rabbitmq, Address(builder.Configuration), service, bus));
        });
        // The start does not wait for the broker, or health could not say that it is missing.
        services.Configure<MassTransitHostOptions>(options =>
        {
            options.WaitUntilStarted = false;
            // Handlers may finish within this at a stop; then they are cancelled, and the broker delivers their messages again.
            options.ConsumerStopTimeout = TimeSpan.FromSeconds(10);
            options.StopTimeout = TimeSpan.FromSeconds(20);
        });
        services.AddSingleton(provider => new BrokerPublisher(
            provider.GetRequiredService<IBus>(), BusSetup.Settings(Address(builder.Configuration), $"{service}-relay"),
            provider.GetRequiredService<OutboxOptions>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new OutboxBatch(
            provider.GetRequiredService<BrokerPublisher>().Publish, provider.GetRequiredService<OutboxOptions>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<OutboxBatch>>())
        {
            AtKillPoint = provider.GetService<Action<KillPoint>>(),
        });
        // Added after the bus, so stopped before it: the relay never publishes to a bus that is gone.
        services.AddHostedService<OutboxRelay>();
    }

    /// <exception cref="InvalidOperationException">Missing, or not <c>amqp://user:password@host:port/vhost</c>.</exception>
    internal static Uri Address(IConfiguration configuration) =>
        Uri.TryCreate(configuration.GetConnectionString("rabbitmq"), UriKind.Absolute, out var address)
        && address.Scheme is "amqp" or "amqps"
            ? address
            : throw new InvalidOperationException(
                "The broker's address is missing or wrong: set ConnectionStrings__rabbitmq to amqp://user:password@host:port/vhost.");

    private static void Configure(
        IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator rabbitmq, Uri address, string service, LifecycleBus bus)
    {
        var options = context.GetRequiredService<IOptions<BusOptions>>().Value;
        BusSetup.Connect(rabbitmq, address, service);
        rabbitmq.AddDeserializer(new EventDeserializer(), isDefault: true);
        foreach (var consumers in bus.ByEvent)
        {
            rabbitmq.ReceiveEndpoint(LifecycleBus.Queue(service, consumers.Key), endpoint =>
            {
                var atATime = consumers.Max(subscription => subscription.AtATime) ?? options.ConcurrentMessages;
                endpoint.PrefetchCount = Math.Max(options.PrefetchCount, atATime);
                endpoint.ConcurrentMessageLimit = atATime;
                if (options.QuorumQueues)
                {
                    endpoint.SetQuorumQueue();
                }

                // What passes by itself never comes this far (see EventConsumer): this is for the rest, which then goes to the error queue.
                endpoint.UseMessageRetry(retry => retry.Intervals(100, 500, 1000, 2000, 5000));
                foreach (var subscription in consumers)
                {
                    endpoint.ConfigureConsumer(context, subscription.Consumer);
                }
            });
        }
    }
}
