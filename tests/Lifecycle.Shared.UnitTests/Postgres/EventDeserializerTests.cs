using System.Text;
using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Postgres.Bus;
using MassTransit;
using MassTransit.Serialization;

namespace Lifecycle.Shared.UnitTests.Postgres;

/// <summary>The deserializer of services beside MassTransit's own.</summary>
public sealed class EventDeserializerTests
{
    private const string Urn = "urn:message:Lifecycle.Contracts:LeadScoreChanged";
    private static readonly DateTimeOffset Time = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    private static readonly LeadScoreChanged Event = new(
        Guid.CreateVersion7(Time), Guid.CreateVersion7(Time), Time, 3, Guid.CreateVersion7(Time), 12.50m, 1m, 2m, 3m, "A", "HOT", 2);

    private static readonly string Message = JsonSerializer.Serialize(Event, SystemTextJsonMessageSerializer.Options);

    public static TheoryData<string> Envelopes =>
    [
        $$"""
        {
          "messageId": "{{Event.EventId}}", "requestId": null, "correlationId": "{{Event.EventId}}", "conversationId": "{{Event.LeadId}}",
          "initiatorId": "{{Event.WorkspaceId}}", "sourceAddress": "rabbitmq://h/source", "destinationAddress": "rabbitmq://h/destination",
          "responseAddress": null, "faultAddress": "rabbitmq://h/fault",
          "messageType": ["{{Urn}}", "urn:message:Lifecycle.Contracts:ILifecycleEvent"],
          "message": {{Message}},
          "expirationTime": "2026-04-01T00:00:00Z", "sentTime": "2026-03-31T12:00:00.1234567Z",
          "headers": { "MT-Activity-Id": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "number": 3 },
          "host": { "machineName": "m", "processName": "p", "processId": 7, "assembly": "a", "assemblyVersion": "1.0.0.0",
            "frameworkVersion": "10.0.0", "massTransitVersion": "8.4.0.0", "operatingSystemVersion": "Unix" }
        }
        """,
        $$"""{"message":{{Message}},"messageType":["{{Urn}}"]}""",
        $$"""{"messageId":"{{Event.EventId}}","messageType":["{{Urn}}"],"message":{{Message}},"headers":null,"host":null,"sentTime":null}""",
        // Of another kind, or in another form than MassTransit writes.
        $$"""{"messageType":["urn:message:Lifecycle.Contracts:Unheard"],"message":{{Message}}}""",
        $$"""{"MessageId":"{{Event.EventId}}","MessageType":["{{Urn}}"],"Message":{{Message}}}""",
        $$"""{"more":[1,{"message":{} }],"messageType":["{{Urn}}"],"message":{{Message}} /* that was it */ , }""",
        $$"""{"messageId":"{{Event.EventId}}","message":{{Message}}}""",
    ];

    [Theory]
    [MemberData(nameof(Envelopes))]
    public void Deserialize_Envelope_IsReadAsByMassTransit(string json)
    {
        var expected = Read(new SystemTextJsonMessageSerializer(), json);
        var actual = Read(new EventDeserializer(), json);

        Assert.Equal(Text(expected), Text(actual));
        Assert.Equal(Found<LeadScoreChanged>(expected), Found<LeadScoreChanged>(actual));
        Assert.Equal(Found<LeadErased>(expected), Found<LeadErased>(actual));
        Assert.Equal(FoundAs(expected, typeof(LeadScoreChanged)), FoundAs(actual, typeof(LeadScoreChanged)));
        Assert.Equal(FoundAs(expected, typeof(LeadErased)), FoundAs(actual, typeof(LeadErased)));
        Assert.Equal(Found<ILifecycleEvent>(expected)?.EventId, Found<ILifecycleEvent>(actual)?.EventId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"messageType\":[\"urn:message:Lifecycle.Contracts:LeadScoreChanged\"],\"message\":{")]
    [InlineData("{\"messageType\":[\"urn:message:Lifecycle.Contracts:LeadScoreChanged\"],\"message\":null}")]
    [InlineData("{\"messageType\":5,\"message\":{}}")]
    [InlineData("{\"sentTime\":\"soon\",\"messageType\":[],\"message\":{}}")]
    public void Deserialize_NoEnvelope_FailsAsMassTransitDoes(string json)
    {
        var expected = Record.Exception(() => Read(new SystemTextJsonMessageSerializer(), json));

        var actual = Record.Exception(() => Read(new EventDeserializer(), json));

        Assert.Equal(expected?.GetType(), actual?.GetType());
    }

    [Fact]
    public void TryGetMessage_BodyOfAnotherKind_FailsAsMassTransitDoes()
    {
        const string Json = $$"""{"messageType":["{{Urn}}"],"message":{"eventId":"none"} }""";
        var (expected, actual) = (Read(new SystemTextJsonMessageSerializer(), Json), Read(new EventDeserializer(), Json));

        Assert.Equal(
            Record.Exception(() => expected.TryGetMessage<LeadScoreChanged>(out _))?.GetType(),
            Record.Exception(() => actual.TryGetMessage<LeadScoreChanged>(out _))?.GetType());
    }

    private static SerializerContext Read(IMessageDeserializer deserializer, string json) =>
        deserializer.Deserialize(new BytesMessageBody(Encoding.UTF8.GetBytes(json)), new NoHeaders());

    private static T? Found<T>(SerializerContext context)
        where T : class => context.TryGetMessage<T>(out var message) ? message : null;

    private static object? FoundAs(SerializerContext context, Type type) => context.TryGetMessage(type, out var message) ? message : null;

    private static string Text(SerializerContext context) => string.Join('\n', [
        $"{context.MessageId} {context.RequestId} {context.CorrelationId} {context.ConversationId} {context.InitiatorId}",
        $"{context.SourceAddress} {context.DestinationAddress} {context.ResponseAddress} {context.FaultAddress}",
        $"{context.ExpirationTime:O} {context.SentTime:O} {string.Join(',', context.SupportedMessageTypes ?? [])}",
        string.Join(',', context.Headers.GetAll().Select(header => $"{header.Key}={header.Value}")),
        JsonSerializer.Serialize(context.Host),
    ]);

    private sealed class NoHeaders : Headers
    {
        public IEnumerable<KeyValuePair<string, object>> GetAll() => [];

        public bool TryGetHeader(string key, out object value) => (value = "") is null;

        public T? Get<T>(string key, T? defaultValue = default)
            where T : class => defaultValue;

        public T? Get<T>(string key, T? defaultValue = default)
            where T : struct => defaultValue;

        public IEnumerator<HeaderValue> GetEnumerator() => Enumerable.Empty<HeaderValue>().GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
