using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Features.AdjustScore;
using Lifecycle.Scoring.Features.ExplainScore;
using Lifecycle.Scoring.Features.ListQualifications;
using Lifecycle.Scoring.Features.ManageModel;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Features.RebuildScores;
using Lifecycle.Scoring.Features.ScoreAccounts;
using Lifecycle.Scoring.Features.SimulateModel;
using Lifecycle.Scoring.Features.WatchScores;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring;

/// <summary>The service's RPCs: checks the request and hands it to its feature.</summary>
public sealed partial class ScoringGrpcService(
    ScoreReader reader,
    ScoreExplainer explainer,
    ScoreWatcher watcher,
    ModelManager manager,
    ModelSimulator simulator,
    RescoringProgress rescoring,
    ScoreRebuilder rebuilder,
    ScoreAdjuster adjuster,
    QualificationReader qualifications,
    AccountScorer accounts) : ScoringService.ScoringServiceBase
{
    private const int MaxLeads = 1_000;
    private const int DefaultLimit = 50;

    public override async Task<Score> GetScore(GetScoreRequest request, ServerCallContext context)
    {
        var (id, scoreName) = LeadAndScore(request.LeadId, request.ScoreName);
        var scores = await reader.Read(context.Caller().WorkspaceId, scoreName, [id], context.CancellationToken);
        await RequireScore(context, scoreName, scores.Count > 0);
        Result<Score> found = scores.TryGetValue(id, out var score) ? score : Error.NotFound("Lead", id);
        return found.OrThrow();
    }

    public override async Task<BatchGetScoresResponse> BatchGetScores(BatchGetScoresRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(
            request.LeadIds.Count is > 0 and <= MaxLeads, "leadIds", $"leadIds has 1 to {MaxLeads} ids, not {request.LeadIds.Count}.");
        var ids = LeadIds(request.LeadIds, violations);
        var scoreName = ScoreName(request.ScoreName, violations);
        violations.OrThrow();
        var scores = await reader.Read(context.Caller().WorkspaceId, scoreName, ids.Distinct().ToArray(), context.CancellationToken);
        await RequireScore(context, scoreName, scores.Count > 0);
        var response = new BatchGetScoresResponse();
        response.Scores.AddRange(ids.Where(scores.ContainsKey).Select(id => scores[id]));
        response.MissingLeadIds.AddRange(ids.Where(id => !scores.ContainsKey(id)).Distinct().Select(id => id.ToString()));
        return response;
    }

    public override async Task<ListTopScoresResponse> ListTopScores(ListTopScoresRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Limit is >= 0 and <= MaxLeads, "limit", $"limit is 1 to {MaxLeads}.");
        violations.Require(!request.HasMinTotal || double.IsFinite(request.MinTotal), "minTotal", "minTotal must be a number.");
        var scoreName = ScoreName(request.ScoreName, violations);
        violations.OrThrow();
        var scores = await reader.Top(
            context.Caller().WorkspaceId, scoreName, request.Limit == 0 ? DefaultLimit : request.Limit,
            request.HasMinTotal ? request.MinTotal : double.NegativeInfinity, context.CancellationToken);
        await RequireScore(context, scoreName, scores.Count > 0);
        return new() { Scores = { scores } };
    }

    public override async Task<ExplainScoreResponse> ExplainScore(ExplainScoreRequest request, ServerCallContext context)
    {
        var (id, scoreName) = LeadAndScore(request.LeadId, request.ScoreName);
        var explained = await explainer.Explain(context.Caller().WorkspaceId, scoreName, id, context.CancellationToken);
        await RequireScore(context, scoreName, explained.Succeeded);
        return explained.OrThrow();
    }

    public override async Task WatchScores(
        WatchScoresRequest request, IServerStreamWriter<WatchScoresResponse> responseStream, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.LeadIds.Count <= MaxLeads, "leadIds", $"leadIds has at most {MaxLeads} ids.");
        var ids = LeadIds(request.LeadIds, violations);
        var scoreName = ScoreName(request.ScoreName, violations);
        violations.Require(!request.HasMinTotal || double.IsFinite(request.MinTotal), "minTotal", "minTotal must be a number.");
        violations.OrThrow();
        await RequireScore(context, scoreName, found: false);
        await watcher.Watch(
            context.Caller().WorkspaceId, request, scoreName, ids.ToHashSet(), responseStream, context.CancellationToken);
    }

    public override async Task<ScoringModel> GetModel(GetModelRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Version >= 0, "version", "version is 0 or more.");
        var scoreName = ScoreName(request.ScoreName, violations);
        violations.OrThrow();
        return (await manager.Get(context.Caller().WorkspaceId, scoreName, request.Version, context.CancellationToken)).OrThrow();
    }

    public override async Task<ScoringModel> UpdateModel(UpdateModelRequest request, ServerCallContext context) =>
        (await manager.Update(context.Caller().WorkspaceId, context.Caller().Actor, request, context.CancellationToken)).OrThrow();

    public override async Task<SimulateModelResponse> SimulateModel(SimulateModelRequest request, ServerCallContext context) =>
        (await simulator.Simulate(context.Caller().WorkspaceId, context.Caller().TimeZone, request, context.CancellationToken)).OrThrow();

    public override Task<Rescoring> GetRescoring(GetRescoringRequest request, ServerCallContext context) =>
        rescoring.Get(context.Caller().WorkspaceId, context.CancellationToken);

    public override async Task<RebuildScoresResponse> RebuildScores(RebuildScoresRequest request, ServerCallContext context) =>
        (await rebuilder.Rebuild(context.Caller().WorkspaceId, context.CancellationToken)).OrThrow();

    private static (Guid LeadId, string ScoreName) LeadAndScore(string leadId, string scoreName = "")
    {
        var violations = new Violations();
        violations.RequireId(leadId, "leadId", out var id);
        var name = ScoreName(scoreName, violations);
        violations.OrThrow();
        return (id, name);
    }

    private static string ScoreName(string text, Violations violations)
    {
        violations.Require(
            text.Length == 0 || Domain.ModelCompiler.IsScoreName(text), "scoreName", Domain.ModelCompiler.ScoreNameForm);
        return text.Length == 0 ? ModelStore.DefaultScore : text;
    }

    /// <summary>
    /// Tells a score that the workspace has not got from one that a lead has not got. What was found tells that it is there.
    /// </summary>
    private async Task RequireScore(ServerCallContext context, string scoreName, bool found)
    {
        if (!found && !await reader.Has(context.Caller().WorkspaceId, scoreName, context.CancellationToken))
        {
            throw RpcErrors.ToException(Error.NotFound("Score", scoreName));
        }
    }

    private static List<Guid> LeadIds(IReadOnlyList<string> texts, Violations violations)
    {
        var ids = new List<Guid>();
        foreach (var (index, text) in texts.Take(MaxLeads).Index())
        {
            if (violations.RequireId(text, $"leadIds[{index}]", out var id))
            {
                ids.Add(id);
            }
        }

        return ids;
    }
}
