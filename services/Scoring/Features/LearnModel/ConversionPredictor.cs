using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Domain.Learning;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.LearnModel;

/// <summary>Tells by the prediction model learnt last how likely leads are to become customers.</summary>
public sealed class ConversionPredictor(UnitOfWork<ScoringDbContext> work, TimeProvider time)
{
    private const int MaxFactors = 20;

    /// <summary>
    /// Predictions by the id asked for, which of a merged lead stands for the one it lives on as; unknown leads are absent.
    /// </summary>
    public Task<Result<IReadOnlyDictionary<Guid, ConversionPrediction>>> Predict(
        Guid workspaceId, IReadOnlyCollection<Guid> leadIds, CancellationToken ct) =>
        work.Read<Result<IReadOnlyDictionary<Guid, ConversionPrediction>>>(workspaceId, async tx =>
        {
            if (await PredictionStore.Find(tx, 0) is not { } stored)
            {
                return Error.Precondition("No prediction model was learnt yet: ask for one by POST /v1/scoring/predictionModel:train.");
            }

            var now = time.GetUtcNow();
            var successors = await LeadStore.Successors(tx, leadIds);
            var ids = leadIds.Select(id => successors.GetValueOrDefault(id, id)).Distinct().ToArray();
            var rows = await LeadStore.Select(tx, "lead_id = any(@ids) and state is not null", new { ids });
            var histories = await ActivityHistory.Read(tx, rows.Select(row => row.LeadId).ToArray());
            var predictions = rows.ToDictionary(row => row.LeadId, row =>
            {
                var profile = row.Profile is null ? null : JsonSerializer.Deserialize<LeadProfile>(row.Profile, DefaultModel.Json);
                var (probability, factors) = stored.Model.Predict(
                    FeatureReader.Read(profile, histories.GetValueOrDefault(row.LeadId) ?? [], now));
                var prediction = new ConversionPrediction
                {
                    LeadId = row.LeadId.ToString(),
                    Probability = probability,
                    BaseRate = stored.Model.Report.BaseRate,
                    PredictionModelVersion = stored.Version,
                    AsOf = Timestamp.FromDateTimeOffset(now),
                };
                prediction.Factors.AddRange(factors.Take(MaxFactors)
                    .Select(factor => new PredictionFactor { Name = factor.Feature.Feature.Name, LogOdds = factor.LogOdds }));
                return prediction;
            });
            return leadIds.Select(id => (Asked: id, Living: successors.GetValueOrDefault(id, id)))
                .Where(pair => predictions.ContainsKey(pair.Living))
                .ToDictionary(pair => pair.Asked, pair => predictions[pair.Living]);
        }, ct);
}
