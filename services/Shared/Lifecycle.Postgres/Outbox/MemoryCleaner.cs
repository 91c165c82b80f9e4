using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Postgres.Outbox;

/// <summary>A table of which old rows of a workspace are forgotten too.</summary>
/// <param name="Delete">Deletes at most <c>@size</c> rows of <c>@workspaceId</c> from before <c>@before</c>.</param>
internal sealed record RememberedTable(string Delete);

/// <summary>Forgets handled messages and answered requests after their time, in bounded batches that several replicas share.</summary>
internal sealed partial class MemoryCleaner<TContext>(
    UnitOfWork<TContext> work, IEnumerable<RememberedTable> tables, OutboxOptions options, TimeProvider time,
    ILogger<MemoryCleaner<TContext>> logger)
    : BackgroundService
    where TContext : LifecycleDbContext
{
    private const int BatchSize = 1000;

    private static readonly TimeSpan Round = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Round, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await Clean(stoppingToken);
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    LogFailed(exception);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    /// <summary>One round over everything that is too old.</summary>
    public async Task Clean(CancellationToken ct)
    {
        await Repeat(Guid.Empty,
            """
            delete from inbox where (message_id, consumer) in (
              select message_id, consumer from inbox where handled_at < @before order by handled_at limit @size for update skip locked)
            """, ct);
        await work.ForEachWorkspace(async (workspaceId, token) =>
        {
            await Repeat(workspaceId,
                """
                delete from idempotency where (workspace_id, method, request_id) in (
                  select workspace_id, method, request_id from idempotency
                  where workspace_id = @workspaceId and created_at < @before order by created_at limit @size for update skip locked)
                """, token);
            foreach (var table in tables)
            {
                await Repeat(workspaceId, table.Delete, token);
            }
        }, ct);
    }

    private async Task Repeat(Guid workspaceId, string sql, CancellationToken ct)
    {
        var before = time.GetUtcNow() - TimeSpan.FromDays(options.RememberDays);
        for (var deleted = BatchSize; deleted == BatchSize;)
        {
            await work.Run(workspaceId, async tx => deleted = await tx.Connection.ExecuteAsync(
                new CommandDefinition(sql, new { workspaceId, before, size = BatchSize }, cancellationToken: ct)), ct);
        }
    }

    [LoggerMessage(2131, LogLevel.Warning, "Old inbox and idempotency rows were not cleaned; the next round tries again")]
    private partial void LogFailed(Exception exception);
}
