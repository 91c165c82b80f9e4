using Dapper;
using Lifecycle.Conversion.Grpc;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.SyncCrm;

/// <summary>The log of what was sent to one endpoint.</summary>
internal static class ReadDeliveries
{
    private static readonly string[] States =
        [WebhookDeliveryRow.Pending, WebhookDeliveryRow.Delivered, WebhookDeliveryRow.Failed, WebhookDeliveryRow.Cancelled];

    private static readonly ListFields Fields = new ListFields("id", "d.id")
        .Sortable("createTime", "d.create_time", FieldKind.Time)
        .Names("state", "d.state", States)
        .Add("type", "d.type")
        .Add("leadId", "d.lead_id", FieldKind.Id);

    public static ListQuery Parse(int pageSize, string pageToken, string filter, string orderBy, string endpoint) =>
        ListQuery.Parse(Fields, pageSize, pageToken, filter, orderBy, "createTime desc", endpoint).OrThrow();

    public static async Task<(IEnumerable<CrmDelivery> Deliveries, string Next)> Page(
        Transaction<ConversionDbContext> tx, Guid endpointId, ListQuery query)
    {
        var parameters = new DynamicParameters(query.Parameters);
        parameters.AddDynamicParams(new { workspace = tx.WorkspaceId, endpointId });
        var keys = await tx.Connection.QueryAsync<PageRow>(new CommandDefinition(
            $"""
            select d.id, {query.PageKey} from webhook_delivery d
            where d.workspace_id = @workspace and d.endpoint_id = @endpointId and {query.Where} order by {query.OrderBy} limit {query.Limit}
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
        var (page, next) = query.Page(keys, row => row.PageKey);
        var ids = page.Select(row => row.Id).ToArray();
        var rows = await tx.Db.Set<WebhookDeliveryRow>().Where(row => ids.Contains(row.Id))
            .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
        var attempts = (await tx.Db.Set<WebhookAttemptRow>().Where(row => ids.Contains(row.DeliveryId)).ToListAsync(tx.CancellationToken))
            .ToLookup(row => row.DeliveryId);
        return (ids.Select(id => rows[id].ToProto(attempts[id])), next);
    }

    /// <summary>Errors: NOT_FOUND, FAILED_PRECONDITION where its person was erased.</summary>
    public static async Task<Result<CrmDelivery>> Replay(Transaction<ConversionDbContext> tx, Guid endpointId, Guid id)
    {
        var replayed = await WebhookDeliveries.Replay(tx, endpointId, id);
        var attempts = await tx.Db.Set<WebhookAttemptRow>().Where(row => row.DeliveryId == id).ToListAsync(tx.CancellationToken);
        return replayed.Map(row => row.ToProto(attempts));
    }
}
