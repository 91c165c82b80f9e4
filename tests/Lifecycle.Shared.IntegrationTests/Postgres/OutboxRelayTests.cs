using System.Collections.Concurrent;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Postgres.Model;
using Lifecycle.Postgres.Outbox;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

public sealed class OutboxRelayTests : TrialDatabase
{
    private readonly ConcurrentQueue<(int Relay, Guid Lead, long Version)> broker = [];

    [Fact]
    public async Task Relay_TwoReplicasOneDies_OtherTakesOverInOrder()
    {
        var leads = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7(Noon)).ToArray();
        await using var replica1 = await Replica.Start(this, 1);
        await Eventually.True(() => Task.FromResult(replica1.Leads), "the first replica leads");
        await using var replica2 = await Replica.Start(this, 2);
        for (var version = 1; version <= 30; version++)
        {
            await Write(replica2.Signal, leads, version);
            if (version == 15)
            {
                await Eventually.True(() => Task.FromResult(!broker.IsEmpty), "the first replica publishes");
                await replica1.DisposeAsync();
            }
        }

        await Eventually.Equal(0, () => Count("outbox"), "the outbox is empty");

        Assert.Equal([1, 2], broker.Select(message => message.Relay).Distinct().Order());
        Assert.All(leads, lead => Assert.Equal(
            Enumerable.Range(1, 30).Select(version => (long)version),
            // A replica that dies between publish and delete leaves its last batch to be published again: the first copy counts.
            broker.Where(message => message.Lead == lead).Select(message => message.Version).Distinct()));
    }

    [Fact]
    public async Task Relay_SignalOfAnotherReplica_WakesTheActiveOne()
    {
        // No poll comes to the rescue within the test.
        var options = new OutboxOptions { PollMilliseconds = 60000 };
        await using var active = await Replica.Start(this, 1, options);
        await Eventually.True(() => Task.FromResult(active.Leads), "the first replica leads");
        await using var standby = await Replica.Start(this, 2, options);
        // The active replica's two sessions and the other's one, each after its first statement.
        await Eventually.Equal(
            3L,
            () => Database.Scalar<long>(
                """
                select count(*) from pg_stat_activity where application_name = 'lifecycle-trial-relay' and datname = current_database()
                  and state = 'idle'
                  and (query = 'listen trial_outbox' or query like 'select seq%' or query like 'select pg_try_advisory_lock%')
                """),
            "one replica listens, the other stands by");

        await Write(standby.Signal, [Guid.CreateVersion7(Noon)], 1);

        await Eventually.Equal(1, () => Task.FromResult(broker.Count), "the event is published");
    }

    [Fact]
    public async Task Relay_BrokerAwayForTheActiveReplica_OtherTakesOver()
    {
        await using var cutOff = await Replica.Start(this, 1, brokerAway: true);
        await Eventually.True(() => Task.FromResult(cutOff.Leads), "the first replica leads");
        await using var other = await Replica.Start(this, 2);
        await Write(cutOff.Signal, [Guid.CreateVersion7(Noon)], 1);

        await Eventually.Equal(0, () => Count("outbox"), "the outbox is empty");

        Assert.Equal(2, Assert.Single(broker).Relay);
    }

    [Fact]
    public async Task Relay_SessionLost_GoesOn()
    {
        await using var replica = await Replica.Start(this, 1);
        await Eventually.True(() => Task.FromResult(replica.Leads), "the replica leads");
        for (var version = 1; version <= 5; version++)
        {
            await Database.Query(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'trial_app' and datname = current_database()");
            await Eventually.Passes(() => Write(replica.Signal, [WorkspaceId], version), "the write is done");
        }

        await Eventually.Equal(0, () => Count("outbox"), "the outbox is empty");

        Assert.Equal([1L, 2L, 3L, 4L, 5L], broker.Select(message => message.Version).Distinct());
    }

    private Task Write(OutboxSignal signal, Guid[] leads, long version)
    {
        var work = new UnitOfWork<TrialDbContext>(
            Database.Application, new(ContextFactory<TrialDbContext>.Options("trial", NullLoggerFactory.Instance)), signal,
            TimeProvider.System, NullLogger<UnitOfWork<TrialDbContext>>.Instance);
        return work.Run(WorkspaceId, tx =>
        {
            Array.ForEach(leads, lead => tx.Publish(NewEvent(WorkspaceId, lead, version)));
            return Task.CompletedTask;
        }, Ct);
    }

    private sealed class Replica : IAsyncDisposable
    {
        private readonly OutboxRelay relay;
        private readonly RelayConnections connections;
        private bool disposed;

        private Replica(OutboxRelayTests test, int number, OutboxOptions options, bool brokerAway)
        {
            connections = new(test.Database.ConnectionString, "trial", new DatabaseOptions(), null);
            Task Publish(OutboxRow row, CancellationToken ct)
            {
                if (brokerAway)
                {
                    throw new BrokerUnavailableException("away", null);
                }

                var e = (LeadStageChanged)EventTypes.Deserialize(row.Type, row.Body);
                test.broker.Enqueue((number, e.LeadId, e.Version));
                return Task.CompletedTask;
            }

            relay = new(
                connections, new LifecycleDatabase("trial", typeof(TrialDbContext)),
                new OutboxBatch(Publish, options, TimeProvider.System, NullLogger.Instance),
                Signal, options, NullLogger<OutboxRelay>.Instance);
        }

        public OutboxSignal Signal { get; } = new();

        public bool Leads => relay.Leads;

        public static async Task<Replica> Start(OutboxRelayTests test, int number, OutboxOptions? options = null, bool brokerAway = false)
        {
            var replica = new Replica(test, number, options ?? new OutboxOptions { PollMilliseconds = 50 }, brokerAway);
            await replica.relay.StartAsync(Ct);
            return replica;
        }

        public async ValueTask DisposeAsync()
        {
            if (disposed)
            {
                return;
            }

            disposed = true;
            await relay.StopAsync(CancellationToken.None);
            relay.Dispose();
            await connections.DisposeAsync();
        }
    }
}
