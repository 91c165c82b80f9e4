using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.ReportNurture;

/// <summary>Nurture's reports over gRPC and REST.</summary>
internal sealed class NurtureReportGrpcService(UnitOfWork<NurtureDbContext> unitOfWork, IOptions<NurtureOptions> options, TimeProvider time)
    : NurtureReportService.NurtureReportServiceBase
{
    private const int MaxWindowDays = 3660;
    private const int DefaultScoreDays = 7;
    private const int MaxScoreDays = 90;

    public override Task<CompareNurtureProgramsResponse> CompareNurturePrograms(
        CompareNurtureProgramsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var (from, to) = ReportScope.Required(request.From, request.To, context.Caller().TimeZone, violations);
        violations.Require(
            request.WindowDays is >= 0 and <= MaxWindowDays, "windowDays", $"windowDays lies between 0 and {MaxWindowDays}.");
        violations.OrThrow();
        return unitOfWork.Read(
            context.Caller().WorkspaceId, tx => ComparePrograms.Run(tx, from, to, request.WindowDays), context.CancellationToken);
    }

    public override Task<GetStallReportResponse> GetStallReport(GetStallReportRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var (from, to) = ReportScope.Required(request.From, request.To, context.Caller().TimeZone, violations);
        var program = ReportScope.OptionalId(request.ProgramId, "programId", violations);
        violations.Require(request.ScoreDays is >= 0 and <= MaxScoreDays, "scoreDays", $"scoreDays lies between 1 and {MaxScoreDays}.");
        violations.OrThrow();
        var days = request.ScoreDays == 0 ? DefaultScoreDays : request.ScoreDays;
        var patience = TimeSpan.FromSeconds(options.Value.StallSeconds);
        return unitOfWork.Read(
            context.Caller().WorkspaceId, tx => ReportStalls.Run(tx, from, to, program, days, patience), context.CancellationToken);
    }

    public override Task<GetEngagementReportResponse> GetEngagementReport(GetEngagementReportRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var (from, to) = ReportScope.Required(request.From, request.To, context.Caller().TimeZone, violations);
        var program = ReportScope.OptionalId(request.ProgramId, "programId", violations);
        violations.OrThrow();
        var byLink = request.Kind == GetEngagementReportRequest.Types.AssetKind.Link;
        return unitOfWork.Read(
            context.Caller().WorkspaceId, tx => ReportEngagement.Run(tx, from, to, byLink, program), context.CancellationToken);
    }

    public override async Task<ListProgramLeadsResponse> ListProgramLeads(ListProgramLeadsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.ProgramId, "programId", out var program);
        var (from, to) = ReportScope.Optional(request.From, request.To, context.Caller().TimeZone, violations, time.GetUtcNow());
        violations.OrThrow();
        var scope = $"{program} {request.StepId} {request.Outcome} {request.From} {request.To}";
        var query = ListQuery.Parse(
            ReportLeads.ProgramFields, request.PageSize, request.PageToken, null, request.OrderBy, "enterTime desc", scope).OrThrow();
        var rows = await unitOfWork.Read(
            context.Caller().WorkspaceId, tx => ReportLeads.OfProgram(tx, request, program, query, from, to), context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Leads = { page.Select(ReportLeads.ToProgramLead) }, NextPageToken = next };
    }

    public override async Task<ListEngagementLeadsResponse> ListEngagementLeads(
        ListEngagementLeadsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireText(request.EmailId, "emailId");
        var (from, to) = ReportScope.Optional(request.From, request.To, context.Caller().TimeZone, violations, time.GetUtcNow());
        violations.OrThrow();
        var scope = $"{request.EmailId} {request.Action} {request.Url} {request.From} {request.To}";
        var query = ListQuery.Parse(
            ReportLeads.MailFields, request.PageSize, request.PageToken, null, request.OrderBy, "sendTime desc", scope).OrThrow();
        var rows = await unitOfWork.Read(
            context.Caller().WorkspaceId, tx => ReportLeads.OfEmail(tx, request, query, from, to), context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Leads = { page.Select(ReportLeads.ToEngagedLead) }, NextPageToken = next };
    }
}
