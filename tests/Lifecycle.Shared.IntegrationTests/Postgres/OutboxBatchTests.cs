using Lifecycle.Contracts;
using Lifecycle.Postgres.Model;
using Lifecycle.Postgres.Outbox;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

public sealed class OutboxBatchTests : TrialDatabase
{
    private readonly ManualTimeProvider time = new(Noon);
    private readonly List<(Guid Lead, long Version, Guid MessageId)> broker = [];
    private readonly Lock gate = new();

    [Fact]
    public async Task Publish_ManyOfOneKey_KeepsTheirOrder()
    {
        var leads = Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7(Noon)).ToArray();
        foreach (var version in Enumerable.Range(1, 20))
        {
            await Write([.. leads.Select(lead => NewEvent(WorkspaceId, lead, version))]);
        }

        await Drain(Batch(Deliver));

        Assert.Equal(100, broker.Count);
        Assert.All(leads, lead => Assert.Equal(Enumerable.Range(1, 20).Select(version => (long)version), Versions(lead)));
        Assert.Equal(0, await Count("outbox"));
    }

    [Fact]
    public async Task Publish_RowFails_HoldsItsKeyBackAndNoOther()
    {
        var (bad, good) = (Guid.CreateVersion7(Noon), Guid.CreateVersion7(Noon));
        await Write(
            NewEvent(WorkspaceId, bad, 1), NewEvent(WorkspaceId, good, 1), NewEvent(WorkspaceId, bad, 2), NewEvent(WorkspaceId, good, 2));
        var fail = true;
        var batch = Batch((row, ct) => fail && Read(row).LeadId == bad ? throw new InvalidDataException("refused") : Deliver(row, ct));

        await Drain(batch);
        Assert.Equal([1L, 2L], Versions(good));
        Assert.Empty(Versions(bad));
        fail = false;
        await Write(NewEvent(WorkspaceId, bad, 3));
        await Drain(batch);
        Assert.Empty(Versions(bad));
        time.Advance(TimeSpan.FromSeconds(1));
        await Drain(batch);

        Assert.Equal([1L, 2L, 3L], Versions(bad));
    }

    [Fact]
    public async Task Publish_RowFailsAlways_ParksItAndGoesOn()
    {
        var lead = Guid.CreateVersion7(Noon);
        await Write(NewEvent(WorkspaceId, lead, 1), NewEvent(WorkspaceId, lead, 2));
        var batch = Batch((row, ct) => Read(row).Version == 1 ? throw new InvalidDataException("refused") : Deliver(row, ct));
        for (var attempt = 1; attempt <= 11; attempt++)
        {
            await Drain(batch);
            time.Advance(TimeSpan.FromSeconds(300));
        }

        Assert.Equal([2L], Versions(lead));
        Assert.Equal([[10, true]], await Database.Query("select attempts, parked from outbox"));
    }

    [Fact]
    public async Task Publish_UnknownEvent_IsHeldBack()
    {
        await Database.Query(
            """
            insert into outbox (message_id, type, body, headers, attempts, parked, created_at)
            values (gen_random_uuid(), 'Unheard', '{}', '{}', 0, false, now())
            """);

        await Drain(Batch((row, ct) => Deliver(row, ct)));

        Assert.Equal([[1, false]], await Database.Query("select attempts, parked from outbox"));
    }

    [Fact]
    public async Task Publish_BrokerAway_CountsNoAttemptAndKeepsEverything()
    {
        await Write(NewEvent(WorkspaceId, Guid.CreateVersion7(Noon), 1));
        await Assert.ThrowsAsync<BrokerUnavailableException>(
            () => Drain(Batch((_, _) => throw new BrokerUnavailableException("away", null))));

        Assert.Equal([[0, true]], await Database.Query("select attempts, not_before is null from outbox"));
    }

    [Theory]
    [InlineData(KillPoint.BeforePublish, 1)]
    [InlineData(KillPoint.AfterPublish, 2)]
    [InlineData(KillPoint.AfterDelete, 1)]
    internal async Task Publish_CrashAt_LosesNothingAndRepeatsTheMessageId(KillPoint point, int deliveries)
    {
        await Write(NewEvent(WorkspaceId, Guid.CreateVersion7(Noon), 1));
        await Assert.ThrowsAsync<CrashException>(() => Drain(Batch(Deliver, reached => Crash(reached == point))));
        await Drain(Batch(Deliver));

        Assert.Equal(deliveries, broker.Count);
        Assert.Single(broker.Select(message => message.MessageId).Distinct());
        Assert.Equal(0, await Count("outbox"));
    }

    private static void Crash(bool now)
    {
        if (now)
        {
            throw new CrashException();
        }
    }

    private static LeadStageChanged Read(OutboxRow row) => (LeadStageChanged)EventTypes.Deserialize(row.Type, row.Body);

    private OutboxBatch Batch(Func<OutboxRow, CancellationToken, Task> publish, Action<KillPoint>? atKillPoint = null) =>
        new(publish, new OutboxOptions(), time, NullLogger.Instance) { AtKillPoint = atKillPoint };

    private async Task Drain(OutboxBatch batch)
    {
        await using var connection = await Database.Application.OpenConnectionAsync(Ct);
        await batch.Publish(connection, Ct);
    }

    private Task Write(params LeadStageChanged[] events) => Database.UnitOfWork<TrialDbContext>(time).Run(WorkspaceId, tx =>
    {
        Array.ForEach(events, tx.Publish);
        return Task.CompletedTask;
    }, Ct);

    /// <summary>Answers late and out of turn, as a broker's confirmations do.</summary>
    private async Task Deliver(OutboxRow row, CancellationToken ct)
    {
        await Task.Yield();
        var e = Read(row);
        lock (gate)
        {
            broker.Add((e.LeadId, e.Version, row.MessageId));
        }
    }

    private IEnumerable<long> Versions(Guid lead) => broker.Where(message => message.Lead == lead).Select(message => message.Version);

    private sealed class CrashException : Exception;
}
