using Lifecycle.Kernel.Learning;

namespace Lifecycle.Retention.Domain.Learning;

/// <summary>A learnt model: how likely a customer is to leave within the horizon.</summary>
/// <param name="HorizonDays">Days ahead.</param>
/// <param name="Features">What it looks at, the strongest first.</param>
/// <param name="Intercept">Log-odds where every value is 0.</param>
/// <param name="Lost">Cases lost that it was learnt from.</param>
/// <param name="Stayed">Cases that stayed.</param>
/// <param name="Customers">Customers that the cases are of.</param>
/// <param name="Quality">How good it is on customers that it had not seen, with the calibration.</param>
public sealed record ChurnModel(
    int HorizonDays, IReadOnlyList<LearntChurnFeature> Features, double Intercept, int Lost, int Stayed,
    int Customers, CrossValidation Quality)
{
    /// <summary>Share of the cases that were lost: what is predicted without knowing anything.</summary>
    public double BaseRate => (double)Lost / (Lost + Stayed);

    /// <summary>Probability to leave within the horizon.</summary>
    public double Probability(ChurnFacts facts) =>
        Quality.Calibration.Probability(Intercept + Features.Sum(feature => feature.Coefficient * feature.Feature.Value(facts)));

    /// <summary>
    /// What speaks for (above 0) and against leaving, the strongest first: how far each value moves the calibrated log-odds from those of
    /// the mean case.
    /// </summary>
    public IReadOnlyList<(LearntChurnFeature Feature, double LogOdds)> Factors(ChurnFacts facts) =>
    [
        .. Features.Select(
            feature => (feature, LogOdds: Quality.Calibration.Slope * feature.Coefficient * (feature.Feature.Value(facts) - feature.Mean)))
            .OrderByDescending(factor => Math.Abs(factor.LogOdds)),
    ];
}

/// <summary>One coefficient.</summary>
/// <param name="Feature">What it looks at.</param>
/// <param name="Coefficient">What one unit of its value adds to the log-odds.</param>
/// <param name="Mean">Mean value of the cases.</param>
/// <param name="Deviation">Standard deviation of the value.</param>
public sealed record LearntChurnFeature(ChurnFeature Feature, double Coefficient, double Mean, double Deviation);
