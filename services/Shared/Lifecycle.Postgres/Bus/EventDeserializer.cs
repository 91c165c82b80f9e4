using System.Diagnostics.CodeAnalysis;
using System.Net.Mime;
using System.Text.Json;
using Lifecycle.Contracts;
using MassTransit;
using MassTransit.Serialization;

namespace Lifecycle.Postgres.Bus;

/// <summary>
/// Reads an event from the bytes of its envelope at once, where MassTransit's own deserializer makes a document of the envelope, an
/// envelope of the document, and the event of the envelope's. Whatever is not an event in the envelope's usual form goes to MassTransit's.
/// </summary>
internal sealed class EventDeserializer : IMessageDeserializer, ISerializerFactory
{
    private readonly SystemTextJsonMessageSerializer other = new(SystemTextJsonMessageSerializer.JsonContentType);

    public ContentType ContentType => other.ContentType;

    public IMessageSerializer CreateSerializer() => other;

    public IMessageDeserializer CreateDeserializer() => this;

    public void Probe(ProbeContext context) => other.Probe(context);

    public MessageBody GetMessageBody(string text) => other.GetMessageBody(text);

    public ConsumeContext Deserialize(ReceiveContext receiveContext) => new BodyConsumeContext(
        receiveContext, Deserialize(receiveContext.Body, receiveContext.TransportHeaders, receiveContext.InputAddress));

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null)
    {
        var bytes = body.GetBytes();
        return Read(bytes) is { } envelope
            ? new EventSerializerContext(other, envelope, () => other.Deserialize(new BytesMessageBody(bytes), headers, destinationAddress))
            : other.Deserialize(new BytesMessageBody(bytes), headers, destinationAddress);
    }

    /// <returns>Null: it is not in the usual form; MassTransit's own deserializer says what it is.</returns>
    private static JsonMessageEnvelope? Read(byte[] bytes)
    {
        try
        {
            return EnvelopeReader.Read(bytes);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private sealed class EventSerializerContext(
        SystemTextJsonMessageSerializer json, JsonMessageEnvelope envelope, Func<SerializerContext> parse)
        : BaseSerializerContext(json, new EnvelopeMessageContext(envelope, json), envelope.MessageType!)
    {
        private SerializerContext? whole;

        /// <summary>MassTransit's own, for what is rare: faults, and messages that are sent on.</summary>
        private SerializerContext Whole => whole ??= parse();

        public override bool TryGetMessage<T>([NotNullWhen(true)] out T? message)
            where T : class
        {
            if (!IsEvent(typeof(T)))
            {
                return Whole.TryGetMessage(out message);
            }

            message = IsSupportedMessageType<T>() ? JsonSerializer.Deserialize<T>(Body, SystemTextJsonMessageSerializer.Options) : null;
            return message is not null;
        }

        public override bool TryGetMessage(Type messageType, [NotNullWhen(true)] out object? message)
        {
            if (!IsEvent(messageType))
            {
                return Whole.TryGetMessage(messageType, out message);
            }

            message = JsonSerializer.Deserialize(Body, messageType, SystemTextJsonMessageSerializer.Options);
            return message is not null;
        }

        public override IMessageSerializer GetMessageSerializer() => Whole.GetMessageSerializer();

        public override IMessageSerializer GetMessageSerializer<T>(MessageEnvelope envelope, T message) =>
            Whole.GetMessageSerializer(envelope, message);

        public override IMessageSerializer GetMessageSerializer(object message, string[] messageTypes) =>
            Whole.GetMessageSerializer(message, messageTypes);

        public override Dictionary<string, object> ToDictionary<T>(T? message)
            where T : class => Whole.ToDictionary(message);

        private ReadOnlySpan<byte> Body => ((ReadOnlyMemory<byte>)envelope.Message!).Span;

        private static bool IsEvent(Type type) =>
            type is { IsInterface: false, IsAbstract: false } && type.IsAssignableTo(typeof(ILifecycleEvent));
    }
}
