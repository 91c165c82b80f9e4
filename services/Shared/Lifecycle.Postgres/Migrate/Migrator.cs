using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lifecycle.Postgres.Migrate;

/// <summary>What a <c>--migrate</c> run does, once; see <see cref="Migrations.RunIfAsked"/>.</summary>
internal sealed partial class Migrator<TContext>(
    string connectionString, string schema, string password, DatabaseOptions options, TimeProvider time, ILoggerFactory loggers)
    where TContext : LifecycleDbContext
{
    private readonly ILogger logger = loggers.CreateLogger("Lifecycle.Postgres.Migrations");

    public async Task Run(CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = $"lifecycle-{schema}-migrate",
            Pooling = false,
        };
        await using var connection = await Connect(settings, ct);
        var roles = new DatabaseRoles(schema, password);
        await roles.Prepare(settings, ct);
        await using (await AdvisoryLock.Take(connection, $"lifecycle.migrate.{schema}", ct))
        {
            await roles.BecomeOwner(connection, ct);
            var applied = await Migrate(connection, ct);
            await Tenancy.Apply(connection, schema, ct);
            await DatabaseRoles.BecomeAdministrator(connection, ct);
            LogDone(schema, applied);
        }
    }

    private async Task<int> Migrate(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var db = new ContextFactory<TContext>(ContextFactory<TContext>.Options(schema, loggers)).Create();
        db.Database.SetDbConnection(connection);
        var pending = (await db.Database.GetPendingMigrationsAsync(ct)).Count();
        if (pending > 0)
        {
            await db.Database.MigrateAsync(ct);
        }

        return pending;
    }

    /// <summary>Waits for the server, telling so; creates the database when the server has none of that name.</summary>
    private async Task<NpgsqlConnection> Connect(NpgsqlConnectionStringBuilder settings, CancellationToken ct)
    {
        var deadline = time.GetUtcNow() + TimeSpan.FromSeconds(options.WaitForServerSeconds);
        for (var attempt = 1; ; attempt++)
        {
            var connection = new NpgsqlConnection(settings.ConnectionString);
            try
            {
                await connection.OpenAsync(ct);
                return connection;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InvalidCatalogName)
            {
                await connection.DisposeAsync();
                await DatabaseRoles.CreateDatabase(settings, ct);
            }
            catch (NpgsqlException exception) when (Faults.IsTransient(exception))
            {
                await connection.DisposeAsync();
                if (time.GetUtcNow() >= deadline)
                {
                    throw new TimeoutException(
                        $"Postgres at {settings.Host}:{settings.Port} did not answer within {options.WaitForServerSeconds} s. "
                        + "Is it started?",
                        exception);
                }

                LogWaits(settings.Host, settings.Port, exception.GetBaseException().Message);
                await Task.Delay(Backoff.Delay(attempt, TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(2)), time, ct);
            }
        }
    }

    [LoggerMessage(2151, LogLevel.Warning, "Waiting for Postgres at {Host}:{Port}: {Reason}")]
    private partial void LogWaits(string? host, int port, string reason);

    [LoggerMessage(2152, LogLevel.Information, "Schema {Schema} is up to date; {Applied} migrations were applied")]
    private partial void LogDone(string schema, int applied);
}
