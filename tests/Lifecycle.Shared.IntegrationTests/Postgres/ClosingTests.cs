using Lifecycle.Postgres;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Npgsql;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

/// <summary>What goes to the server together: writes, questions and the commit.</summary>
public sealed class ClosingTests : TrialDatabase
{
    private UnitOfWork<TrialDbContext> Work => Database.UnitOfWork<TrialDbContext>(new ManualTimeProvider(Noon));

    [Fact]
    public async Task Ask_AfterWrites_SeesThemAndReadsEachAnswerInTurn()
    {
        var (before, after, none) = (-1L, -1L, true);
        await Work.Run(WorkspaceId, async tx =>
        {
            tx.Ask(new("select count(*) from sighting"), async rows => before = await Single(rows));
            tx.Closing.BatchCommands.Add(Sighting(Guid.CreateVersion7(Noon)));
            tx.Ask(new("select 1 from sighting where times > 1000"), async rows => none = !await rows.ReadAsync(Ct));
            tx.Closing.BatchCommands.Add(Sighting(Guid.CreateVersion7(Noon)));
            tx.Ask(new("select count(*) from sighting"), async rows => after = await Single(rows));
            Assert.True(tx.Asks);
            await tx.Flush();
            Assert.False(tx.Asks);
            tx.Closing.BatchCommands.Add(Sighting(Guid.CreateVersion7(Noon)));
        }, Ct);

        Assert.Equal((0, 2, true), (before, after, none));
        Assert.Equal(3, await Count("sighting"));
    }

    [Fact]
    public async Task Commit_LastWriteFails_RollsEverythingBackAndLeavesTheConnectionSound()
    {
        var lead = Guid.CreateVersion7(Noon);
        var exception = await Assert.ThrowsAsync<PostgresException>(() => Work.Run(WorkspaceId, async tx =>
        {
            tx.Closing.BatchCommands.Add(Sighting(lead));
            await tx.Flush();
            tx.Publish(NewEvent(WorkspaceId, lead, 1));
            tx.Closing.BatchCommands.Add(Sighting(lead));
        }, Ct));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, exception.SqlState);
        Assert.Equal((0, 0), (await Count("sighting"), await Count("outbox")));

        await Work.Run(WorkspaceId, tx =>
        {
            tx.Closing.BatchCommands.Add(Sighting(lead));
            return Task.CompletedTask;
        }, Ct);
        Assert.Equal(1, await Count("sighting"));
    }

    private static async Task<long> Single(NpgsqlDataReader rows)
    {
        Assert.True(await rows.ReadAsync(Ct));
        return rows.GetInt64(0);
    }

    private NpgsqlBatchCommand Sighting(
        Guid lead) => new("insert into sighting (workspace_id, lead_id, version, times) values ($1, $2, 1, 1)")
        {
            Parameters = { Bulk.Value(WorkspaceId), Bulk.Value(lead) },
        };
}
