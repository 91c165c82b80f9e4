using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ManageModel;

/// <summary>Reads, replaces and ends the workspace's models, one per score.</summary>
public sealed class ModelManager(UnitOfWork<ScoringDbContext> work, ModelStore models)
{
    private const int MaxScores = 10;

    /// <summary>The model in force, or an earlier version.</summary>
    public Task<Result<V1.ScoringModel>> Get(Guid workspaceId, string scoreName, int version, CancellationToken ct) =>
        work.Read<Result<V1.ScoringModel>>(workspaceId, async tx =>
        {
            var stored = version == 0 ? (await models.InForce(tx)).Find(scoreName) : await models.Find(tx, scoreName, version);
            return stored is not null ? ModelMessages.ToProto(stored)
                : version == 0 ? Error.NotFound("Score", scoreName)
                : Error.NotFound("Model version", version);
        }, ct);

    /// <summary>The models in force.</summary>
    public async Task<ListModelsResponse> List(Guid workspaceId, CancellationToken ct) =>
        new() { Models = { (await work.Read(workspaceId, models.InForce, ct)).Models.Select(ModelMessages.ToProto) } };

    /// <summary>Makes a new version, or a new score; every lead is scored by it soon after.</summary>
    public async Task<Result<V1.ScoringModel>> Update(Guid workspaceId, string actor, UpdateModelRequest request, CancellationToken ct)
    {
        if (request.Model is null)
        {
            return Error.Invalid("model", "model is required.");
        }

        var scoreName = request.Model.ScoreName.Length == 0 ? ModelStore.DefaultScore : request.Model.ScoreName;
        var definition = ModelMessages.ToDefinition(request.Model);
        var faults = new Violations();
        faults.Require(ModelCompiler.IsScoreName(scoreName), "model.scoreName", ModelCompiler.ScoreNameForm);
        foreach (var violation in ModelCompiler.Compile(definition, 1, "model.").Error?.Violations ?? [])
        {
            faults.Add(violation.Field, violation.Message);
        }

        if (faults.ToError() is { } fault)
        {
            return fault;
        }

        return await work.RunIdempotent<V1.ScoringModel>(workspaceId, "scoring.UpdateModel", request.RequestId, request, async tx =>
        {
            await ModelStore.Lock(tx);
            var set = await models.InForce(tx);
            var current = set.Find(scoreName);
            if (request.HasBaseVersion && request.BaseVersion != (current?.Model.Version ?? 0))
            {
                return Error.Aborted($"Version {current?.Model.Version ?? 0} is in force by now, not {request.BaseVersion}.");
            }

            if (current is null && set.Models.Count >= MaxScores)
            {
                return Error.Precondition($"A workspace has at most {MaxScores} scores.");
            }

            var model = ModelCompiler.Compile(definition, await ModelStore.LastVersion(tx, scoreName) + 1, "model.");
            return model.TryGet(out var compiled, out var error)
                ? ModelMessages.ToProto(await ModelStore.Add(tx, scoreName, compiled, actor))
                : error;
        }, ct);
    }

    /// <summary>Ends a score; its points leave every lead soon after.</summary>
    public async Task<Result<DeleteModelResponse>> Delete(Guid workspaceId, string actor, DeleteModelRequest request, CancellationToken ct)
    {
        if (request.ScoreName == ModelStore.DefaultScore)
        {
            return Error.Precondition("The score default decides on qualification and cannot be ended.");
        }

        return await work.RunIdempotent<DeleteModelResponse>(workspaceId, "scoring.DeleteModel", request.RequestId, request, async tx =>
        {
            await ModelStore.Lock(tx);
            if ((await models.InForce(tx)).Find(request.ScoreName) is not { } current)
            {
                return Error.NotFound("Score", request.ScoreName);
            }

            await ModelStore.Add(tx, request.ScoreName, current.Model with { Version = current.Model.Version + 1 }, actor, removed: true);
            return new DeleteModelResponse();
        }, ct);
    }
}
