using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Nurture.Features.ExportPerson;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.QueryMetrics;

/// <summary>Nurture's measures over gRPC and REST.</summary>
internal sealed class MetricsGrpcService(QueryMetricsHandler handler) : MetricsService.MetricsServiceBase
{
    public override Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = QueryMetricsHandler.Catalog.Parse(request, caller.TimeZone, caller.CurrencyCode).OrThrow();
        return handler.Query(caller.WorkspaceId, query, context.CancellationToken);
    }
}

/// <summary>All that nurture holds on a person, for Capture's export.</summary>
internal sealed class PersonDataGrpcService(ExportPersonHandler handler) : PersonDataService.PersonDataServiceBase
{
    public override async Task<ExportPersonResponse> ExportPerson(ExportPersonRequest request, ServerCallContext context) =>
        new()
        {
            Data = await handler.Export(context.Caller().WorkspaceId, Requests.Id(request.LeadId, "leadId"), context.CancellationToken)
        };
}
