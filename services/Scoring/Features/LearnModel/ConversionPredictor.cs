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

    /// <summary>Predictions by lead; unknown leads are absent.</summary>
    public Task<Result<IReadOnlyDictionary<Guid, ConversionPrediction>>> Predict(
        Guid workspaceId, IReadOnlyCollection<Guid> leadIds, CancellationToken ct) =>
        work.Read<Result<IReadOnlyDictionary<Guid, ConversionPrediction>>>(workspaceId, async tx =>
        {
            if (await PredictionStore.Find(tx, 0) is not { } stored)
            {
                return Error.Precondition("No prediction model was learnt yet: ask for one by POST /v1/scoring/predictionModel:train.");
            }

            var now = time.GetUtcNow();
            var rows = await LeadStore.Select(tx, "lead_id = any(@leadIds) and state is not null", new { leadIds });
            var histories = await ActivityHistory.Read(tx, rows.Select(row => row.LeadId).ToArray());
            return rows.ToDictionary(row => row.LeadId, row =>
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
        }, ct);
}
