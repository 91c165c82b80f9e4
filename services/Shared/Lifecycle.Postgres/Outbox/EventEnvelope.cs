using System.Buffers;
using System.Text.Json;
using Lifecycle.Postgres.Bus;
using Lifecycle.Postgres.Model;
using MassTransit;
using MassTransit.Metadata;
using MassTransit.Serialization;

namespace Lifecycle.Postgres.Outbox;

/// <summary>Where an event goes on the broker.</summary>
/// <param name="Exchange">Name of its exchange.</param>
/// <param name="Address">MassTransit's address of the exchange.</param>
/// <param name="MessageTypes">JSON array of the urns by which MassTransit's consumers know it.</param>
internal sealed record EventRoute(string Exchange, string Address, byte[] MessageTypes)
{
    public static EventRoute Of(Type eventType, IBusTopology topology) => new(
        LifecycleEntityNames.Exchange(eventType),
        topology.TryGetPublishAddress(eventType, out var address)
            ? address.ToString()
            : throw new InvalidOperationException($"The bus has no address for a {eventType.Name}."),
        JsonSerializer.SerializeToUtf8Bytes(MessageTypeCache.GetMessageTypeNames(eventType)));
}

/// <summary>
/// Writes the envelope that MassTransit's <c>Publish</c> writes around an event, with the body of an outbox row as it stands: to read it
/// into an event and write that again would cost more than all the rest of publishing. Not for concurrent use.
/// </summary>
internal sealed class EventEnvelope(IBus bus, TimeProvider time)
{
    /// <summary>Content type of what <see cref="Write"/> writes.</summary>
    public static readonly string ContentType = SystemTextJsonMessageSerializer.JsonContentType.ToString();

    /// <summary>A buffer that one large event made larger than that is not kept.</summary>
    private const int KeptBytes = 1 << 20;

    private static readonly byte[] Host = JsonSerializer.SerializeToUtf8Bytes(HostMetadataCache.Host, EventTypes.Broker);

    private readonly string source = bus.Address.ToString();
    private ArrayBufferWriter<byte> buffer = new();

    /// <param name="row">The row.</param>
    /// <param name="route">Where it goes.</param>
    /// <param name="body">JSON of the event as the broker gets it.</param>
    /// <param name="trace">W3C trace context; null: none.</param>
    /// <returns>UTF-8, valid until the next call.</returns>
    public ReadOnlyMemory<byte> Write(OutboxRow row, EventRoute route, string body, string? trace)
    {
        if (buffer.Capacity > KeptBytes)
        {
            buffer = new();
        }

        buffer.ResetWrittenCount();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("messageId"u8, row.MessageId);
        json.WriteNull("requestId"u8);
        json.WriteString("correlationId"u8, row.MessageId);
        json.WriteString("conversationId"u8, NewId.NextGuid());
        json.WriteNull("initiatorId"u8);
        json.WriteString("sourceAddress"u8, source);
        json.WriteString("destinationAddress"u8, route.Address);
        json.WriteNull("responseAddress"u8);
        json.WriteNull("faultAddress"u8);
        json.WritePropertyName("messageType"u8);
        json.WriteRawValue(route.MessageTypes, skipInputValidation: true);
        json.WritePropertyName("message"u8);
        json.WriteRawValue(body, skipInputValidation: true);
        json.WriteNull("expirationTime"u8);
        json.WriteString("sentTime"u8, time.GetUtcNow().UtcDateTime);
        json.WriteStartObject("headers"u8);
        if (trace is not null)
        {
            json.WriteString("MT-Activity-Id"u8, trace);
        }

        json.WriteEndObject();
        json.WritePropertyName("host"u8);
        json.WriteRawValue(Host, skipInputValidation: true);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
