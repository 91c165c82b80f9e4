using Lifecycle.Capture.Jobs;
using Lifecycle.Capture.Storage;
using Lifecycle.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Capture.IntegrationTests;

/// <summary>Activities and sessions by month: made when needed, dropped by retention, closed to other workspaces.</summary>
public sealed class PartitionTests(CaptureFixture fixture)
{
    [Fact]
    public async Task Batch_BackfillOfManyMonths_LiesInTheirPartitions()
    {
        var workspace = fixture.Workspace();

        await workspace.Batch(
            Messages.Page("a", "2012-02-01T10:00:00Z"), Messages.Page("a", "2021-01-31T23:59:59.999Z"),
            Messages.Page("a", "2021-02-01T00:00:00Z"), Messages.Page("a", "2021-02-28T23:59:59Z"));

        var counts = await fixture.Database.Query(
            "select tableoid::regclass::text, count(*) from activity where workspace_id = $1 group by 1 order by 1", workspace.WorkspaceId);
        Assert.Equal(
            [("activity_202101", 1L), ("activity_202102", 2L), ("activity_before_2020", 1L)],
            counts.Select(row => ((string)row[0]!, (long)row[1]!)));
        // The visit over the end of January is one session and lies where it began.
        var sessions = await fixture.Database.Query(
            "select tableoid::regclass::text, activities from session where workspace_id = $1 order by start_time", workspace.WorkspaceId);
        Assert.Equal(
            [("session_before_2020", 1), ("session_202101", 2), ("session_202102", 1)],
            sessions.Select(row => ((string)row[0]!, (int)row[1]!)));
    }

    [Fact]
    public async Task Partition_AskedDirectly_ShowsNoOtherWorkspace()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Page("a", "2021-05-01T10:00:00Z"));

        Assert.Equal(
            0L,
            await fixture.Database.Scalar<long>(
                """
                select count(*) from pg_class c join pg_inherits i on i.inhrelid = c.oid
                where c.relnamespace = 'capture'::regnamespace and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity
                  and exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'workspace_isolation'))
                """));
        await using var connection = await fixture.Database.Application.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var through = new NpgsqlCommand("select count(*) from activity", connection);
        Assert.Equal(0L, await through.ExecuteScalarAsync());
        await using var directly = new NpgsqlCommand("select count(*) from activity_202105", connection);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => directly.ExecuteScalarAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task Lookup_ById_ReadsOnePartition()
    {
        await fixture.Workspace().Batch(Messages.Page("a", "2021-05-01T10:00:00Z"), Messages.Page("a", "2021-06-01T10:00:00Z"));

        var plan = await fixture.Database.Query(
            "explain (costs off) select 1 from activity where workspace_id = $1 and id = $2",
            Guid.Empty, Partitions.FirstId(new DateTimeOffset(2021, 6, 15, 0, 0, 0, TimeSpan.Zero)));

        var text = string.Join('\n', plan.Select(row => row[0]));
        Assert.Contains("activity_202106", text, StringComparison.Ordinal);
        Assert.DoesNotContain("activity_202105", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Append", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keep_WithRetention_MakesComingMonthsAndDropsThoseBeyond()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        var time = new ManualTimeProvider(new DateTimeOffset(2031, 8, 15, 12, 0, 0, TimeSpan.Zero));
        var partitions = new Partitions(database.UnitOfWork<CaptureDbContext>(time));
        await partitions.Ensure([time.GetUtcNow().AddMonths(-3), time.GetUtcNow().AddMonths(-2)], CancellationToken.None);
        using var keeper = new PartitionKeeper(
            partitions, Options.Create(new Lifecycle.Capture.CaptureOptions { RetentionMonths = 2 }), time,
            NullLogger<PartitionKeeper>.Instance);

        await keeper.Keep(CancellationToken.None);

        Assert.Equal(
            ["203106", "203108", "203109", "203110"],
            (await database.Query(
                "select right(c.relname, 6) from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'activity'::regclass and c.relname ~ '[0-9]{6}$' order by 1"))
            .Select(row => (string)row[0]!));
        // What is dropped comes back for a late message.
        await partitions.Ensure([time.GetUtcNow().AddMonths(-3)], CancellationToken.None);
        Assert.NotNull(await database.Scalar<string>("select to_regclass('session_203105')::text"));
    }

    [Fact]
    public async Task Retention_DroppedMonth_KeepsFirstTouchAndCountsAndTakesLateMessages()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Messages.Page("a", "2022-01-10T10:00:00Z", "https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=winter"),
            Messages.Form("a", "2022-01-10T10:05:00Z", "ada@acme.example"));
        // As another replica: it, too, does so again when a commit of another test takes the two tables in the other order.
        await Eventually.Passes(() => fixture.Database.Query("drop table activity_202201, session_202201"), "the month is dropped");

        await workspace.Batch(Messages.Page("a", "2022-03-01T10:00:00Z", "https://acme.example/", "https://www.bing.com/"));

        var lead = (await workspace.Get("/v1/leads")).Body["leads"]!.AsArray().Single()!;
        Assert.Equal(
            ("winter", "bing"), (lead["firstTouch"]!["campaign"]!.GetValue<string>(), lead["lastTouch"]!["source"]!.GetValue<string>()));
        Assert.Equal([1, 0, 1], await workspace.Metric("sessions", "2022-01-01", "2022-04-01"));
        // The service still believes that the month is there.
        await workspace.Batch(Messages.Page("b", "2022-01-20T10:00:00Z"));
        Assert.Equal([2, 0, 1], await workspace.Metric("sessions", "2022-01-01", "2022-04-01"));
    }

    [Fact]
    public async Task Migrate_FromWholeTables_MovesEveryRow()
    {
        await using var database = await TestDatabase.CreateEmpty("capture");
        await database.Migrate<CaptureDbContext>();
        await database.Query("drop schema capture cascade; create schema capture authorization capture_owner");
        await using (var connection = await database.Administrator.OpenConnectionAsync())
        await using (var db = new CaptureDbContext(new DbContextOptionsBuilder<CaptureDbContext>()
            .UseNpgsql(connection, npgsql => npgsql.MigrationsHistoryTable("migration_history", "capture")).Options))
        {
            await using (var become = new NpgsqlCommand("set role capture_owner", connection))
            {
                await become.ExecuteNonQueryAsync();
            }

            await db.GetService<IMigrator>().MigrateAsync("InitialSchema");
        }

        await database.Query(
            """
            insert into visitor (workspace_id, id, anonymous_id, last_time) values (gen_random_uuid(), '0193b2a0-0000-7000-8000-000000000001', 'a', now());
            insert into session (workspace_id, id, visitor_id, start_time, end_time, source_kind, channel, page_views, activities)
              select workspace_id, '0193b2a0-0000-7000-8000-000000000002', id, now(), now(), 1, 'Direct', 1, 1 from visitor;
            insert into activity (workspace_id, id, visitor_id, session_id, type, name, time, properties, source_kind, opens)
              select workspace_id, '0193b2a0-0000-7000-8000-000000000003', id, '0193b2a0-0000-7000-8000-000000000002', 'PAGE', 'x', now(), '{}', 1, true
              from visitor;
            insert into message (workspace_id, message_id, received_at) select workspace_id, 'm1', now() from visitor;
            alter table visitor enable row level security, force row level security;
            alter table session enable row level security, force row level security;
            alter table activity enable row level security, force row level security;
            alter table message enable row level security, force row level security;
            """);

        await database.Migrate<CaptureDbContext>();

        var row = Assert.Single(await database.Query(
            """
            select v.workspace_id, v.last_session_id, s.id, a.session_id, a.name, m.key, a.tableoid::regclass::text
            from visitor v join session s on s.visitor_id = v.id join activity a on a.visitor_id = v.id join message m on m.workspace_id = v.workspace_id
            """));
        Assert.Equal([row[2], row[2], row[2], "x"], row[1..5]);
        Assert.Equal(Lifecycle.Capture.Domain.Messages.MessageReader.Key((Guid)row[0]!, "m1"), row[5]);
        Assert.Equal("activity_202412", row[6]);
    }
}
