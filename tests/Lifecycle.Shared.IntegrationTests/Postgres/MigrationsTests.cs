using Lifecycle.Postgres;
using Lifecycle.Postgres.Migrate;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

public sealed class MigrationsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrate_TwiceAndAtTheSameTime_GivesOneSchema()
    {
        await using var database = await TestDatabase.CreateEmpty("trial");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => database.Migrate<TrialDbContext>()));
        await database.Migrate<TrialDbContext>();

        Assert.Equal(1L, await database.Scalar<long>("select count(*) from migration_history"));
        Assert.Equal(
            "trial_owner",
            await database.Scalar<string>("select tableowner::text from pg_tables where schemaname = 'trial' and tablename = 'move'"));
    }

    [Fact]
    public async Task Migrate_SeveralDatabasesOfOneServer_DoNotClashOverTheRoles()
    {
        var databases = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestDatabase.CreateEmpty("trial")));
        await Task.WhenAll(databases.Select(database => database.Migrate<TrialDbContext>()));

        foreach (var database in databases)
        {
            Assert.Equal(1L, await database.Scalar<long>("select count(*) from migration_history"));
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task Migrate_EveryTableWithWorkspaceId_ForcesRowLevelSecurity()
    {
        await using var database = await TestDatabase.Create<TrialDbContext>("trial");

        Assert.Equal(
            [
                ["idempotency", true], ["inbox", false], ["migration_history", false], ["move", true], ["outbox", false],
                ["sighting", true], ["workspace", false],
            ],
            await database.Query(
                """
                select relname::text, relrowsecurity and relforcerowsecurity from pg_class
                where relnamespace = 'trial'::regnamespace and relkind = 'r' order by relname
                """));
    }

    [Fact]
    public async Task Migrate_DatabaseMissing_CreatesIt()
    {
        await using var database = await TestDatabase.Create<TrialDbContext>("trial");
        var settings = new NpgsqlConnectionStringBuilder(database.AdministratorConnectionString)
        {
            Database = $"{database.Name}_new",
            Pooling = false,
        };
        await new Migrator<TrialDbContext>(
            settings.ConnectionString, "trial", TestDatabase.RolePassword, new(), TimeProvider.System, NullLoggerFactory.Instance).Run(Ct);
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(Ct);
        await using (var command = new NpgsqlCommand("select count(*) from trial.move", connection))
        {
            Assert.Equal(0L, await command.ExecuteScalarAsync(Ct));
        }

        await using var drop = database.Administrator.CreateCommand($"drop database {settings.Database} with (force)");
        await drop.ExecuteNonQueryAsync(Ct);
    }

    [Fact]
    public async Task Migrate_NoServer_SaysWhereItLooked()
    {
        var port = FreePorts.Find(1)[0];
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:lifecycle"] = $"Host=127.0.0.1;Port={port};Username=postgres;Database=lifecycle",
            ["Lifecycle:DatabasePassword"] = "secret",
            ["Lifecycle:Database:WaitForServerSeconds"] = "1",
        }).Build();

        var exception = await Assert.ThrowsAsync<TimeoutException>(
            () => Migrations.RunIfAsked<TrialDbContext>(["--migrate"], configuration, "trial"));

        Assert.Equal($"Postgres at 127.0.0.1:{port} did not answer within 1 s. Is it started?", exception.Message);
    }

    [Fact]
    public async Task RunIfAsked_NotAsked_DoesNothing() =>
        Assert.False(await Migrations.RunIfAsked<TrialDbContext>([], new ConfigurationBuilder().Build(), "trial"));
}
