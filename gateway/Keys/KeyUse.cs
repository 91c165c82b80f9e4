using System.Collections.Concurrent;
using Dapper;
using Lifecycle.Gateway.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lifecycle.Gateway.Keys;

/// <summary>
/// Keeps when each key was last used: noted in memory, written once in a while and at the stop, at most once per key and round.
/// </summary>
internal sealed partial class KeyUse(
    UnitOfWork<GatewayDbContext> work, TimeProvider time, IOptions<GatewayOptions> options, ILogger<KeyUse> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<(Guid WorkspaceId, Guid KeyId), DateTimeOffset> used = new();

    public void Note(Guid workspaceId, Guid keyId) => used[(workspaceId, keyId)] = time.GetUtcNow();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = TimeSpan.FromSeconds(options.Value.KeyUseSeconds);
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Write(CancellationToken.None);
        }
    }

    /// <summary>Writes what was noted; a failure loses that round, which only blurs a display.</summary>
    internal async Task Write(CancellationToken cancellationToken)
    {
        foreach (var workspace in used.Keys.GroupBy(key => key.WorkspaceId, key => key.KeyId).ToList())
        {
            var (ids, times) = (new List<Guid>(), new List<DateTimeOffset>());
            foreach (var id in workspace)
            {
                if (used.TryRemove((workspace.Key, id), out var at))
                {
                    ids.Add(id);
                    times.Add(at);
                }
            }

            try
            {
                await work.Run(workspace.Key, tx => tx.Connection.ExecuteAsync(
                    """
                    update api_key k set last_use_time = greatest(k.last_use_time, u.at)
                    from unnest(@ids, @times) as u (id, at) where k.workspace_id = @workspaceId and k.id = u.id
                    """,
                    new { ids = ids.ToArray(), times = times.ToArray(), workspaceId = workspace.Key }), cancellationToken);
            }
            catch (NpgsqlException exception)
            {
                LogLost(ids.Count, exception.Message);
            }
        }
    }

    [LoggerMessage(3002, LogLevel.Warning, "Last use of {Count} keys could not be written: {Reason}")]
    private partial void LogLost(int count, string reason);
}
