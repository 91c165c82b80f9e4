using System.Text.Json;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Domain.Learning;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Features.LearnModel;

/// <summary>Learns prediction models from the workspace's history.</summary>
public sealed class PredictionLearner(UnitOfWork<ScoringDbContext> work, ModelStore models, IOptions<ScoringOptions> options)
{
    private const int PageSize = 500;

    /// <summary>Learning reads page by page before it writes: only the new version is part of the transaction.</summary>
    public async Task<Result<V1.PredictionModel>> Train(
        Guid workspaceId, string actor, TrainPredictionModelRequest request, CancellationToken ct)
    {
        var (cases, current) = await work.Read(
            workspaceId,
            async tx => (await PredictionStore.Decided(tx, options.Value.MaxTrainingLeads), (await models.Current(tx)).Model.Definition),
            ct);
        var leads = new List<DecidedLead>();
        if (Learner.Missing(cases.Count(entry => entry.Won), cases.Count(entry => !entry.Won)) is null)
        {
            foreach (var page in cases.Chunk(PageSize))
            {
                var histories = await work.Read(
                    workspaceId, tx => ActivityHistory.Read(tx, page.Select(entry => entry.LeadId).ToArray()), ct);
                leads.AddRange(page.Select(entry => new DecidedLead(
                    entry.LeadId, entry.Won,
                    FeatureReader.Read(
                        JsonSerializer.Deserialize<LeadProfile>(entry.Profile, DefaultModel.Json),
                        histories.GetValueOrDefault(entry.LeadId) ?? [], entry.KnownUntil))));
            }
        }

        return await work.RunIdempotent<V1.PredictionModel>(
            workspaceId, "scoring.TrainPredictionModel", request.RequestId, request, async tx =>
            {
                if (Learner.Missing(cases.Count(entry => entry.Won), cases.Count(entry => !entry.Won)) is { } missing)
                {
                    return missing;
                }

                var learnt = Learner.Train(leads, current);
                return learnt.TryGet(out var model, out var error)
                    ? PredictionMessages.ToProto(await PredictionStore.Add(tx, model, actor))
                    : error;
            }, ct);
    }

    public Task<Result<V1.PredictionModel>> Get(Guid workspaceId, int version, CancellationToken ct) =>
        work.Read<Result<V1.PredictionModel>>(workspaceId, async tx => await PredictionStore.Find(tx, version) is { } stored
            ? PredictionMessages.ToProto(stored)
            : Error.NotFound("Prediction model", version == 0 ? "(none was learnt yet)" : version), ct);
}
