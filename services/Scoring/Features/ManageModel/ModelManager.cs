using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ManageModel;

/// <summary>Reads and replaces the workspace's model.</summary>
public sealed class ModelManager(UnitOfWork<ScoringDbContext> work, ModelStore models)
{
    /// <summary>The model in force, or an earlier version.</summary>
    public Task<Result<V1.ScoringModel>> Get(Guid workspaceId, int version, CancellationToken ct) =>
        work.Read<Result<V1.ScoringModel>>(workspaceId, async tx =>
        {
            var stored = version == 0 ? await models.Current(tx) : await models.Find(tx, version);
            return stored is null ? Error.NotFound("Model version", version) : ModelMessages.ToProto(stored);
        }, ct);

    /// <summary>Makes a new version; every lead is scored by it soon after.</summary>
    public async Task<Result<V1.ScoringModel>> Update(Guid workspaceId, string actor, UpdateModelRequest request, CancellationToken ct)
    {
        if (request.Model is null)
        {
            return Error.Invalid("model", "model is required.");
        }

        var definition = ModelMessages.ToDefinition(request.Model);
        if (ModelCompiler.Compile(definition, 1, "model.").Error is { } fault)
        {
            return fault;
        }

        return await work.RunIdempotent<V1.ScoringModel>(workspaceId, "scoring.UpdateModel", request.RequestId, request, async tx =>
        {
            await ModelStore.Lock(tx);
            var current = (await models.Current(tx)).Model;
            if (request.HasBaseVersion && request.BaseVersion != current.Version)
            {
                return Error.Aborted($"Version {current.Version} is in force by now, not {request.BaseVersion}.");
            }

            var model = ModelCompiler.Compile(definition, current.Version + 1, "model.");
            return model.TryGet(out var compiled, out var error) ? ModelMessages.ToProto(await ModelStore.Add(tx, compiled, actor)) : error;
        }, ct);
    }
}
