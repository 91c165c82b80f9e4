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

    // Rows are deleted as soon as they are published. Only a scan of an index remembers which entries are dead; any other reads all that
    // came since the last vacuum again, at each round.
    private const string IndexScansOnly = "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off";

    private readonly NpgsqlDataSource dataSource =
        new NpgsqlDataSourceBuilder(Settings(connectionString, schema, options)).UseLoggerFactory(loggers).Build();

    private static string Settings(string connectionString, string schema, DatabaseOptions options)
    {
        var settings = DatabaseRegistration.Settings(connectionString, schema, options);
        settings.Pooling = false;
        settings.KeepAlive = KeepAliveSeconds;
        settings.ApplicationName = $"lifecycle-{schema}-relay";
        settings.Options += $" {IndexScansOnly}";
        return settings.ConnectionString;
    }

    public ValueTask<NpgsqlConnection> Open(CancellationToken ct) => dataSource.OpenConnectionAsync(ct);

    public ValueTask DisposeAsync() => dataSource.DisposeAsync();
}
