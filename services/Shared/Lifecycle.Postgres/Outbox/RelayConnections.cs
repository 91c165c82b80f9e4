using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lifecycle.Postgres.Outbox;

/// <summary>
/// Sessions of the outbox relay. Never pooled: a pooled session keeps its advisory lock after it is given back, and no replica could take
/// over. Kept alive, so that a server that is gone is noticed.
/// </summary>
internal sealed class RelayConnections(
    string connectionString, string schema, DatabaseOptions options, ILoggerFactory? loggers) : IAsyncDisposable
{
    private const int KeepAliveSeconds = 15;

    private readonly NpgsqlDataSource dataSource = new NpgsqlDataSourceBuilder(
        new NpgsqlConnectionStringBuilder(DatabaseRegistration.Settings(connectionString, schema, options).ConnectionString)
        {
            Pooling = false,
            KeepAlive = KeepAliveSeconds,
            ApplicationName = $"lifecycle-{schema}-relay",
        }.ConnectionString).UseLoggerFactory(loggers).Build();

    public ValueTask<NpgsqlConnection> Open(CancellationToken ct) => dataSource.OpenConnectionAsync(ct);

    public ValueTask DisposeAsync() => dataSource.DisposeAsync();
}
