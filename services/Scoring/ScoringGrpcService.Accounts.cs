using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Features.ScoreAccounts;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring;

/// <summary>Adjustments by hand, qualifications, companies and named models.</summary>
public sealed partial class ScoringGrpcService
{
    private const int DefaultK = 3;

    public override async Task<AdjustScoreResponse> AdjustScore(AdjustScoreRequest request, ServerCallContext context)
    {
        var (id, scoreName) = LeadAndScore(request.LeadId, request.ScoreName);
        var caller = context.Caller();
        return (await adjuster.Adjust(caller.WorkspaceId, id, scoreName, caller.Actor, request, context.CancellationToken)).OrThrow();
    }

    public override async Task<ListScoreAdjustmentsResponse> ListScoreAdjustments(
        ListScoreAdjustmentsRequest request, ServerCallContext context) =>
        (await adjuster.List(context.Caller().WorkspaceId, LeadAndScore(request.LeadId).LeadId, context.CancellationToken)).OrThrow();

    public override async Task<AdjustScoreResponse> UndoScoreAdjustment(UndoScoreAdjustmentRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.LeadId, "leadId", out var leadId);
        violations.RequireId(request.AdjustmentId, "adjustmentId", out var adjustmentId);
        violations.OrThrow();
        var caller = context.Caller();
        return (await adjuster.Undo(caller.WorkspaceId, leadId, adjustmentId, caller.Actor, context.CancellationToken)).OrThrow();
    }

    public override async Task<ListQualificationsResponse> ListQualifications(
        ListQualificationsRequest request, ServerCallContext context) =>
        (await qualifications.List(context.Caller().WorkspaceId, LeadAndScore(request.LeadId).LeadId, context.CancellationToken)).OrThrow();

    public override async Task<AccountScore> GetAccountScore(GetAccountScoreRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireText(request.CompanyKey, "companyKey");
        violations.Require(request.LeadLimit is >= 0 and <= MaxLeads, "leadLimit", $"leadLimit is 1 to {MaxLeads}.");
        var (method, k, scoreName) = Account(request.Method, request.K, request.ScoreName, violations);
        violations.OrThrow();
        var account = await accounts.Get(
            context.Caller().WorkspaceId, scoreName, request.CompanyKey, method, k,
            request.LeadLimit == 0 ? DefaultLimit : request.LeadLimit, context.CancellationToken);
        await RequireScore(context, scoreName, account.Succeeded);
        return account.OrThrow();
    }

    public override async Task<ListTopAccountScoresResponse> ListTopAccountScores(
        ListTopAccountScoresRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Limit is >= 0 and <= MaxLeads, "limit", $"limit is 1 to {MaxLeads}.");
        violations.Require(!request.HasMinScore || double.IsFinite(request.MinScore), "minScore", "minScore must be a number.");
        var (method, k, scoreName) = Account(request.Method, request.K, request.ScoreName, violations);
        violations.OrThrow();
        var found = await accounts.Top(
            context.Caller().WorkspaceId, scoreName, method, k, request.Limit == 0 ? DefaultLimit : request.Limit,
            request.HasMinScore ? Math.Clamp(request.MinScore, -1e12, 1e12) : null, context.CancellationToken);
        await RequireScore(context, scoreName, found.Count > 0);
        return new() { Accounts = { found } };
    }

    public override Task<ListModelsResponse> ListModels(ListModelsRequest request, ServerCallContext context) =>
        manager.List(context.Caller().WorkspaceId, context.CancellationToken);

    public override async Task<DeleteModelResponse> DeleteModel(DeleteModelRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        ScoreName(request.ScoreName, violations);
        violations.Require(request.ScoreName.Length > 0, "scoreName", "scoreName is required.");
        violations.OrThrow();
        var caller = context.Caller();
        return (await manager.Delete(caller.WorkspaceId, caller.Actor, request, context.CancellationToken)).OrThrow();
    }

    private static (AccountScore.Types.Method Method, int K, string ScoreName) Account(
        AccountScore.Types.Method method, int k, string scoreName, Violations violations)
    {
        violations.Require(Enum.IsDefined(method), "method", "method is SUM, MAX or TOP_K.");
        violations.Require(k is >= 0 and <= AccountScorer.MaxK, "k", $"k is 1 to {AccountScorer.MaxK}.");
        return (method == 0 ? AccountScore.Types.Method.Sum : method, k == 0 ? DefaultK : k, ScoreName(scoreName, violations));
    }
}
