using Dapper;
using FsCheck.Fluent;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Postgres.Model;
using Lifecycle.Postgres.Outbox;
using Lifecycle.Trial.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

/// <summary>From the transaction to the handler, whatever dies on the way: nothing is lost, nothing is handled twice.</summary>
public sealed class OutboxProperties : TrialDatabase
{
    private const int Steps = 12;

    /// <summary>
    /// One thing that happens: a write, or a round of the relay that dies at a point or not at all, or a consumer's round, which may die
    /// too.
    /// </summary>
    public enum Step
    {
        Write,
        WriteRolledBack,
        RelayDiesBeforePublish,
        RelayDiesAfterPublish,
        RelayDiesAfterDelete,
        Relay,
        ConsumerDies,
        Consume,
    }

    [Fact]
    public async Task OutboxToInbox_AnyCrashes_HandlesEachCommittedEventOnce()
    {
        var scenarios = Gen.Elements(Enum.GetValues<Step>()).ArrayOf(Steps);
        foreach (var scenario in Gen.Sample(scenarios, 60))
        {
            var expected = await Play(scenario);
            var handled = await Database.Query("select version, times from sighting order by version");
            Assert.True(
                expected.Select(version => (version, 1)).SequenceEqual(handled.Select(row => ((long)row[0]!, (int)row[1]!))),
                $"{string.Join(", ", scenario)}: expected {string.Join(' ', expected)}, "
                + $"handled {string.Join(' ', handled.Select(row => $"{row[0]}x{row[1]}"))}");
            await Database.Query("truncate sighting, inbox, outbox, move");
        }
    }

    private async Task<List<long>> Play(IEnumerable<Step> scenario)
    {
        var work = Database.UnitOfWork<TrialDbContext>();
        var lead = Guid.CreateVersion7(Noon);
        var queue = new List<LeadStageChanged>();
        var committed = new List<long>();
        var version = 0L;
        foreach (var step in scenario)
        {
            switch (step)
            {
                case Step.Write:
                    committed.Add(++version);
                    await Write(version, commit: true);
                    break;
                case Step.WriteRolledBack:
                    await Write(++version, commit: false);
                    break;
                case Step.RelayDiesBeforePublish:
                    await Relay(KillPoint.BeforePublish);
                    break;
                case Step.RelayDiesAfterPublish:
                    await Relay(KillPoint.AfterPublish);
                    break;
                case Step.RelayDiesAfterDelete:
                    await Relay(KillPoint.AfterDelete);
                    break;
                case Step.Relay:
                    await Relay(null);
                    break;
                case Step.ConsumerDies:
                    await Consume(dies: true);
                    break;
                default:
                    await Consume(dies: false);
                    break;
            }
        }

        await Relay(null);
        await Consume(dies: false);
        return committed;

        Task Write(long number, bool commit) => Quietly(() => work.Run(WorkspaceId, tx =>
        {
            tx.Publish(NewEvent(WorkspaceId, lead, number));
            return commit ? Task.CompletedTask : throw new DiedException();
        }, Ct));

        Task Relay(KillPoint? dies) => Quietly(async () =>
        {
            Task Publish(OutboxRow row, CancellationToken ct)
            {
                queue.Add((LeadStageChanged)EventTypes.Deserialize(row.Type, row.Body));
                return Task.CompletedTask;
            }

            await using var connection = await Database.Application.OpenConnectionAsync(Ct);
            var batch = new OutboxBatch(Publish, new OutboxOptions(), TimeProvider.System, NullLogger.Instance)
            {
                AtKillPoint = reached => _ = reached == dies ? throw new DiedException() : reached,
            };
            await batch.Publish(connection, Ct);
        });

        // A consumer that dies has not acknowledged, so the message stays, whether it dies before its commit or after it.
        async Task Consume(bool dies)
        {
            foreach (var e in queue.ToArray())
            {
                var diesBeforeCommit = dies && e.Version % 2 == 0;
                await Quietly(() => work.RunOnce(WorkspaceId, e.EventId, "trial", async tx =>
                {
                    await Sight(tx, e);
                    _ = diesBeforeCommit ? throw new DiedException() : true;
                }, Ct));
            }

            if (!dies)
            {
                queue.Clear();
            }
        }
    }

    private static async Task Sight(Transaction<TrialDbContext> tx, LeadStageChanged e) => await tx.Connection.ExecuteAsync(
        """
        insert into sighting (workspace_id, lead_id, version, times) values (@WorkspaceId, @LeadId, @Version, 1)
        on conflict (workspace_id, lead_id, version) do update set times = sighting.times + 1
        """,
        e);

    private static async Task Quietly(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (DiedException)
        {
            // That was the plan.
        }
    }

    private sealed class DiedException : Exception;
}
