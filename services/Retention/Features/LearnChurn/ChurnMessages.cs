using Lifecycle.Retention.Domain.Learning;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using ChurnModel = Lifecycle.Retention.V1.ChurnModel;
using LearntChurnFeature = Lifecycle.Retention.V1.LearntChurnFeature;

namespace Lifecycle.Retention.Features.LearnChurn;

/// <summary>Learnt models and predictions as messages.</summary>
internal static class ChurnMessages
{
    public static ChurnModel ToProto(StoredChurnModel stored)
    {
        var (model, quality) = (stored.Model, stored.Model.Quality);
        return new()
        {
            Version = stored.Version,
            HorizonDays = model.HorizonDays,
            Intercept = model.Intercept,
            CalibrationSlope = quality.Calibration.Slope,
            CalibrationIntercept = quality.Calibration.Intercept,
            CreateTime = stored.CreateTime.ToProto(),
            Actor = stored.Actor,
            RetireTime = stored.RetireTime.ToProto(),
            Features = { model.Features.Select(ToProto) },
            Quality = new()
            {
                LostCases = model.Lost,
                StayedCases = model.Stayed,
                Customers = model.Customers,
                BaseRate = model.BaseRate,
                Auc = quality.Auc.Area,
                AucLow = quality.Auc.Low,
                AucHigh = quality.Auc.High,
                BrierScore = quality.Brier,
                BaseBrierScore = quality.BaseBrier,
                LogLoss = quality.LogLoss,
                Penalty = quality.Penalty,
                Calibration =
                {
                    quality.Bins.Select(
                        bin => new ChurnCalibrationBin { Cases = bin.Cases, Predicted = bin.Predicted, Observed = bin.Observed })
                },
            },
        };
    }

    public static ChurnPrediction ToProto(StoredChurnModel stored, Guid customerId, ChurnFacts facts, DateTimeOffset now) => new()
    {
        CustomerId = customerId.ToString(),
        Probability = stored.Model.Probability(facts),
        HorizonDays = stored.Model.HorizonDays,
        BaseRate = stored.Model.BaseRate,
        ModelVersion = stored.Version,
        AsOf = now.ToProto(),
        Factors =
        {
            stored.Model.Factors(facts).Select(factor => new ChurnPredictionFactor
            {
                Name = factor.Feature.Feature.Name,
                Value = factor.Feature.Feature.Value(facts),
                LogOdds = factor.LogOdds,
            }),
        },
    };

    private static LearntChurnFeature ToProto(Domain.Learning.LearntChurnFeature feature) => new()
    {
        Factor = (LearntChurnFeature.Types.Factor)(int)feature.Feature.Factor,
        Plan = feature.Feature.Plan,
        Name = feature.Feature.Name,
        LogOdds = feature.Coefficient,
        OddsRatio = Math.Exp(feature.Coefficient),
        Mean = feature.Mean,
        Deviation = feature.Deviation,
    };
}
