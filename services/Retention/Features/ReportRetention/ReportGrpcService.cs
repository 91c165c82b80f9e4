using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Features.KeepRollups;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Granularity = Lifecycle.Kernel.Granularity;
using ProtoGranularity = Lifecycle.Common.V1.Granularity;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>Cohorts, the MRR waterfall, NPS.</summary>
public sealed class ReportGrpcService(UnitOfWork<RetentionDbContext> work, RollupKeeper rollups, TimeProvider time)
    : RetentionReportService.RetentionReportServiceBase
{
    public override async Task<MrrReport> GetMrrReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = Period(request, caller);
        var isCounted = await IsCounted(period, caller, context.CancellationToken);
        var rows = await work.Read(
            caller.WorkspaceId,
            async tx => isCounted
                ? await Waterfalls.FromMonths(tx, period)
                : (await Waterfalls.FromLedger(tx, period, null)).GetValueOrDefault(""),
            context.CancellationToken);
        return MrrReports.Of(rows, period, caller.CurrencyCode);
    }

    public override async Task<ChurnReport> GetChurnReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = Period(request, caller);
        var isCounted = await IsCounted(period, caller, context.CancellationToken);
        return await work.Read(
            caller.WorkspaceId,
            async tx => await ChurnReports.Churn(
                tx, period,
                isCounted ? await Waterfalls.FromMonths(tx, period) : (await Waterfalls.FromLedger(tx, period, null)).GetValueOrDefault(""),
                caller.CurrencyCode),
            context.CancellationToken);
    }

    public override Task<SurvivalReport> GetSurvivalReport(GetSurvivalReportRequest request, ServerCallContext context)
    {
        const int DefaultMonths = 36;
        const int MaxMonths = 240;
        var caller = context.Caller();
        var violations = new Violations();
        if (violations.RequireDate(request.From, "from", out var from) & violations.RequireDate(request.To, "to", out var to))
        {
            violations.Require(from < to, "to", "to is exclusive and must be after from.");
        }

        violations.Require(
            request.GroupBy.Length == 0 || Facts.Dimensions.ContainsKey(request.GroupBy), "groupBy",
            $"groupBy must be one of {string.Join(", ", Facts.Dimensions.Keys)}.");
        violations.Require(request.Months is >= 0 and <= MaxMonths, "months", $"months must be between 1 and {MaxMonths}.");
        violations.OrThrow();
        return work.Read(
            caller.WorkspaceId,
            tx => ChurnReports.Survive(
                tx, ReportPeriod.Midnight(from, caller.TimeZone), ReportPeriod.Midnight(to, caller.TimeZone), caller.TimeZone,
                request.GroupBy.Length == 0 ? null : request.GroupBy, request.Months == 0 ? DefaultMonths : request.Months),
            context.CancellationToken);
    }

    public override Task<RenewalsReport> GetRenewalsReport(GetRenewalsReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), caller.TimeZone).DateTime);
        return work.Read(caller.WorkspaceId, tx => RenewalReports.Of(tx, today, caller.CurrencyCode), context.CancellationToken);
    }

    public override async Task<ListMonthCustomersResponse> ListMonthCustomers(ListMonthCustomersRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = MonthCustomers.Parse(request).OrThrow();
        // Whoever asks for the customers behind a sum waits until they are counted.
        await rollups.CountAll(caller.WorkspaceId, caller.TimeZone.Id, context.CancellationToken);
        return await work.Read(caller.WorkspaceId, tx => MonthCustomers.List(tx, query, caller.CurrencyCode), context.CancellationToken);
    }

    public override async Task<RebuildRollupsResponse> RebuildRollups(RebuildRollupsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        await rollups.Forget(caller.WorkspaceId, caller.TimeZone.Id, context.CancellationToken);
        var count = await rollups.CountAll(caller.WorkspaceId, caller.TimeZone.Id, context.CancellationToken);
        return new() { CustomerCount = count, TimeZone = caller.TimeZone.Id };
    }

    public override Task<NpsReport> GetNpsReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = Period(request, caller);
        var (type, surveyId, groupBy) = SurveyReports.Parse(request).OrThrow();
        return work.Read(caller.WorkspaceId, tx => SurveyReports.Run(tx, period, type, surveyId, groupBy), context.CancellationToken);
    }

    public override Task<ExpansionReport> GetExpansionReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var (period, groupBy) = (Period(request, caller), ExpansionReports.Parse(request.GroupBy).OrThrow());
        return work.Read(
            caller.WorkspaceId, tx => ExpansionReports.Of(tx, period, groupBy, caller.CurrencyCode), context.CancellationToken);
    }

    public override async Task<CohortsReport> GetCohortsReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = Period(request, caller);
        var isCounted = await IsCounted(period, caller, context.CancellationToken);
        var steps = await work.Read(
            caller.WorkspaceId, tx => isCounted ? Cohorts.FromMonths(tx, period) : Cohorts.FromLedger(tx, period),
            context.CancellationToken);
        return CohortReports.Of(steps, period, time.GetUtcNow(), caller.CurrencyCode);
    }

    /// <summary>Whether the counted months can answer: they make up the period and are up to date.</summary>
    private async Task<bool> IsCounted(ReportPeriod period, Caller caller, CancellationToken ct) =>
        Waterfalls.IsMonthly(period) && await rollups.CatchUp(caller.WorkspaceId, caller.TimeZone.Id, ct);

    private static ReportPeriod Period(GetRetentionReportRequest request, Caller caller) => ReportPeriod.Create(
        request.From, request.To,
        request.Granularity == ProtoGranularity.Unspecified ? Granularity.Month : (Granularity)(int)request.Granularity,
        caller.TimeZone).OrThrow();
}
