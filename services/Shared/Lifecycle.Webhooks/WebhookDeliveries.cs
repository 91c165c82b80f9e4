using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Webhooks;

/// <summary>What is to be sent, in the transaction of what it tells of.</summary>
public static class WebhookDeliveries
{
    /// <summary>Queues a body for an endpoint; it leaves soon after the commit.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="endpointId">Whom it goes to.</param>
    /// <param name="type">Type of the event, e.g. <c>lead.qualified</c>.</param>
    /// <param name="body">JSON.</param>
    /// <param name="leadId">Person it speaks of.</param>
    public static WebhookDeliveryRow Add<TContext>(Transaction<TContext> tx, Guid endpointId, string type, string body, Guid? leadId)
        where TContext : LifecycleDbContext
    {
        var id = tx.NewId();
        var row = new WebhookDeliveryRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = id,
            EndpointId = endpointId,
            Type = type,
            WebhookId = $"msg_{id:N}",
            Body = body,
            LeadId = leadId,
            DueTime = tx.Now,
            CreateTime = tx.Now,
        };
        tx.Db.Set<WebhookDeliveryRow>().Add(row);
        return row;
    }

    /// <summary>Sends a delivery again, from the beginning of the schedule. Errors: NOT_FOUND, FAILED_PRECONDITION where its person was
    /// erased.</summary>
    public static async Task<Result<WebhookDeliveryRow>> Replay<TContext>(Transaction<TContext> tx, Guid endpointId, Guid id)
        where TContext : LifecycleDbContext
    {
        var rows = await tx.Db.Set<WebhookDeliveryRow>()
            .FromSql(
                $"select * from webhook_delivery where workspace_id = {tx.WorkspaceId} and id = {id} and endpoint_id = {endpointId} for update")
            .ToListAsync(tx.CancellationToken);
        if (rows is not [var row])
        {
            return Error.NotFound("Delivery", id);
        }

        if (row.Body.Length == 0)
        {
            return Error.Precondition("The person that the delivery speaks of was erased.");
        }

        (row.State, row.Attempts, row.DueTime) = (WebhookDeliveryRow.Pending, 0, tx.Now);
        return row;
    }

    /// <summary>Empties what speaks of the people and sends nothing of it any more.</summary>
    /// <returns>Deliveries emptied.</returns>
    public static Task<int> Erase<TContext>(Transaction<TContext> tx, IReadOnlyCollection<Guid> leadIds)
        where TContext : LifecycleDbContext =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update webhook_delivery set body = '', due_time = null, state = case state when 'PENDING' then 'CANCELLED' else state end
            where workspace_id = @workspace and lead_id = any(@leads) and body <> ''
            """,
            new { workspace = tx.WorkspaceId, leads = leadIds.ToArray() },
            cancellationToken: tx.CancellationToken));

    /// <summary>Removes an endpoint's deliveries with their attempts.</summary>
    public static Task<int> Remove<TContext>(Transaction<TContext> tx, Guid endpointId)
        where TContext : LifecycleDbContext =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            delete from webhook_attempt a using webhook_delivery d
            where d.workspace_id = @workspace and d.endpoint_id = @endpointId and a.workspace_id = @workspace and a.delivery_id = d.id;
            delete from webhook_delivery where workspace_id = @workspace and endpoint_id = @endpointId
            """,
            new { workspace = tx.WorkspaceId, endpointId },
            cancellationToken: tx.CancellationToken));
}
