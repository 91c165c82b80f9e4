using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lifecycle.Postgres.Outbox;

/// <summary>
/// Moves committed events to the broker. Of all replicas one is active, the holder of the schema's advisory lock, so that order per key
/// holds; another takes over when its session ends. It wakes by this process's signal, by NOTIFY from other replicas, and by a poll.
/// </summary>
/// <remarks>
/// A replica that is not active passes its signal on by NOTIFY after the commit, many at once: a NOTIFY inside the transaction would
/// serialise all commits of the server. If it is lost, the poll finds the row.
/// </remarks>
internal sealed partial class OutboxRelay(
    RelayConnections connections, LifecycleDatabase database, OutboxBatch batch, OutboxSignal signal, OutboxOptions options,
    ILogger<OutboxRelay> logger)
    : BackgroundService
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly string channel = $"{database.Schema}_outbox";

    /// <summary>This process holds the schema's lock.</summary>
    public bool Leads { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not on the host's start-up path.
        await Task.Yield();
        for (var failures = 0; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                await using var connection = await connections.Open(stoppingToken);
                await Serve(connection, () => failures = 0, stoppingToken);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                failures++;
                var pause = Backoff.Delay(failures, TimeSpan.FromMilliseconds(250), LongestPause);
                LogInterrupted(database.Schema, pause, exception.Message);
                await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Serve(NpgsqlConnection connection, Action succeeded, CancellationToken ct)
    {
        var poll = TimeSpan.FromMilliseconds(options.PollMilliseconds);
        while (!await TryLead(connection, ct))
        {
            succeeded();
            if (await signal.Wait(poll, ct))
            {
                await Execute(connection, $"notify {channel}", ct);
            }
        }

        Leads = true;
        LogLeads(database.Schema);
        using var stopListening = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var listening = Listen(stopListening.Token);
        try
        {
            while (true)
            {
                if (await batch.Publish(connection, ct) < options.BatchSize)
                {
                    succeeded();
                    await signal.Wait(poll, ct);
                }
            }
        }
        finally
        {
            Leads = false;
            await stopListening.CancelAsync();
            await listening;
        }
    }

    /// <summary>Hears other replicas. Without it the poll still finds everything, so a broken session is only opened again.</summary>
    private async Task Listen(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var connection = await connections.Open(ct);
                connection.Notification += (_, _) => signal.Ring();
                await Execute(connection, $"listen {channel}", ct);
                while (true)
                {
                    await connection.WaitAsync(ct);
                }
            }
            catch (Exception) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogDeaf(database.Schema, exception.Message);
                await Task.Delay(LongestPause, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<bool> TryLead(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended($1, 0))", connection)
        {
            Parameters = { new NpgsqlParameter { Value = $"lifecycle.outbox.{database.Schema}" } },
        };
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    [LoggerMessage(2121, LogLevel.Information, "Outbox relay of {Schema} is active in this process")]
    private partial void LogLeads(string schema);

    [LoggerMessage(2122, LogLevel.Warning, "Outbox relay of {Schema} was interrupted and goes on in {Pause}: {Reason}")]
    private partial void LogInterrupted(string schema, TimeSpan pause, string reason);

    [LoggerMessage(2123, LogLevel.Warning, "Outbox relay of {Schema} hears no other replica for the moment: {Reason}")]
    private partial void LogDeaf(string schema, string reason);
}
