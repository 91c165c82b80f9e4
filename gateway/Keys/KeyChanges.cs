using Npgsql;

namespace Lifecycle.Gateway.Keys;

/// <summary>Hears from Postgres what any replica changes, so that a revoked key is dead everywhere at once.</summary>
internal sealed partial class KeyChanges(NpgsqlDataSource database, KeyDirectory directory, TimeProvider time, ILogger<KeyChanges> logger)
    : BackgroundService
{
    /// <summary>Channel of <c>pg_notify</c>.</summary>
    public const string Channel = "gateway_key_changed";

    /// <summary>Payload where more than one key is concerned.</summary>
    public const string Everything = "*";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Listen(stoppingToken);
            }
            catch (Exception exception) when (exception is NpgsqlException or IOException or TimeoutException)
            {
                LogLost(exception.Message);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task Listen(CancellationToken stoppingToken)
    {
        await using var connection = await database.OpenConnectionAsync(stoppingToken);
        connection.Notification += (_, notification) =>
        {
            if (notification.Payload == Everything)
            {
                directory.ForgetAll();
            }
            else
            {
                directory.Forget(notification.Payload);
            }
        };
        await using (var listen = new NpgsqlCommand($"listen {Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(stoppingToken);
        }

        // What changed while nobody listened is not known.
        directory.ForgetAll();
        while (true)
        {
            await connection.WaitAsync(stoppingToken);
        }
    }

    [LoggerMessage(3001, LogLevel.Warning, "Not hearing of revoked keys for the moment: {Reason}")]
    private partial void LogLost(string reason);
}
