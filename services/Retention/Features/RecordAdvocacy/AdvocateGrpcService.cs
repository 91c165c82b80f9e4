using Dapper;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>The rule by which customers become advocates.</summary>
public sealed class AdvocateGrpcService(UnitOfWork<RetentionDbContext> work) : AdvocateService.AdvocateServiceBase
{
    private const int Most = 1000;

    public override Task<AdvocateRule> GetAdvocateRule(GetAdvocateRuleRequest request, ServerCallContext context) =>
        work.Read(context.Caller().WorkspaceId, async tx => ToProto(await AdvocateRules.InForce(tx)), context.CancellationToken);

    public override Task<AdvocacyReport> GetAdvocacyReport(GetAdvocacyReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var violations = new Violations();
        var group = AdvocacyReports.Group(request.GroupBy);
        violations.Require(group is not null, "groupBy", $"groupBy must be one of {AdvocacyReports.Known}.");
        violations.OrThrow();
        var period = ReportPeriod.Create(request.From, request.To, Granularity.Day, caller.TimeZone).OrThrow();
        return work.Read(caller.WorkspaceId, tx => AdvocacyReports.Run(tx, period, group!, caller.CurrencyCode), context.CancellationToken);
    }

    public override async Task<AdvocateRule> PutAdvocateRule(PutAdvocateRuleRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.MinReferrals is >= 0 and <= Most, "minReferrals", $"minReferrals must be between 0 and {Most}.");
        violations.Require(request.MinAdvocacy is >= 0 and <= Most, "minAdvocacy", $"minAdvocacy must be between 0 and {Most}.");
        violations.Require(
            request.MinReferrals > 0 || request.MinAdvocacy > 0, "minReferrals",
            "At least one of minReferrals and minAdvocacy must be above 0.");
        violations.Require(
            request.ReferralState is Referral.Types.State.Unspecified or Referral.Types.State.Open or Referral.Types.State.Captured
                or Referral.Types.State.Converted,
            "referralState", "referralState must be OPEN, CAPTURED or CONVERTED.");
        violations.Require(
            request.AdvocacyKinds.All(kind => Names.Of(kind).Length > 0), "advocacyKinds",
            $"Each of advocacyKinds must be one of {Names.Known<Advocacy.Types.Kind>()}.");
        violations.OrThrow();
        return (await work.RunIdempotent<AdvocateRule>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                // One after the other, so that none finds its version taken.
                await tx.Connection.ExecuteAsync(
                    "select pg_advisory_xact_lock(hashtextextended('advocate_rule ' || @id, 0))", new { id = tx.WorkspaceId.ToString() });
                var row = new AdvocateRuleRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Version = (await AdvocateRules.InForce(tx)).Version + 1,
                    MinReferrals = request.MinReferrals,
                    ReferralState = request.ReferralState == Referral.Types.State.Unspecified ? "OPEN" : Names.Of(request.ReferralState),
                    MinAdvocacy = request.MinAdvocacy,
                    AdvocacyKinds = [.. request.AdvocacyKinds.Distinct().Select(Names.Of)],
                    NeedsPromoter = request.NeedsPromoter,
                    CreateTime = tx.Now,
                };
                tx.Db.AdvocateRules.Add(row);
                return ToProto(row);
            },
            context.CancellationToken)).OrThrow();
    }

    private static AdvocateRule ToProto(AdvocateRuleRow row) => new()
    {
        Version = row.Version,
        MinReferrals = row.MinReferrals,
        ReferralState = Names.TryParse(row.ReferralState, out Referral.Types.State state) ? state : default,
        MinAdvocacy = row.MinAdvocacy,
        AdvocacyKinds = { row.AdvocacyKinds.Select(kind => Names.TryParse(kind, out Advocacy.Types.Kind known) ? known : default) },
        NeedsPromoter = row.NeedsPromoter,
        CreateTime = row.Version > 0 ? row.CreateTime.ToProto() : null,
    };
}
