using Npgsql;

namespace Lifecycle.Postgres.Migrate;

/// <summary>
/// The two roles of a schema: <c>&lt;schema&gt;_owner</c> owns everything and cannot log in; <c>&lt;schema&gt;_app</c> logs in, owns
/// nothing and has no way around row-level security.
/// </summary>
internal sealed class DatabaseRoles(string schema, string password)
{
    private const int Attempts = 20;

    /// <summary>
    /// Creates what is missing and sets the password. Roles belong to the server, so runs for other databases may do the same just now.
    /// </summary>
    /// <param name="settings">The administrator's connection; a session of its own for each attempt, since such a race breaks it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task Prepare(NpgsqlConnectionStringBuilder settings, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(ct);
            try
            {
                await using var turn = await AdvisoryLock.Take(connection, "lifecycle.roles", ct);
                await Execute(connection, await Script(connection, ct), ct);
                return;
            }
            catch (PostgresException exception) when (attempt < Attempts && IsRace(exception))
            {
                await Task.Delay(Backoff.Delay(attempt, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)), ct);
            }
        }
    }

    public Task BecomeOwner(NpgsqlConnection connection, CancellationToken ct) =>
        Execute(connection, $"set role {schema}_owner; set search_path to {schema}", ct);

    public static Task BecomeAdministrator(NpgsqlConnection connection, CancellationToken ct) => Execute(connection, "reset role", ct);

    /// <summary>Creates the database; another run may be first.</summary>
    public static async Task CreateDatabase(NpgsqlConnectionStringBuilder settings, CancellationToken ct)
    {
        var server = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Database = "postgres" };
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(ct);
        try
        {
            await Execute(connection, $"create database \"{settings.Database!.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", ct);
        }
        catch (PostgresException exception) when (
            exception.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // The other run created it.
        }
    }

    private static bool IsRace(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation
        || (exception.SqlState == PostgresErrorCodes.InternalError
            && exception.MessageText.Contains("concurrently", StringComparison.Ordinal));

    private async Task<string> Script(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select quote_literal($1)", connection)
        {
            Parameters = { new NpgsqlParameter { Value = password } },
        };
        var literal = (string)(await command.ExecuteScalarAsync(ct))!;
        return $"""
            do $script$
            begin
              if not exists (select 1 from pg_roles where rolname = '{schema}_owner') then create role {schema}_owner nologin; end if;
              if not exists (select 1 from pg_roles where rolname = '{schema}_app') then create role {schema}_app; end if;
              if not (select rolsuper from pg_roles where rolname = current_user) then
                execute format('grant {schema}_owner to %I', current_user);
              end if;
              if exists (select 1 from pg_roles where rolname = '{schema}_app' and (rolsuper or rolbypassrls)) then
                raise exception 'Role {schema}_app must be neither superuser nor bypass row-level security.';
              end if;
            end $script$;
            alter role {schema}_app with login password {literal};
            create schema if not exists {schema} authorization {schema}_owner;
            grant usage on schema {schema} to {schema}_app;
            """;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
