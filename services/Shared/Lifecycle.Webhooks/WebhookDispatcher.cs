using Dapper;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lifecycle.Webhooks;

/// <summary>What a service knows of its endpoints.</summary>
/// <param name="Find">Where a delivery goes now; null where its endpoint is gone or disabled, and the delivery with it.</param>
/// <param name="Disable">The endpoint answered 410 Gone.</param>
public sealed record WebhookEndpoints<TContext>(
    Func<Transaction<TContext>, WebhookDeliveryRow, Task<WebhookTarget?>> Find, Func<Transaction<TContext>, Guid, Task> Disable)
    where TContext : LifecycleDbContext;

/// <summary>
/// Sends what is due. A delivery is claimed by moving its due time ahead, so that one whose sender dies falls due again; the call is made
/// outside of any transaction. Replicas share the work by row locks.
/// </summary>
public sealed partial class WebhookDispatcher<TContext>(
    UnitOfWork<TContext> work, WebhookSender sender, WebhookEndpoints<TContext> endpoints, IOptions<WebhookOptions> options,
    ILogger<WebhookDispatcher<TContext>> logger)
    where TContext : LifecycleDbContext
{
    /// <summary>Sends all that is due in the workspace, batch by batch.</summary>
    public async Task Handle(Guid workspaceId, CancellationToken ct)
    {
        var batch = options.Value.Batch;
        var taken = batch;
        while (taken == batch)
        {
            var claimed = await Claim(workspaceId, batch, ct);
            taken = claimed.Count;
            await Parallel.ForEachAsync(
                claimed, new ParallelOptions { MaxDegreeOfParallelism = options.Value.Concurrency, CancellationToken = ct },
                async (one, token) => await Send(workspaceId, one.Delivery, one.Target, token));
        }
    }

    /// <summary>Removes the log of what was done with long ago, at most some thousand deliveries.</summary>
    public Task Clean(Guid workspaceId, CancellationToken ct) =>
        work.Run(workspaceId, tx => tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        with old as (
          delete from webhook_delivery where workspace_id = @workspaceId and id in (
            select id from webhook_delivery where workspace_id = @workspaceId and due_time is null and create_time < @before limit 5000)
          returning id)
        delete from webhook_attempt a using old where a.workspace_id = @workspaceId and a.delivery_id = old.id
        """,
        new { workspaceId, before = tx.Now.AddDays(-options.Value.RetentionDays) },
        cancellationToken: ct)), ct);

    /// <summary>Longer than a batch takes in which nobody answers.</summary>
    private TimeSpan Lease => TimeSpan.FromSeconds(
        options.Value.TimeoutSeconds * (2 + (options.Value.Batch / options.Value.Concurrency)));

    private async Task<List<(WebhookDeliveryRow Delivery, WebhookTarget Target)>> Claim(Guid workspaceId, int batch, CancellationToken ct)
    {
        var claimed = new List<(WebhookDeliveryRow, WebhookTarget)>();
        await work.Run(workspaceId, async tx =>
        {
            claimed.Clear();
            var due = await tx.Db.Set<WebhookDeliveryRow>().FromSql(
                $"""
                select * from webhook_delivery where workspace_id = {tx.WorkspaceId} and due_time <= {tx.Now}
                order by due_time limit {batch} for update skip locked
                """).ToListAsync(ct);
            foreach (var delivery in due)
            {
                if (await endpoints.Find(tx, delivery) is { } target)
                {
                    delivery.Attempts++;
                    delivery.DueTime = tx.Now + Lease;
                    claimed.Add((delivery, target));
                }
                else
                {
                    (delivery.State, delivery.DueTime) = (WebhookDeliveryRow.Cancelled, null);
                }
            }
        }, ct);
        return claimed;
    }

    private async Task Send(Guid workspaceId, WebhookDeliveryRow delivery, WebhookTarget target, CancellationToken ct)
    {
        var outcome = await sender.Send(target, delivery.WebhookId, delivery.Body, ct);
        if (!outcome.Succeeded)
        {
            LogFailed(delivery.Id, delivery.Type, delivery.Attempts, outcome.Error!);
        }

        // Not cancelled by a shutdown: what has arrived need not be sent again.
        await work.Run(workspaceId, tx => Record(tx, delivery, outcome), CancellationToken.None);
    }

    private async Task Record(Transaction<TContext> tx, WebhookDeliveryRow delivery, WebhookOutcome outcome)
    {
        var pause = outcome.Succeeded || outcome.IsGone ? null : WebhookSchedule.After(delivery.Attempts, outcome.RetryAfter);
        var state = outcome switch
        {
            { Succeeded: true } => WebhookDeliveryRow.Delivered,
            { IsGone: true } => WebhookDeliveryRow.Cancelled,
            _ => pause is null ? WebhookDeliveryRow.Failed : WebhookDeliveryRow.Pending,
        };
        // One that was erased or replayed meanwhile is left as it is.
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update webhook_delivery set state = @state, due_time = @due
            where workspace_id = @workspace and id = @id and state = 'PENDING' and attempts = @attempts
            """,
            new { workspace = tx.WorkspaceId, delivery.Id, delivery.Attempts, state, due = tx.Now + pause },
            cancellationToken: tx.CancellationToken));
        tx.Db.Set<WebhookAttemptRow>().Add(new WebhookAttemptRow
        {
            WorkspaceId = tx.WorkspaceId,
            DeliveryId = delivery.Id,
            Id = tx.NewId(),
            Time = tx.Now,
            Status = outcome.Status,
            Error = outcome.Error,
            Milliseconds = (int)outcome.Duration.TotalMilliseconds,
        });
        if (outcome.IsGone)
        {
            await endpoints.Disable(tx, delivery.EndpointId);
        }
    }

    [LoggerMessage(2161, LogLevel.Information, "Delivery {DeliveryId} of {Type} failed at attempt {Attempt}: {Reason}")]
    private partial void LogFailed(Guid deliveryId, string type, int attempt, string reason);
}

/// <summary>Looks for what is due, round by round.</summary>
public sealed partial class WebhookWorker<TContext>(
    WebhookDispatcher<TContext> dispatcher, UnitOfWork<TContext> work, IOptions<WebhookOptions> options, TimeProvider time,
    ILogger<WebhookWorker<TContext>> logger) : BackgroundService
    where TContext : LifecycleDbContext
{
    private static readonly TimeSpan CleanEvery = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var poll = TimeSpan.FromSeconds(options.Value.PollSeconds);
        var cleaned = time.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work.ForEachWorkspace(dispatcher.Handle, stoppingToken);
                if (time.GetElapsedTime(cleaned) > CleanEvery)
                {
                    cleaned = time.GetTimestamp();
                    await work.ForEachWorkspace(dispatcher.Clean, stoppingToken);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogRoundFailed(exception.GetBaseException().Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(poll, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(2162, LogLevel.Warning, "A round of sending webhooks failed and comes again: {Reason}")]
    private partial void LogRoundFailed(string reason);
}
