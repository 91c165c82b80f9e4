using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

public sealed class UnitOfWorkTests : TrialDatabase
{
    private UnitOfWork<TrialDbContext> Work => Database.UnitOfWork<TrialDbContext>(new ManualTimeProvider(Noon));

    [Fact]
    public async Task Run_Success_CommitsEntitiesSqlAndEvents()
    {
        var lead = Guid.CreateVersion7(Noon);
        var result = await Work.Run<int>(WorkspaceId, async tx =>
        {
            tx.Db.Moves.Add(new Move
            {
                WorkspaceId = WorkspaceId,
                LeadId = lead,
                Version = 1,
                Day = new(2026, 3, 31),
                Price = new() { CurrencyCode = "USD", Amount = 12000.00m },
            });
            await tx.Connection.ExecuteAsync(
                "insert into sighting (workspace_id, lead_id, version, times) values (@WorkspaceId, @lead, 1, 1)",
                new { WorkspaceId, lead });
            tx.Publish(NewEvent(WorkspaceId, lead, 1));
            tx.Publish(NewEvent(WorkspaceId, lead, 2));
            return 7;
        }, Ct);

        Assert.Equal(7, result.Value);
        var row = Assert.Single(await Database.Query("select day, price_currency_code, price_amount from move"));
        Assert.Equal(
            [new DateOnly(2026, 3, 31), "USD", 12000.00m], [row[0] is DateTime day ? DateOnly.FromDateTime(day) : row[0], row[1], row[2]]);
        Assert.Equal(1, await Count("sighting"));
        var outbox = await Database.Query(
            "select type, body ->> 'version', headers ->> 'workspace', ordering_key from outbox order by seq");
        Assert.Equal(
            [
                ["LeadStageChanged", "1", $"{WorkspaceId}", $"{WorkspaceId}:{lead}"],
                ["LeadStageChanged", "2", $"{WorkspaceId}", $"{WorkspaceId}:{lead}"],
            ],
            outbox);
    }

    [Fact]
    public async Task Run_Error_RollsEverythingBack()
    {
        var result = await Work.Run<int>(WorkspaceId, async tx =>
        {
            tx.Db.Moves.Add(NewMove(WorkspaceId, tx.NewId(), 1));
            await tx.Db.SaveChangesAsync(Ct);
            tx.Publish(NewEvent(WorkspaceId, tx.NewId(), 1));
            return Error.Precondition("The lead is gone.");
        }, Ct);

        Assert.Equal(ErrorKind.FailedPrecondition, result.Error?.Kind);
        Assert.Equal((0, 0), (await Count("move"), await Count("outbox")));
    }

    [Fact]
    public async Task Run_Exception_RollsEverythingBack()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => Work.Run(WorkspaceId, async tx =>
        {
            tx.Publish(NewEvent(WorkspaceId, tx.NewId(), 1));
            tx.Db.Moves.Add(NewMove(WorkspaceId, tx.NewId(), 1));
            await tx.Db.SaveChangesAsync(Ct);
            throw new InvalidDataException();
        }, Ct));

        Assert.Equal((0, 0), (await Count("move"), await Count("outbox")));
    }

    [Fact]
    public async Task Run_Deadlock_RunsTheWorkAgain()
    {
        var leads = new[] { Guid.CreateVersion7(Noon), Guid.CreateVersion7(Noon) };
        foreach (var lead in leads)
        {
            await Work.Run(WorkspaceId, tx =>
            {
                tx.Db.Moves.Add(NewMove(WorkspaceId, lead, 1));
                return Task.CompletedTask;
            }, Ct);
        }

        var runs = 0;
        using var bothHoldOne = new Barrier(2);
        var survived = new TaskCompletionSource();
        async Task Touch(Guid first, Guid second)
        {
            var met = false;
            await Work.Run(WorkspaceId, async tx =>
            {
                Interlocked.Increment(ref runs);
                if (met)
                {
                    // The other may not have noticed yet that it may go on: who overtook it would meet it in another deadlock.
                    await survived.Task.WaitAsync(Ct);
                }

                await Append(tx, first);
                if (!met)
                {
                    met = true;
                    await Task.Run(() => bothHoldOne.SignalAndWait(Ct), Ct);
                }

                await Append(tx, second);
            }, Ct);
            survived.TrySetResult();
        }

        await Task.WhenAll(Touch(leads[0], leads[1]), Touch(leads[1], leads[0]));

        Assert.Equal(3, runs);
        Assert.Equal([["xx"], ["xx"]], await Database.Query("select note from move"));
    }

    [Fact]
    public async Task Run_ConflictEveryTime_GivesUpAfterThreeRuns()
    {
        var runs = 0;
        await Assert.ThrowsAsync<PostgresException>(() => Work.Run(WorkspaceId, tx =>
        {
            runs++;
            throw new PostgresException("conflict", "ERROR", "ERROR", PostgresErrorCodes.SerializationFailure);
        }, Ct));

        Assert.Equal(3, runs);
    }

    [Fact]
    public async Task Run_Cancelled_LeavesNothing()
    {
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Work.Run(WorkspaceId, async tx =>
        {
            tx.Db.Moves.Add(NewMove(WorkspaceId, tx.NewId(), 1));
            await cancel.CancelAsync();
        }, cancel.Token));

        Assert.Equal(0, await Count("move"));
    }

    [Fact]
    public async Task Read_Write_IsRefused()
    {
        var exception = await Assert.ThrowsAsync<PostgresException>(() => Work.Read(WorkspaceId, tx => tx.Connection.ExecuteAsync(
            "insert into sighting (workspace_id, lead_id, version, times) values (@id, @id, 1, 1)", new { id = WorkspaceId }), Ct));

        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, exception.SqlState);
    }

    [Fact]
    public async Task Read_ConcurrentCommit_SeesOneSnapshot()
    {
        var counts = await Work.Read(WorkspaceId, async tx =>
        {
            var before = await tx.Db.Moves.CountAsync(Ct);
            await Work.Run(WorkspaceId, other =>
            {
                other.Db.Moves.Add(NewMove(WorkspaceId, other.NewId(), 1));
                return Task.CompletedTask;
            }, Ct);
            return (before, await tx.Db.Moves.CountAsync(Ct));
        }, Ct);

        Assert.Equal((0, 0), counts);
        Assert.Equal(1, await Count("move"));
    }

    [Fact]
    public async Task RunOnce_Twice_RunsOnceForEachConsumer()
    {
        var message = Guid.CreateVersion7(Noon);
        var runs = 0;
        Task<bool> Handle(string consumer) => Work.RunOnce(WorkspaceId, message, consumer, _ =>
        {
            runs++;
            return Task.CompletedTask;
        }, Ct);

        Assert.Equal((true, false, true), (await Handle("A"), await Handle("A"), await Handle("B")));
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task RunOnce_RacingTwins_OneRuns()
    {
        var message = Guid.CreateVersion7(Noon);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Work.RunOnce(WorkspaceId, message, "A", async tx =>
            await tx.Connection.ExecuteAsync(
                "insert into sighting (workspace_id, lead_id, version, times) values (@WorkspaceId, @message, 1, 1)",
                new { WorkspaceId, message }), Ct)));

        Assert.Single(outcomes, isFirst => isFirst);
        Assert.Equal(1, await Count("sighting"));
    }

    [Fact]
    public async Task RunOnce_WorkFails_RunsAgainLater()
    {
        var message = Guid.CreateVersion7(Noon);
        await Assert.ThrowsAsync<InvalidDataException>(
            () => Work.RunOnce(WorkspaceId, message, "A", _ => throw new InvalidDataException(), Ct));

        Assert.True(await Work.RunOnce(WorkspaceId, message, "A", _ => Task.CompletedTask, Ct));
    }

    [Fact]
    public async Task ForEachWorkspace_MoreThanAPage_VisitsEachOnce()
    {
        await using (var command = Database.Administrator.CreateCommand(
            "insert into workspace select gen_random_uuid(), 'Acme', 'UTC', 'USD', 1 from generate_series(1, 1201)"))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }

        var visited = new List<Guid>();
        await Work.ForEachWorkspace((id, _) =>
        {
            visited.Add(id);
            return Task.CompletedTask;
        }, Ct);

        Assert.Equal(1201, visited.Count);
        Assert.Equal(1201, visited.Distinct().Count());
    }

    [Fact]
    public async Task Bulk_ManyRows_InsertsThemAndCountsConflicts()
    {
        var leads = Enumerable.Range(0, 1000).Select(_ => Guid.CreateVersion7(Noon)).ToArray();
        Task<int> Insert(Transaction<TrialDbContext> tx) => Bulk.Insert(
            tx, "move",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, leads, _ => WorkspaceId),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, leads, lead => lead),
                BulkColumn.From("version", NpgsqlDbType.Bigint, leads, _ => 1L),
                BulkColumn.From("price_amount", NpgsqlDbType.Numeric, leads, lead => lead == leads[0] ? null : (decimal?)0.1m),
                BulkColumn.From("note", NpgsqlDbType.Text, leads, lead => lead == leads[0] ? null : "a"),
            ],
            "on conflict do nothing");

        var inserted = new List<int>();
        await Work.Run(WorkspaceId, async tx => inserted.AddRange([await Insert(tx), await Insert(tx)]), Ct);

        Assert.Equal([1000, 0], inserted);
        Assert.Equal(99.9m, await Database.Scalar<decimal>("select sum(price_amount) from move"));
    }

    [Fact]
    public async Task Dapper_InstantsAndDays_ReadAsWritten()
    {
        var (instant, day) = await Work.Read(WorkspaceId, tx => tx.Connection.QuerySingleAsync<(DateTimeOffset, DateOnly)>(
            "select @instant, @day", new { instant = Noon.ToOffset(TimeSpan.FromHours(2)), day = new DateOnly(2026, 3, 31) }), Ct);

        Assert.Equal((Noon, TimeSpan.Zero, new DateOnly(2026, 3, 31)), (instant, instant.Offset, day));
    }

    private static async Task Append(Transaction<TrialDbContext> tx, Guid lead) =>
        await tx.Connection.ExecuteAsync("update move set note = coalesce(note, '') || 'x' where lead_id = @lead", new { lead });
}
