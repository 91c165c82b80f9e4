using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Testing;
using RabbitMQ.Client;

namespace Lifecycle.Benchmarks;

/// <summary>Publishes events that were written to bytes beforehand, confirmed by the broker: the load takes as little of the machine as can
/// be.</summary>
internal sealed class EventLoad : IAsyncDisposable
{
    private const string ActivitiesRecorded = "lifecycle.activities-recorded";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static readonly BasicProperties Properties =
        new() { ContentType = "application/vnd.masstransit+json", DeliveryMode = DeliveryModes.Persistent };
    private readonly IConnection connection;
    private readonly IChannel channel;

    private EventLoad(IConnection connection, IChannel channel) => (this.connection, this.channel) = (connection, channel);

    public static async Task<EventLoad> Start(TestVirtualHost broker)
    {
        var connection = await new ConnectionFactory { Uri = new(broker.ConnectionString) }.CreateConnectionAsync();
        return new(connection, await connection.CreateChannelAsync(
            new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true)));
    }

    /// <summary>The event in MassTransit's envelope.</summary>
    public static byte[] Body(ActivitiesRecorded e) => JsonSerializer.SerializeToUtf8Bytes(
        new { messageId = e.EventId, messageType = new[] { "urn:message:Lifecycle.Contracts:ActivitiesRecorded" }, message = e }, Json);

    public async Task Publish(byte[] body) => await channel.BasicPublishAsync(ActivitiesRecorded, "", mandatory: false, Properties, body);

    public async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        await connection.DisposeAsync();
    }
}
