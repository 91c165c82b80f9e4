using Google.Protobuf.WellKnownTypes;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Features.ManageModel;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.LearnModel;

/// <summary>Prediction models as messages.</summary>
internal static class PredictionMessages
{
    public static PredictionModel ToProto(StoredPrediction stored)
    {
        var (model, report) = (stored.Model, stored.Model.Report);
        // What is stored was made by the learner, which the compiler accepts.
        var draft = ModelMessages.ToProto(new StoredModel(ModelCompiler.Compile(model.Draft, 0).Value, null, stored.Actor));
        var message = new PredictionModel
        {
            Version = stored.Version,
            Intercept = model.Intercept,
            CalibrationSlope = model.Calibration.Slope,
            CalibrationIntercept = model.Calibration.Intercept,
            Draft = draft,
            CreateTime = Timestamp.FromDateTimeOffset(stored.CreateTime),
            Actor = stored.Actor,
            Quality = new()
            {
                WonLeads = report.Won,
                LostLeads = report.Lost,
                BaseRate = report.BaseRate,
                Auc = report.Auc.Area,
                AucLow = report.Auc.Low,
                AucHigh = report.Auc.High,
                BrierScore = report.Brier,
                BaseBrierScore = report.BaseBrier,
                LogLoss = report.LogLoss,
                Penalty = report.Penalty,
            },
        };
        message.Quality.Calibration.AddRange(report.Bins.Select(bin => new CalibrationBin
        {
            Leads = bin.Cases,
            Predicted = bin.Predicted,
            Observed = bin.Observed,
        }));
        message.Features.AddRange(model.Features.Select(feature => new LearntFeature
        {
            Name = feature.Feature.Name,
            Condition = feature.Feature.Condition,
            Category = (V1.ScoringModel.Types.Category)feature.Feature.Category,
            LogOdds = feature.Coefficient,
            OddsRatio = Math.Exp(feature.Coefficient),
            Points = feature.Points,
            WonLeads = feature.Won,
            LostLeads = feature.Lost,
        }));
        return message;
    }
}
