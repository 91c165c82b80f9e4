using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Lifecycle.Scoring.Live;

/// <summary>The connection to Redis, from <c>ConnectionStrings:redis</c>. It never keeps the service from starting, and reconnects by
/// itself.</summary>
public sealed partial class RedisConnection(IConfiguration configuration, TimeProvider time, ILogger<RedisConnection> logger)
    : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan RestSpan = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);
    private ConnectionMultiplexer? multiplexer;
    private long restUntil;

    /// <summary>Raised when a connection is there, first or again.</summary>
    public event Action? Connected;

    /// <summary>Null: not connected, or resting after a fault.</summary>
    public IDatabase? Database =>
        multiplexer is { IsConnected: true } connected && time.GetTimestamp() >= Interlocked.Read(ref restUntil)
            ? connected.GetDatabase()
            : null;

    /// <summary>After a fault nobody asks for a second, so that a slow Redis does not slow everything.</summary>
    public void Rest() =>
        Interlocked.Exchange(ref restUntil, time.GetTimestamp() + (long)(RestSpan.TotalSeconds * time.TimestampFrequency));

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(multiplexer is { IsConnected: true }
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded("Redis is out of reach; scores are read from Postgres."));

    public override void Dispose()
    {
        multiplexer?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var options = ConfigurationOptions.Parse(configuration.GetConnectionString("redis") ?? "127.0.0.1:6379");
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 2_000;
        options.SyncTimeout = 2_000;
        options.KeepAlive = 15;
        while (multiplexer is null)
        {
            try
            {
                // The port of a server that is away may be taken, or answer anything: whatever it throws, try again.
                var connection = await ConnectionMultiplexer.ConnectAsync(options);
                connection.ConnectionRestored += (_, _) => Connected?.Invoke();
                multiplexer = connection;
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                LogAway(fault.Message);
                await Task.Delay(Retry, time, stoppingToken);
            }
        }

        if (multiplexer.IsConnected)
        {
            Connected?.Invoke();
        }
    }

    [LoggerMessage(4211, LogLevel.Warning, "Redis cannot be reached: {Reason}")]
    private partial void LogAway(string reason);
}
