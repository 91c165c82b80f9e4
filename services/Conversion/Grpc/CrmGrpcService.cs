using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Conversion.Features.ExportRevenue;
using Lifecycle.Conversion.Features.SyncCrm;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Grpc;

/// <summary>Connections to CRMs over gRPC and REST.</summary>
public sealed class CrmGrpcService(UnitOfWork<ConversionDbContext> work, ManageCrm manage) : CrmService.CrmServiceBase
{
    private static readonly ListFields Connections = new ListFields("id", "c.id")
        .Sortable("createTime", "c.create_time", FieldKind.Time).Sortable("displayName", "c.display_name");

    private static readonly ListFields Receipts = new ListFields("webhookId", "r.webhook_id", FieldKind.Text)
        .Sortable("receiveTime", "r.receive_time", FieldKind.Time);

    public override async Task<ListCrmConnectionsResponse> ListCrmConnections(ListCrmConnectionsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Connections, request.PageSize, request.PageToken, "", request.OrderBy, "createTime").OrThrow();
        return await work.Read(context.Caller().WorkspaceId, async tx =>
        {
            var parameters = new DynamicParameters(query.Parameters);
            parameters.AddDynamicParams(new { workspace = tx.WorkspaceId });
            var keys = await tx.Connection.QueryAsync<PageRow>(new CommandDefinition(
                $"""
                select c.id, {query.PageKey} from crm_connection c
                where c.workspace_id = @workspace and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                parameters,
                cancellationToken: tx.CancellationToken));
            var (page, next) = query.Page(keys, key => key.PageKey);
            var ids = page.Select(key => key.Id).ToArray();
            var rows = await tx.Db.CrmConnections.Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, tx.CancellationToken);
            return new ListCrmConnectionsResponse { CrmConnections = { ids.Select(id => rows[id].ToProto()) }, NextPageToken = next };
        }, context.CancellationToken);
    }

    public override Task<CrmConnection> GetCrmConnection(GetCrmConnectionRequest request, ServerCallContext context) =>
        Of(request.Id, context, (_, row) => Task.FromResult(row.ToProto()));

    public override async Task<CrmConnection> CreateCrmConnection(CreateCrmConnectionRequest request, ServerCallContext context) =>
        (await manage.Create(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<CrmConnection> UpdateCrmConnection(UpdateCrmConnectionRequest request, ServerCallContext context) =>
        (await manage.Update(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Empty> DeleteCrmConnection(DeleteCrmConnectionRequest request, ServerCallContext context) =>
        (await manage.Delete(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<CrmConnection> RotateCrmSecret(RotateCrmSecretRequest request, ServerCallContext context) =>
        (await manage.Rotate(request, context.Caller(), context.CancellationToken)).OrThrow();

    public override async Task<CrmDelivery> TestCrmConnection(TestCrmConnectionRequest request, ServerCallContext context) =>
        (await manage.Test(request, context.Caller(), context.CancellationToken)).OrThrow();

    public override async Task<CrmConnection> PullCrmConnection(PullCrmConnectionRequest request, ServerCallContext context) =>
        (await manage.Pull(request, context.Caller(), context.CancellationToken)).OrThrow();

    public override Task<ListCrmDeliveriesResponse> ListCrmDeliveries(ListCrmDeliveriesRequest request, ServerCallContext context)
    {
        var query = ReadDeliveries.Parse(request.PageSize, request.PageToken, request.Filter, request.OrderBy, request.Id);
        return Of(request.Id, context, async (tx, row) =>
        {
            var (deliveries, next) = await ReadDeliveries.Page(tx, row.Id, query);
            return new ListCrmDeliveriesResponse { Deliveries = { deliveries }, NextPageToken = next };
        });
    }

    public override async Task<CrmDelivery> ReplayCrmDelivery(ReplayCrmDeliveryRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.ConnectionId, "connectionId", out var connectionId);
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        return (await work.Run<CrmDelivery>(
            context.Caller().WorkspaceId, tx => ReadDeliveries.Replay(tx, connectionId, id), context.CancellationToken)).OrThrow();
    }

    public override Task<ListCrmReceiptsResponse> ListCrmReceipts(ListCrmReceiptsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(
            Receipts, request.PageSize, request.PageToken, "", request.OrderBy, "receiveTime desc", request.Id).OrThrow();
        return Of(request.Id, context, async (tx, row) =>
        {
            var parameters = new DynamicParameters(query.Parameters);
            parameters.AddDynamicParams(new { workspace = tx.WorkspaceId, connection = row.Id });
            var keys = await tx.Connection.QueryAsync<ReceiptKey>(new CommandDefinition(
                $"""
                select r.webhook_id, {query.PageKey} from crm_receipt r
                where r.workspace_id = @workspace and r.connection_id = @connection and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                parameters,
                cancellationToken: tx.CancellationToken));
            var (page, next) = query.Page(keys, key => key.PageKey);
            var ids = page.Select(key => key.WebhookId).ToArray();
            var rows = await tx.Db.CrmReceipts.Where(receipt => receipt.ConnectionId == row.Id && ids.Contains(receipt.WebhookId))
                .ToDictionaryAsync(receipt => receipt.WebhookId, tx.CancellationToken);
            return new ListCrmReceiptsResponse { Receipts = { ids.Select(id => rows[id].ToProto()) }, NextPageToken = next };
        });
    }

    private async Task<T> Of<T>(string requestedId, ServerCallContext context, Func<Transaction<ConversionDbContext>, CrmConnectionRow,
        Task<T>> read)
    {
        var violations = new Violations();
        violations.RequireId(requestedId, "id", out var id);
        violations.OrThrow();
        return (await work.Read<Result<T>>(
            context.Caller().WorkspaceId,
            async tx => await tx.Db.CrmConnections.SingleOrDefaultAsync(row => row.Id == id, tx.CancellationToken) is { } row
                ? await read(tx, row)
                : Error.NotFound("CRM connection", id),
            context.CancellationToken)).OrThrow();
    }

    private sealed class ReceiptKey
    {
        public string WebhookId { get; init; } = "";

        public string[] PageKey { get; init; } = [];
    }
}

/// <summary>The export to analytics over gRPC and REST.</summary>
public sealed class AnalyticsExportGrpcService(UnitOfWork<ConversionDbContext> work, ManageAnalyticsExport manage)
    : AnalyticsExportService.AnalyticsExportServiceBase
{
    public override Task<AnalyticsExport> GetAnalyticsExport(GetAnalyticsExportRequest request, ServerCallContext context) =>
        manage.Get(context.Caller(), context.CancellationToken);

    public override async Task<AnalyticsExport> UpdateAnalyticsExport(UpdateAnalyticsExportRequest request, ServerCallContext context) =>
        (await manage.Update(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override Task<ListAnalyticsDeliveriesResponse> ListAnalyticsDeliveries(ListAnalyticsDeliveriesRequest request,
        ServerCallContext context)
    {
        var query = ReadDeliveries.Parse(request.PageSize, request.PageToken, request.Filter, request.OrderBy, "analytics");
        return work.Read(context.Caller().WorkspaceId, async tx =>
        {
            var export = await tx.Db.AnalyticsExports.SingleOrDefaultAsync(tx.CancellationToken);
            var (deliveries, next) = await ReadDeliveries.Page(tx, export?.Id ?? Guid.Empty, query);
            return new ListAnalyticsDeliveriesResponse { Deliveries = { deliveries }, NextPageToken = next };
        }, context.CancellationToken);
    }

    public override async Task<CrmDelivery> ReplayAnalyticsDelivery(ReplayAnalyticsDeliveryRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        return (await work.Run<CrmDelivery>(context.Caller().WorkspaceId, async tx =>
        {
            var export = await tx.Db.AnalyticsExports.SingleOrDefaultAsync(tx.CancellationToken);
            return await ReadDeliveries.Replay(tx, export?.Id ?? Guid.Empty, id);
        }, context.CancellationToken)).OrThrow();
    }

    public override Task<ListOfflineExportsResponse> ListOfflineExports(ListOfflineExportsRequest request, ServerCallContext context)
    {
        var query = Features.ExportRevenue.ListOfflineExports.Parse(request);
        return work.Read(
            context.Caller().WorkspaceId, tx => Features.ExportRevenue.ListOfflineExports.Page(tx, query), context.CancellationToken);
    }
}
