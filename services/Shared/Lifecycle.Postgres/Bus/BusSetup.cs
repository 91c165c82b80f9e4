using Lifecycle.Contracts;
using MassTransit;
using MassTransit.RabbitMqTransport.Configuration;

namespace Lifecycle.Postgres.Bus;

/// <summary>The broker's address and the names on it, the same for services and tests.</summary>
internal static class BusSetup
{
    /// <param name="rabbitmq">Configurator.</param>
    /// <param name="address"><c>amqp://user:password@host:port/vhost</c>; <c>amqps</c> with TLS.</param>
    /// <param name="client">Shown by the broker as the connection's name.</param>
    public static void Connect(IRabbitMqBusFactoryConfigurator rabbitmq, Uri address, string client)
    {
        rabbitmq.Host(Settings(address, client));
        rabbitmq.MessageTopology.SetEntityNameFormatter(new LifecycleEntityNames(rabbitmq.MessageTopology.EntityNameFormatter));
        // Nobody subscribes to "any event": one exchange less for each message to pass.
        rabbitmq.Publish<ILifecycleEvent>(topology => topology.Exclude = true);
    }

    /// <summary>How every connection to the broker is made; parameters as in <see cref="Connect"/>.</summary>
    public static RabbitMqHostSettings Settings(Uri address, string client)
    {
        var user = address.UserInfo.Split(':', 2);
        var virtualHost = Uri.UnescapeDataString(address.AbsolutePath.TrimStart('/'));
        var tls = address.Scheme == "amqps";
        var port = address.Port > 0 ? address.Port : tls ? 5671 : 5672;
        var host = new RabbitMqHostConfigurator(
            address.Host, virtualHost.Length == 0 ? "/" : virtualHost, (ushort)port, $"lifecycle-{client}");
        host.Username(Uri.UnescapeDataString(user[0]));
        host.Password(user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "");
        if (tls)
        {
            host.UseSsl(_ => { });
        }

        return host.Settings;
    }
}
