using System.Diagnostics;
using Npgsql;

namespace Lifecycle.Testing;

/// <summary>A Postgres server of a test's own that keeps its data as in production (fsync on), for killing it.</summary>
public sealed class TestPostgres : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lifecycle-test-postgres-").FullName;
    private readonly int port = FreePorts.Find(1)[0];
    private Process? process;

    private TestPostgres()
    {
    }

    /// <summary>As the administrator, database <c>lifecycle</c>.</summary>
    public string AdministratorConnectionString => $"Host=127.0.0.1;Port={port};Username=postgres;Database=lifecycle";

    /// <summary>As a service, with the role of its schema.</summary>
    public string ConnectionString(string schema) => new NpgsqlConnectionStringBuilder(AdministratorConnectionString)
    {
        Username = $"{schema}_app",
        Password = TestDatabase.RolePassword,
    }.ConnectionString;

    public static async Task<TestPostgres> Start()
    {
        var server = new TestPostgres();
        if (!OperatingSystem.IsWindows())
        {
            // The account under which Postgres runs passes through.
            File.SetUnixFileMode(
                server.folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute
                    | UnixFileMode.OtherExecute);
        }

        await server.Restart();
        return server;
    }

    /// <summary>Starts it, on the same port and data as before; recovery from a kill included.</summary>
    public Task Restart() => Eventually.Passes(
        async () =>
        {
            // What a killed server leaves behind may hold up the next start for a moment.
            if (process is null or { HasExited: true })
            {
                process = await ServerProcess.Start("postgres", "--data", folder, "--port", $"{port}");
            }

            await using var connection = new NpgsqlConnection(
                $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Pooling=false");
            await connection.OpenAsync();
        },
        "Postgres answers", TimeSpan.FromSeconds(60));

    /// <summary>SIGKILL.</summary>
    public async Task Kill()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>First column of the first row, as the administrator.</summary>
    public async Task<T> Scalar<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(AdministratorConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await Kill();
        }

        process?.Dispose();
        await Eventually.Passes(
            () =>
            {
                Directory.Delete(folder, recursive: true);
                return Task.CompletedTask;
            },
            "the data folder goes");
    }
}
