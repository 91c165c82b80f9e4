using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Features.ExplainScore;
using Lifecycle.Scoring.Features.ManageModel;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Features.RebuildScores;
using Lifecycle.Scoring.Features.SimulateModel;
using Lifecycle.Scoring.Features.WatchScores;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring;

/// <summary>The service's RPCs: checks the request and hands it to its feature.</summary>
public sealed class ScoringGrpcService(
    ScoreReader reader,
    ScoreExplainer explainer,
    ScoreWatcher watcher,
    ModelManager manager,
    ModelSimulator simulator,
    ScoreRebuilder rebuilder) : ScoringService.ScoringServiceBase
{
    private const int MaxLeads = 1_000;
    private const int DefaultLimit = 50;

    public override async Task<Score> GetScore(GetScoreRequest request, ServerCallContext context)
    {
        var id = LeadId(request.LeadId);
        var scores = await reader.Read(context.Caller().WorkspaceId, [id], context.CancellationToken);
        Result<Score> found = scores.TryGetValue(id, out var score) ? score : Error.NotFound("Lead", id);
        return found.OrThrow();
    }

    public override async Task<BatchGetScoresResponse> BatchGetScores(BatchGetScoresRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(
            request.LeadIds.Count is > 0 and <= MaxLeads, "leadIds", $"leadIds has 1 to {MaxLeads} ids, not {request.LeadIds.Count}.");
        var ids = LeadIds(request.LeadIds, violations);
        violations.OrThrow();
        var scores = await reader.Read(context.Caller().WorkspaceId, ids.Distinct().ToArray(), context.CancellationToken);
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
        violations.OrThrow();
        var scores = await reader.Top(
            context.Caller().WorkspaceId, request.Limit == 0 ? DefaultLimit : request.Limit,
            request.HasMinTotal ? request.MinTotal : double.NegativeInfinity, context.CancellationToken);
        return new() { Scores = { scores } };
    }

    public override async Task<ExplainScoreResponse> ExplainScore(ExplainScoreRequest request, ServerCallContext context) =>
        (await explainer.Explain(context.Caller().WorkspaceId, LeadId(request.LeadId), context.CancellationToken)).OrThrow();

    public override Task WatchScores(
        WatchScoresRequest request, IServerStreamWriter<WatchScoresResponse> responseStream, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.LeadIds.Count <= MaxLeads, "leadIds", $"leadIds has at most {MaxLeads} ids.");
        var ids = LeadIds(request.LeadIds, violations);
        violations.OrThrow();
        return watcher.Watch(
            context.Caller().WorkspaceId, ids.ToHashSet(), request.HasMinTotal
                ? request.MinTotal
                : null, responseStream, context.CancellationToken);
    }

    public override async Task<ScoringModel> GetModel(GetModelRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Version >= 0, "version", "version is 0 or more.");
        violations.OrThrow();
        return (await manager.Get(context.Caller().WorkspaceId, request.Version, context.CancellationToken)).OrThrow();
    }

    public override async Task<ScoringModel> UpdateModel(UpdateModelRequest request, ServerCallContext context) =>
        (await manager.Update(context.Caller().WorkspaceId, context.Caller().Actor, request, context.CancellationToken)).OrThrow();

    public override async Task<SimulateModelResponse> SimulateModel(SimulateModelRequest request, ServerCallContext context) =>
        (await simulator.Simulate(context.Caller().WorkspaceId, context.Caller().TimeZone, request, context.CancellationToken)).OrThrow();

    public override async Task<RebuildScoresResponse> RebuildScores(RebuildScoresRequest request, ServerCallContext context) =>
        (await rebuilder.Rebuild(context.Caller().WorkspaceId, context.CancellationToken)).OrThrow();

    private static Guid LeadId(string text)
    {
        var violations = new Violations();
        violations.RequireId(text, "leadId", out var id);
        violations.OrThrow();
        return id;
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
