using System.Data;
using Npgsql;

namespace Lifecycle.Postgres.Migrate;

/// <summary>A session's advisory lock, held until disposed.</summary>
internal sealed class AdvisoryLock : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private readonly string name;

    private AdvisoryLock(NpgsqlConnection connection, string name) => (this.connection, this.name) = (connection, name);

    /// <summary>Waits for the lock as long as another session of this database holds it.</summary>
    public static async Task<AdvisoryLock> Take(NpgsqlConnection connection, string name, CancellationToken ct)
    {
        await Run(connection, "select pg_advisory_lock(hashtextextended($1, 0))", name, ct);
        return new(connection, name);
    }

    public async ValueTask DisposeAsync()
    {
        // A session that is gone has taken its locks along.
        if (connection.State == ConnectionState.Open)
        {
            await Run(connection, "select pg_advisory_unlock(hashtextextended($1, 0))", name, CancellationToken.None);
        }
    }

    private static async Task Run(NpgsqlConnection connection, string sql, string name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection)
        {
            CommandTimeout = 0,
            Parameters = { new NpgsqlParameter { Value = name } },
        };
        await command.ExecuteScalarAsync(ct);
    }
}
