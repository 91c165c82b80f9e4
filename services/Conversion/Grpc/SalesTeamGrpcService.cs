using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Conversion.Features.ManageSalesTeams;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Grpc;

/// <summary>Sales teams over gRPC and REST.</summary>
public sealed class SalesTeamGrpcService(UnitOfWork<ConversionDbContext> work, ManageSalesTeams manage)
    : SalesTeamService.SalesTeamServiceBase
{
    private static readonly ListFields Fields = new ListFields("id", "t.id")
        .Sortable("priority", "t.priority", FieldKind.Whole)
        .Sortable("createTime", "t.create_time", FieldKind.Time)
        .Sortable("displayName", "t.display_name");

    public override async Task<ListSalesTeamsResponse> ListSalesTeams(ListSalesTeamsRequest request, ServerCallContext context)
    {
        // All by default: there are not many.
        var size = request.PageSize == 0 ? PageTokens.MaxSize : request.PageSize;
        var query = ListQuery.Parse(Fields, size, request.PageToken, "", request.OrderBy, "priority, createTime").OrThrow();
        return await work.Read(context.Caller().WorkspaceId, async tx =>
        {
            var parameters = new DynamicParameters(query.Parameters);
            parameters.AddDynamicParams(new { workspace = tx.WorkspaceId });
            var keys = await tx.Connection.QueryAsync<PageRow>(new CommandDefinition(
                $"""
                select t.id, {query.PageKey} from sales_team t
                where t.workspace_id = @workspace and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                parameters,
                cancellationToken: tx.CancellationToken));
            var (page, next) = query.Page(keys, key => key.PageKey);
            var ids = page.Select(key => key.Id).ToArray();
            var rows = await tx.Db.SalesTeams.Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, tx.CancellationToken);
            return new ListSalesTeamsResponse { SalesTeams = { ids.Select(id => rows[id].ToProto()) }, NextPageToken = next };
        }, context.CancellationToken);
    }

    public override async Task<SalesTeam> GetSalesTeam(GetSalesTeamRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        var row = await work.Read(
            context.Caller().WorkspaceId, tx => tx.Db.SalesTeams.SingleOrDefaultAsync(team => team.Id == id, tx.CancellationToken),
            context.CancellationToken);
        return (row is null ? (Result<SalesTeam>)Error.NotFound("Sales team", id) : row.ToProto()).OrThrow();
    }

    public override async Task<SalesTeam> CreateSalesTeam(CreateSalesTeamRequest request, ServerCallContext context) =>
        (await manage.Create(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<SalesTeam> UpdateSalesTeam(UpdateSalesTeamRequest request, ServerCallContext context) =>
        (await manage.Update(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<Empty> DeleteSalesTeam(DeleteSalesTeamRequest request, ServerCallContext context) =>
        (await manage.Delete(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();
}

/// <summary>Reports of sales over gRPC and REST.</summary>
public sealed class SalesReportGrpcService(Features.SalesReports.HandoffReports handoffs, Features.SalesReports.ForecastReports forecast)
    : SalesReportService.SalesReportServiceBase
{
    public override async Task<HandoffReport> GetHandoffReport(GetHandoffReportRequest request, ServerCallContext context) =>
        (await handoffs.Handle(request, context.Caller(), context.CancellationToken)).OrThrow();

    public override async Task<ForecastReport> GetForecastReport(GetForecastReportRequest request, ServerCallContext context) =>
        (await forecast.Handle(request, context.Caller(), context.CancellationToken)).OrThrow();
}
