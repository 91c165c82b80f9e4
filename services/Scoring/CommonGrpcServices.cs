using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Features.ExportPerson;
using Lifecycle.Scoring.Features.QueryMetrics;

namespace Lifecycle.Scoring;

/// <summary>The service's measures.</summary>
public sealed class ScoringMetricsService(ScoringMetrics metrics) : MetricsService.MetricsServiceBase
{
    public override async Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = ScoringMetrics.Catalog.Parse(request, caller.TimeZone, caller.CurrencyCode).OrThrow();
        return await metrics.Query(caller.WorkspaceId, query, context.CancellationToken);
    }
}

/// <summary>What the service holds on one person, for other services.</summary>
public sealed class ScoringPersonDataService(PersonExporter exporter) : PersonDataService.PersonDataServiceBase
{
    public override Task<ExportPersonResponse> ExportPerson(ExportPersonRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var id);
        violations.OrThrow();
        return exporter.Export(context.Caller().WorkspaceId, id, context.CancellationToken);
    }
}
