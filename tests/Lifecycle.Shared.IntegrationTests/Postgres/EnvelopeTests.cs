using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Postgres.Bus;
using Lifecycle.Postgres.Outbox;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using MassTransit;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

/// <summary>What the relay sends, beside what MassTransit's own <c>Publish</c> of the same event sends.</summary>
public sealed class EnvelopeTests : TrialDatabase
{
    private TestVirtualHost broker = null!;
    private IBusControl bus = null!;
    private BrokerPublisher publisher = null!;
    private IConnection connection = null!;
    private IChannel channel = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        broker = await TestVirtualHost.Create();
        var address = new Uri(broker.ConnectionString);
        bus = Bus.Factory.CreateUsingRabbitMq(rabbitmq => BusSetup.Connect(rabbitmq, address, "test"));
        publisher = new(
            bus, BusSetup.Settings(address, "test-relay"), new OutboxOptions { PublishTimeoutSeconds = 60 }, TimeProvider.System);
        connection = await new ConnectionFactory { Uri = address }.CreateConnectionAsync(Ct);
        channel = await connection.CreateChannelAsync(cancellationToken: Ct);
    }

    public override async ValueTask DisposeAsync()
    {
        await publisher.DisposeAsync();
        await bus.StopAsync(TimeSpan.FromSeconds(60));
        await connection.DisposeAsync();
        await broker.DisposeAsync();
        await base.DisposeAsync();
    }

    public static TheoryData<string> Events => ["LeadStageChanged", "LeadScoreChanged", "ActivitiesRecorded", "LeadErased"];

    [Theory]
    [MemberData(nameof(Events))]
    public async Task Publish_SameEvent_IsWhatMassTransitPublishes(string name)
    {
        var e = Event(name);
        var queue = await Bound(e.GetType());
        await ByMassTransit(e);
        var expected = await Take(queue);
        await Relay(e);
        var actual = await Take(queue);

        AssertSame(JsonNode.Parse(expected.Body.Span), JsonNode.Parse(actual.Body.Span), "envelope");
        Assert.Equal(Properties(expected), Properties(actual));
    }

    [Fact]
    public async Task Publish_RowOfAnEarlierRelease_IsWhatMassTransitPublishes()
    {
        var e = Event("LeadScoreChanged");
        var queue = await Bound(e.GetType());
        await ByMassTransit(e);
        var expected = await Take(queue);
        await Write(e);
        // Decimals as numbers, and nothing that says how the body is written.
        await Database.Query(
            "update outbox set headers = headers - 'broker', body = jsonb_set(body, '{total}', to_jsonb((body ->> 'total')::numeric))");
        Assert.Equal([["number"]], await Database.Query("select jsonb_typeof(body -> 'total') from outbox"));
        await Drain();

        AssertSame(JsonNode.Parse(expected.Body.Span), JsonNode.Parse((await Take(queue)).Body.Span), "envelope");
    }

    [Fact]
    public async Task Publish_WithATrace_CarriesItAsMassTransitDoes()
    {
        var e = Event("LeadErased");
        var queue = await Bound(e.GetType());
        await Write(e);
        const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        await Database.Query($$"""update outbox set headers = headers || '{"traceparent": "{{Trace}}"}'""");

        await Drain();
        var message = await Take(queue);

        var header = Encoding.UTF8.GetString(Assert.IsType<byte[]>(message.BasicProperties.Headers!["MT-Activity-Id"]));
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", header, StringComparison.Ordinal);
        Assert.Equal(header, JsonNode.Parse(message.Body.Span)!["headers"]!["MT-Activity-Id"]!.GetValue<string>());
    }

    [Fact]
    public async Task Publish_NoExchangeYet_DeclaresItAsMassTransitDoes()
    {
        await Relay(Event("LeadErased"));

        // MassTransit refuses an exchange that is declared in another way than its own.
        await ByMassTransit(Event("LeadErased"));
        Assert.Equal(0, await Count("outbox"));
    }

    [Fact]
    public async Task Publish_ExchangeRefused_HoldsItsEventsBackAndNoOther()
    {
        await channel.ExchangeDeclareAsync("lifecycle.lead-erased", ExchangeType.Direct, durable: true, cancellationToken: Ct);
        var queue = await Bound(typeof(LeadStageChanged));
        await Write(Event("LeadErased"));
        var e = Event("LeadStageChanged");
        await Write(e);

        await Drain();

        Assert.Equal(e.EventId.ToString(), (await Take(queue)).BasicProperties.MessageId);
        Assert.Equal([["LeadErased", 1]], await Database.Query("select type, attempts from outbox"));
    }

    [Fact]
    public async Task Publish_ExchangeDeletedMeanwhile_ComesAgain()
    {
        await Relay(Event("LeadErased"));
        await channel.ExchangeDeleteAsync("lifecycle.lead-erased", cancellationToken: Ct);
        await Write(Event("LeadErased"));

        await Drain();
        Assert.Equal([["LeadErased", 1]], await Database.Query("select type, attempts from outbox"));
        await Database.Query("update outbox set not_before = null");
        await Drain();

        Assert.Equal(0, await Count("outbox"));
    }

    [Fact]
    public async Task Publish_ConnectionClosed_CountsNoAttemptAndOpensAnother()
    {
        var queue = await Bound(typeof(LeadErased));
        await Relay(Event("LeadErased"));
        await Take(queue);
        var e = Event("LeadErased");
        await Write(e);
        // The broker's list of connections is some seconds old.
        await Eventually.True(
            async () => await broker.CloseConnections(name => name == "lifecycle-test-relay") > 0, "the relay's connection is closed");

        await Eventually.Passes(async () =>
        {
            await Drain();
            Assert.Equal(0, await Count("outbox"));
        }, "the event is published");

        Assert.Equal(e.EventId.ToString(), (await Take(queue)).BasicProperties.MessageId);
    }

    [Fact]
    public async Task Publish_ManyAtOnce_KeepsEachBodyAndTheOrderOfEachSubject()
    {
        var queue = await Bound(typeof(LeadStageChanged));
        var leads = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7(Noon)).ToArray();
        var events = Enumerable.Range(1, 10).SelectMany(version => leads.Select(lead => NewEvent(WorkspaceId, lead, version))).ToArray();
        await Write(events);

        await Drain();

        Assert.Equal(0, await Count("outbox"));
        var received = new List<LeadStageChanged>();
        while (received.Count < events.Length)
        {
            var message = JsonNode.Parse((await Take(queue)).Body.Span)!["message"]!;
            received.Add((LeadStageChanged)EventTypes.Deserialize("LeadStageChanged", message.ToJsonString()));
        }

        Assert.Equal(events.OrderBy(e => e.EventId), received.OrderBy(e => e.EventId));
        Assert.All(leads, lead => Assert.Equal(
            Enumerable.Range(1, 10).Select(version => (long)version), received.Where(e => e.LeadId == lead).Select(e => e.Version)));
    }

    private ILifecycleEvent Event(string name)
    {
        var (id, lead) = (Guid.CreateVersion7(Noon), Guid.CreateVersion7(Noon));
        using var json = JsonDocument.Parse("""{"n":1.20,"s":"ä \"<+>\"","l":[1,null,{"b":true}]}""");
        var touch = new TouchInfo("Paid Search", "google", "cpc", "spring", null, "https://a.test/?a=\"ä\"", "gclid:x", Noon, lead);
        return name switch
        {
            "LeadStageChanged" =>
                new LeadStageChanged(id, WorkspaceId, Noon, 3, lead, "LEAD", "MQL", "QUALIFIED", "service:trial", 12.50m, touch),
            "LeadScoreChanged" =>
                new LeadScoreChanged(
                    id, WorkspaceId, Noon.AddTicks(1234560), 3, lead, 12.50m, 0m, -0.0001m, 79_000_000_000m, "A", "HOT", 2),
            "ActivitiesRecorded" => new ActivitiesRecorded(
                id, WorkspaceId, Noon, 1,
                [
                    new(id, lead, "TRACK", "Tried ☂", Noon, null, null, json.RootElement.EnumerateObject().ToDictionary(
                        p => p.Name, p => p.Value.Clone())),
                    new(id, lead, "PAGE", "Home", Noon, lead, "https://a.test", new Dictionary<string, JsonElement>()),
                ]),
            _ => new LeadErased(id, WorkspaceId, Noon, 1, lead),
        };
    }

    private async Task<string> Bound(Type eventType)
    {
        var exchange = LifecycleEntityNames.Exchange(eventType);
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, cancellationToken: Ct);
        var queue = (await channel.QueueDeclareAsync(cancellationToken: Ct)).QueueName;
        await channel.QueueBindAsync(queue, exchange, "", cancellationToken: Ct);
        return queue;
    }

    private async Task<BasicGetResult> Take(string queue)
    {
        BasicGetResult? message = null;
        await Eventually.True(async () => (message = await channel.BasicGetAsync(queue, autoAck: true, Ct)) is not null, "a message came");
        return message!;
    }

    private async Task ByMassTransit(ILifecycleEvent e)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        deadline.CancelAfter(TimeSpan.FromSeconds(120));
        await bus.StartAsync(deadline.Token);
        await bus.Publish(e, e.GetType(), context => context.MessageId = e.EventId, deadline.Token);
    }

    private async Task Relay(ILifecycleEvent e)
    {
        await Write(e);
        await Drain();
        Assert.Equal(0, await Count("outbox"));
    }

    private Task Write(params ILifecycleEvent[] events) => Database.UnitOfWork<TrialDbContext>().Run(WorkspaceId, tx =>
    {
        Array.ForEach(events, tx.Publish);
        return Task.CompletedTask;
    }, Ct);

    private async Task Drain()
    {
        await using var own = await Database.Application.OpenConnectionAsync(Ct);
        await new OutboxBatch(publisher.Publish, new OutboxOptions(), TimeProvider.System, NullLogger.Instance).Publish(own, Ct);
    }

    private static SortedDictionary<string, string> Properties(BasicGetResult message)
    {
        var properties = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["exchange"] = message.Exchange,
            ["routing key"] = message.RoutingKey
        };
        foreach (var property in typeof(IReadOnlyBasicProperties).GetProperties().Where(property => property.Name != "Headers"))
        {
            properties[property.Name] = $"{property.GetValue(message.BasicProperties)}";
        }

        // The client's own count of what its channel sent.
        foreach (var header in message.BasicProperties.Headers?.Keys.Where(name => name != "x-dotnet-pub-seq-no") ?? [])
        {
            properties[$"header {header}"] = "";
        }

        return properties;
    }

    /// <summary>Same members of the same kind; same values but for what each sending has anew.</summary>
    private static void AssertSame(JsonNode? expected, JsonNode? actual, string path)
    {
        switch (expected)
        {
            case JsonObject members:
                Assert.Equal(members.Select(member => member.Key).Order(StringComparer.Ordinal), actual!.AsObject()
                    .Select(member => member.Key).Order(StringComparer.Ordinal));
                foreach (var (name, value) in members)
                {
                    AssertSame(value, actual[name], $"{path}.{name}");
                }

                break;
            case JsonArray items:
                Assert.Equal(items.Count, actual!.AsArray().Count);
                for (var i = 0; i < items.Count; i++)
                {
                    AssertSame(items[i], actual[i], $"{path}[{i}]");
                }

                break;
            case null:
                Assert.True(actual is null, path);
                break;
            default:
                Assert.Equal(expected.GetValueKind(), actual!.GetValueKind());
                switch (path)
                {
                    case "envelope.conversationId":
                        Assert.True(Guid.TryParse(actual.GetValue<string>(), out _), path);
                        break;
                    case "envelope.sentTime":
                        Assert.Equal(DateTimeKind.Utc, actual.GetValue<DateTime>().Kind);
                        break;
                    case "envelope.headers.MT-Activity-Id":
                        break;
                    default:
                        Assert.True(JsonNode.DeepEquals(expected, actual), $"{path}: {expected.ToJsonString()} is {actual.ToJsonString()}");
                        break;
                }

                break;
        }
    }
}
