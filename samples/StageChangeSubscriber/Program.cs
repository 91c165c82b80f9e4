using Lifecycle.Contracts;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StageChangeSubscriber;

if (!Arguments.TryParse(args, out var arguments, out var fault))
{
    Console.Error.WriteLine(fault);
    return 2;
}

if (arguments.Help)
{
    Console.WriteLine(Arguments.Usage);
    return 0;
}

var builder = Host.CreateApplicationBuilder();
if (!Uri.TryCreate(builder.Configuration.GetConnectionString("rabbitmq"), UriKind.Absolute, out var broker)
    || broker.Scheme is not ("amqp" or "amqps"))
{
    Console.Error.WriteLine("Set ConnectionStrings__rabbitmq to amqp://user:password@host:port/vhost; ./up prints it.");
    return 2;
}

// Standard output carries the changes and nothing else.
builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
    .SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton(new SeenVersions(arguments.StateFile));
builder.Services.AddMassTransit(masstransit =>
{
    masstransit.AddConsumer<StageChangeConsumer>();
    masstransit.UsingRabbitMq((context, rabbitmq) =>
    {
        rabbitmq.Host(broker);
        rabbitmq.Message<LeadStageChanged>(topology => topology.SetEntityName("lifecycle.lead-stage-changed"));
        rabbitmq.Publish<ILifecycleEvent>(topology => topology.Exclude = true);
        rabbitmq.ReceiveEndpoint(arguments.Queue, queue =>
        {
            // One at a time: changes of a lead then come in the order of their versions.
            queue.PrefetchCount = 1;
            queue.ConcurrentMessageLimit = 1;
            queue.ConfigureConsumer<StageChangeConsumer>(context);
        });
    });
});
await builder.Build().RunAsync();
return 0;
