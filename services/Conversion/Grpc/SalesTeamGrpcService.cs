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
    public override async Task<ListSalesTeamsResponse> ListSalesTeams(ListSalesTeamsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        // All fit on one page: there is no other to give a token for.
        violations.Require(request.PageToken.Length == 0, "pageToken", "pageToken is none that this method gave out.");
        violations.Require(request.PageSize is >= 0 and <= 1000, "pageSize", "pageSize must lie between 0 and 1000.");
        violations.OrThrow();
        var rows = await work.Read(
            context.Caller().WorkspaceId,
            tx => tx.Db.SalesTeams.OrderBy(row => row.Priority).ThenBy(row => row.CreateTime).ThenBy(row => row.Id)
                .ToListAsync(tx.CancellationToken),
            context.CancellationToken);
        return new ListSalesTeamsResponse { SalesTeams = { rows.Select(row => row.ToProto()) } };
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
