using Lifecycle.Kernel.Learning;

namespace Lifecycle.Scoring.Domain.Learning;

/// <summary>A lead whose fate is known, with what was known of it before.</summary>
/// <param name="LeadId">Lead.</param>
/// <param name="Won">Became a customer; else it was lost or ruled out.</param>
/// <param name="Features">As <see cref="FeatureReader"/> read them at the decision.</param>
public sealed record DecidedLead(Guid LeadId, bool Won, IReadOnlyDictionary<Feature, double> Features);

/// <summary>A learnt model: how likely a lead is to become a customer once its fate is decided.</summary>
/// <param name="Features">What it looks at, the strongest first.</param>
/// <param name="Intercept">Log-odds of a lead with none of them.</param>
/// <param name="Calibration">From log-odds to probability.</param>
/// <param name="Report">How good it is.</param>
/// <param name="Draft">The same as a scoring model, to be tried and put.</param>
public sealed record PredictionModel(
    IReadOnlyList<LearntFeature> Features, double Intercept, Calibration Calibration, TrainingReport Report, ModelDefinition Draft)
{
    /// <summary>Probability of becoming a customer, and what each known feature adds to its log-odds, the strongest first.</summary>
    public (double Probability, IReadOnlyList<(LearntFeature Feature, double LogOdds)> Factors) Predict(
        IReadOnlyDictionary<Feature, double> known)
    {
        var factors = Features.Where(feature => known.ContainsKey(feature.Feature))
            .Select(feature => (Feature: feature, LogOdds: feature.Coefficient * known[feature.Feature])).ToArray();
        var logOdds = Intercept + factors.Sum(factor => factor.LogOdds);
        return (
            Calibration.Probability(logOdds),
            factors.Select(factor => (factor.Feature, Calibration.Slope * factor.LogOdds))
                .OrderByDescending(factor => Math.Abs(factor.Item2)).ToArray());
    }
}

/// <summary>One coefficient.</summary>
/// <param name="Feature">What it looks at.</param>
/// <param name="Coefficient">What it adds to the log-odds, per doubling for counts.</param>
/// <param name="Points">The same in points, at <see cref="DraftBuilder.PointsPerDoubling"/> for each doubling of the odds; of a count, for
/// the first.</param>
/// <param name="Cap">Most points, without sign; of a count what it gives at the 95th percentile of the leads learnt from.</param>
/// <param name="Won">Won leads that have it.</param>
/// <param name="Lost">Lost leads that have it.</param>
public sealed record LearntFeature(Feature Feature, double Coefficient, double Points, double Cap, int Won, int Lost);

/// <summary>How good a learnt model is, on leads that it had not seen.</summary>
/// <param name="Won">Won leads learnt from.</param>
/// <param name="Lost">Lost leads learnt from.</param>
/// <param name="Folds">Parts of the cross-validation.</param>
/// <param name="Penalty">L2 penalty chosen, of standardised values.</param>
/// <param name="Auc">Area under the ROC curve.</param>
/// <param name="Brier">Mean squared error of the probabilities.</param>
/// <param name="BaseBrier">The same of always telling the share won: what a model has to beat.</param>
/// <param name="LogLoss">Mean cross-entropy of the probabilities.</param>
/// <param name="Bins">Predicted against observed.</param>
public sealed record TrainingReport(
    int Won, int Lost, int Folds, double Penalty, RocCurve Auc, double Brier, double BaseBrier, double LogLoss,
    IReadOnlyList<CalibrationBin> Bins)
{
    /// <summary>Share of the leads that won.</summary>
    public double BaseRate => (double)Won / (Won + Lost);
}
