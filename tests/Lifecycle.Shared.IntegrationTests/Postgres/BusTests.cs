using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

/// <summary>The trial service as a process, real Postgres and RabbitMQ in between.</summary>
public sealed class BusTests : TrialDatabase
{
    private TestVirtualHost broker = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        broker = await TestVirtualHost.Create();
    }

    public override async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Move_Published_ReachesSubscribersAndTheConsumerOnce()
    {
        await using var bus = await TestBus.Start(broker, typeof(LeadStageChanged));
        await using var service = await Start();
        var leads = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7(Noon)).ToArray();
        for (var version = 1; version <= 10; version++)
        {
            await Task.WhenAll(leads.Select(lead => Move(service, lead, version)));
        }

        var received = await bus.Until<LeadStageChanged>(30);

        Assert.All(leads, lead => Assert.Equal(
            Enumerable.Range(1, 10).Select(version => (long)version), received.Where(e => e.LeadId == lead).Select(e => e.Version)));
        await UntilSeen(30);
    }

    [Fact]
    public async Task Move_CalledWithATrace_EventCarriesItAndItsOwnId()
    {
        await using var bus = await TestBus.Start(broker, typeof(LeadStageChanged));
        await using var service = await Start();
        using var client = new HttpClient { BaseAddress = service.Http };
        client.DefaultRequestHeaders.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        await Move(client, WorkspaceId, 1);

        await bus.Until<LeadStageChanged>(1);

        // Published again when its confirmation is late, it carries the same.
        Assert.All(bus.Received, delivery =>
        {
            Assert.Equal(delivery.Event.EventId, delivery.MessageId);
            Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", delivery.TraceParent, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Event_DeliveredTwice_IsHandledOnce()
    {
        await using var service = await Start();
        await using var bus = await TestBus.Start(broker);
        var e = NewEvent(WorkspaceId, Guid.CreateVersion7(Noon), 1);
        await bus.Publish(e);
        await bus.Publish(e);
        await bus.Publish(NewEvent(WorkspaceId, e.LeadId, 2));

        await UntilSeen(2);
        await Eventually.Equal(0L, async () => await broker.QueueLength("trial.lead-stage-changed"), "the queue is empty");
        await AssertSeenOnce();
    }

    [Theory]
    [InlineData("AfterPublish")]
    [InlineData("BeforePublish")]
    [InlineData("AfterDelete")]
    public async Task Relay_KilledAt_NextProcessFinishesTheWork(string point)
    {
        await using var bus = await TestBus.Start(broker, typeof(LeadStageChanged));
        var lead = Guid.CreateVersion7(Noon);
        await using (var doomed = Create(("Trial__KillAt", point)))
        {
            await doomed.Start();
            await Eventually.Passes(async () =>
            {
                try
                {
                    await Move(doomed, lead, await Count("move") + 1);
                }
                catch (HttpRequestException)
                {
                    // The request may lose its answer to the kill.
                }

                Assert.True(doomed.HasExited);
            }, "the process kills itself");
        }

        await using var service = await Start();
        var moves = (int)await Count("move");

        Assert.True(moves > 0);
        await Eventually.Equal(0, () => Count("outbox"), "the outbox is empty");
        await UntilSeen(moves);
        await AssertSeenOnce();
        // A queue of its own, which may be emptied later than the service's.
        await bus.Until<LeadStageChanged>(moves);
    }

    [Fact]
    public async Task TwoReplicas_KilledInTurns_LoseAndDoubleNothing()
    {
        await using var replica1 = await Start();
        await using var replica2 = await Start();
        ServiceProcess[] replicas = [replica1, replica2];
        await using var bus = await TestBus.Start(broker);
        const int Events = 400;
        var publishing = Task.Run(async () =>
        {
            for (var i = 1; i <= Events; i++)
            {
                await bus.Publish(NewEvent(WorkspaceId, WorkspaceId, i));
            }
        }, Ct);
        for (var round = 0; round < 4; round++)
        {
            var seen = await Count("sighting");
            await Eventually.True(async () => await Count("sighting") > seen || publishing.IsCompleted, "something is handled");
            await replicas[round % 2].Kill();
            await replicas[round % 2].Start();
        }

        await publishing;
        await UntilSeen(Events);
        await AssertSeenOnce();
    }

    [Fact]
    public async Task Broker_ClosesConnections_EverythingArrivesAllTheSame()
    {
        await using var service = await Start();
        service.Expect("RabbitMQ");
        service.Expect("S-FAULT");
        var lead = Guid.CreateVersion7(Noon);
        for (var version = 1; version <= 20; version++)
        {
            await Move(service, lead, version);
            if (version % 7 == 0)
            {
                await broker.CloseConnections();
            }
        }

        await UntilSeen(20);
        await AssertSeenOnce();
    }

    [Fact]
    public async Task Handler_CannotEver_MessageGoesToTheErrorQueue()
    {
        await using var service = await Start();
        service.Expect("cannot be erased");
        service.Expect("R-FAULT");
        await using var bus = await TestBus.Start(broker);
        var e = new LeadErased(Guid.CreateVersion7(Noon), WorkspaceId, Noon, 1, Guid.CreateVersion7(Noon));
        await bus.Publish(e);

        await Eventually.Equal(1L, async () => await broker.QueueLength("trial.lead-erased_error"), "the message is in the error queue");
        var message = JsonNode.Parse(Assert.Single(await broker.Take("trial.lead-erased_error")))!["message"]!;
        Assert.Equal(e.LeadId.ToString(), message["leadId"]!.GetValue<string>());
        Assert.Equal(0, await Count("inbox where consumer = 'LeadErasedConsumer'"));
    }

    [Fact]
    public async Task Handler_DatabaseAway_MessageWaitsAndIsNotLost()
    {
        await using var service = await Start();
        await using var bus = await TestBus.Start(broker);
        await Database.Query($"alter database {Database.Name} connection limit 0");
        await Terminate();
        await bus.Publish(NewEvent(WorkspaceId, WorkspaceId, 1));
        await UntilHeld(service);
        await Database.Query($"alter database {Database.Name} connection limit -1");

        await UntilSeen(1);
        await AssertSeenOnce();
    }

    [Fact]
    public async Task Stop_WhileAMessageIsHeld_RedeliversIt()
    {
        await using var bus = await TestBus.Start(broker);
        await using (var service = await Start())
        {
            await Database.Query($"alter database {Database.Name} connection limit 0");
            await Terminate();
            await bus.Publish(NewEvent(WorkspaceId, WorkspaceId, 1));
            await UntilHeld(service);
            Assert.Equal(0, await service.Stop());
        }

        await Database.Query($"alter database {Database.Name} connection limit -1");
        await using var next = await Start();

        await UntilSeen(1);
        Assert.Null(await broker.QueueLength("trial.lead-stage-changed_error"));
    }

    [Fact]
    public async Task Workspace_UpdatedOutOfOrder_KeepsTheHighestVersion()
    {
        await using var service = await Start();
        await using var bus = await TestBus.Start(broker);
        foreach (var version in new[] { 2L, 1L, 3L, 2L })
        {
            await bus.Publish(
                new WorkspaceUpdated(Guid.CreateVersion7(Noon), WorkspaceId, Noon, version, $"Acme {version}", "Europe/Berlin", "EUR"));
        }

        await Eventually.Equal(4L, () => Count("inbox"), "all are handled");
        Assert.Equal([[WorkspaceId, "Acme 3", "Europe/Berlin", "EUR", 3L]], await Database.Query("select * from workspace"));
    }

    [Fact]
    public async Task Start_BrokerAway_SaysSoAndIsNotReadyUntilItComes()
    {
        var environment = ServiceEnvironment.For(Database, broker);
        environment["ConnectionStrings__rabbitmq"] = $"amqp://guest:guest@127.0.0.1:{FreePorts.Find(1)[0]}/";
        await using var service = ServiceProcess.CreateFromLibrary("Trial", Library, environment);
        await service.Start(untilReady: false);
        using var client = new HttpClient { BaseAddress = service.Http };
        await Eventually.Passes(async () =>
        {
            using var response = await client.GetAsync("/health", Ct);
            Assert.Equal(503, (int)response.StatusCode);
            var text = await response.Content.ReadAsStringAsync(Ct);
            Assert.Contains("\"masstransit-bus\",\"status\":\"Unhealthy\"", text, StringComparison.Ordinal);
            Assert.Contains("\"postgres\",\"status\":\"Healthy\"", text, StringComparison.Ordinal);
            Assert.Contains("\"migrations\",\"status\":\"Healthy\"", text, StringComparison.Ordinal);
        }, "the service is alive and, but for the broker, well");

        await Move(service, WorkspaceId, 1);
        Assert.Equal(1, await Count("outbox"));
    }

    private static string Library => Path.Combine(
        Repository.Root, "tests", "Lifecycle.Trial", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0",
        "Lifecycle.Trial.dll");

    private ServiceProcess Create(params (string Name, string Value)[] more)
    {
        var environment = ServiceEnvironment.For(Database, broker);
        foreach (var (name, value) in more)
        {
            environment[name] = value;
        }

        return ServiceProcess.CreateFromLibrary("Trial", Library, environment);
    }

    private async Task<ServiceProcess> Start()
    {
        var service = Create();
        await service.Start();
        return service;
    }

    private async Task Move(ServiceProcess service, Guid lead, long version)
    {
        using var client = new HttpClient { BaseAddress = service.Http };
        await Move(client, lead, version);
    }

    private async Task Move(HttpClient client, Guid lead, long version)
    {
        using var response = await client.PostAsync($"/moves?workspaceId={WorkspaceId}&leadId={lead}&version={version}", null, Ct);
        response.EnsureSuccessStatusCode();
    }

    private async Task Terminate() => await Database.Query(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'trial_app' and datname = current_database()");

    private static Task UntilHeld(ServiceProcess service) => Eventually.True(
        () => Task.FromResult(service.Output.Any(line => line.Contains("LeadStageChangedConsumer holds", StringComparison.Ordinal))),
        "the consumer holds the message");

    private Task UntilSeen(int count) =>
        Eventually.Equal(count, () => Count("sighting"), $"{count} events are handled", TimeSpan.FromSeconds(120));

    private async Task AssertSeenOnce() => Assert.Empty(await Database.Query("select * from sighting where times <> 1"));
}
