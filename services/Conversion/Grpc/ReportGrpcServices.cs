using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Conversion.Features.ExportPerson;
using Lifecycle.Conversion.Features.QueryMetrics;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Conversion.Features.RunAttribution;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Grpc;

/// <summary>Attribution models over gRPC and REST.</summary>
public sealed class AttributionGrpcService(AttributionSettingsStore settings, AttributionRuns runs)
    : AttributionService.AttributionServiceBase
{
    public override Task<EvaluateAttributionResponse> EvaluateAttribution(EvaluateAttributionRequest request, ServerCallContext context) =>
        Task.FromResult(Features.EvaluateAttribution.EvaluateAttribution.Handle(request).OrThrow());

    public override Task<AttributionSettings> GetAttributionSettings(GetAttributionSettingsRequest request, ServerCallContext context) =>
        settings.Read(context.Caller().WorkspaceId, context.CancellationToken);

    public override async Task<AttributionSettings> UpdateAttributionSettings(
        UpdateAttributionSettingsRequest request, ServerCallContext context) =>
        (await settings.Update(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<AttributionRun> CreateAttributionRun(CreateAttributionRunRequest request, ServerCallContext context) =>
        (await runs.Create(request, context.Caller(), context.Method, context.CancellationToken)).OrThrow();

    public override async Task<AttributionRun> GetAttributionRun(GetAttributionRunRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        return (await runs.Read(context.Caller().WorkspaceId, id, context.CancellationToken)).OrThrow();
    }
}

/// <summary>Reports over gRPC and REST.</summary>
public sealed class ReportGrpcService(
    FunnelReports funnel, SourceReports source, OpportunityReports opportunity, VelocityReports velocity,
    ReportRows rows, RebuildReports rebuild)
    : ReportService.ReportServiceBase
{
    public override Task<FunnelReport> GetFunnelReport(GetReportRequest request, ServerCallContext context) =>
        funnel.Handle(ReportQuery.Parse(request, context.Caller()).OrThrow(), context.CancellationToken);

    public override async Task<SourceReport> GetSourceReport(GetReportRequest request, ServerCallContext context) =>
        (await source.Source(BySource(request, context), context.CancellationToken)).OrThrow();

    public override async Task<OpportunityReport> GetOpportunityReport(GetReportRequest request, ServerCallContext context) =>
        (await opportunity.Handle(BySource(request, context), context.CancellationToken)).OrThrow();

    public override async Task<AttributionReport> GetAttributionReport(GetReportRequest request, ServerCallContext context) =>
        (await source.Attribution(BySource(request, context), context.CancellationToken)).OrThrow();

    public override async Task<RoiReport> GetRoiReport(GetReportRequest request, ServerCallContext context) =>
        (await source.Roi(BySource(request, context), context.CancellationToken)).OrThrow();

    public override async Task<VelocityReport> GetVelocityReport(GetReportRequest request, ServerCallContext context) =>
        (await velocity.Handle(ReportQuery.Parse(request, context.Caller()).OrThrow(), context.CancellationToken)).OrThrow();

    public override async Task<ListReportRowsResponse> ListReportRows(ListReportRowsRequest request, ServerCallContext context) =>
        (await rows.Handle(request, context.Caller(), context.CancellationToken)).OrThrow();

    public override Task RebuildReports(
        RebuildReportsRequest request, IServerStreamWriter<RebuildReportsResponse> responseStream,
        ServerCallContext context) => rebuild.Handle(
        context.Caller().WorkspaceId, progress => responseStream.WriteAsync(progress, context.CancellationToken),
        context.CancellationToken);

    private static ReportQuery BySource(GetReportRequest request, ServerCallContext context) =>
        ReportQuery.Parse(request, context.Caller(), "channel").OrThrow();
}

/// <summary>Metrics of conversion over gRPC; the gateway serves them over REST.</summary>
public sealed class MetricsGrpcService(ConversionMetrics metrics) : MetricsService.MetricsServiceBase
{
    public override async Task<QueryMetricsResponse> QueryMetrics(QueryMetricsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = ConversionMetrics.Catalog.Parse(request, caller.TimeZone, caller.CurrencyCode).OrThrow();
        return (await metrics.Handle(caller.WorkspaceId, query, context.CancellationToken)).OrThrow();
    }
}

/// <summary>What is held on one person, for Capture's export.</summary>
public sealed class PersonDataGrpcService(ExportPerson export) : PersonDataService.PersonDataServiceBase
{
    public override async Task<ExportPersonResponse> ExportPerson(ExportPersonRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var leadId);
        violations.OrThrow();
        return new ExportPersonResponse { Data = await export.Handle(context.Caller().WorkspaceId, leadId, context.CancellationToken) };
    }
}
