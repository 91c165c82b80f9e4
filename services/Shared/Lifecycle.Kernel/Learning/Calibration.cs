using System.Text.Json.Serialization;

namespace Lifecycle.Kernel.Learning;

/// <summary>Turns log-odds into a probability that can be taken at its word: 1 / (1 + e^−(slope · log-odds + intercept)).</summary>
public sealed record Calibration(double Slope, double Intercept)
{
    private const int Bins = 10;

    public double Probability(double logOdds) => LogisticFit.Probability((Slope * logOdds) + Intercept);

    /// <summary>
    /// Platt scaling (Advances in Large Margin Classifiers, 1999): a logistic regression on log-odds of cases that the model had not seen,
    /// with his smoothed targets (positive + 1) / (positive + 2) and 1 / (negative + 2), which keep it finite.
    /// </summary>
    public static Calibration Fit(IReadOnlyList<double> logOdds, IReadOnlyList<bool> won)
    {
        var winners = won.Count(isWon => isWon);
        var (high, low) = ((winners + 1.0) / (winners + 2), 1.0 / (won.Count - winners + 2));
        var fit = LogisticRegression.Fit(
            logOdds.Zip(won, (value, isWon) => new Example([0], [value], isWon ? high : low)).ToArray(), 1, penalty: 0);
        // Log-odds that rank cases the wrong way round must not be turned: then they say nothing.
        return fit.Coefficients[0] > 0
            ? new(fit.Coefficients[0], fit.Intercept)
            : new(0, Math.Log((winners + 1.0) / (won.Count - winners + 1)));
    }

    /// <summary>Mean squared difference between probability and outcome (Brier 1950): 0 is perfect.</summary>
    public static double Brier(IReadOnlyList<double> probabilities, IReadOnlyList<bool> won) =>
        probabilities.Zip(won, (probability, isWon) => Math.Pow(probability - (isWon ? 1 : 0), 2)).Average();

    /// <summary>Predicted against observed, in ten groups of equal size by probability; fewer where there are fewer cases.</summary>
    public static IReadOnlyList<CalibrationBin> Table(IReadOnlyList<double> probabilities, IReadOnlyList<bool> won)
    {
        var order = Enumerable.Range(0, probabilities.Count).OrderBy(index => probabilities[index]).ToArray();
        var groups = Math.Min(Bins, order.Length);
        return Enumerable.Range(0, groups).Select(group =>
        {
            var members = order[(group * order.Length / groups)..((group + 1) * order.Length / groups)];
            return new CalibrationBin(
                members.Length, members.Average(index => probabilities[index]), members.Average(index => won[index] ? 1.0 : 0.0));
        }).ToArray();
    }
}

/// <summary>Cases of similar probability.</summary>
/// <param name="Cases">How many; <c>leads</c> in stored models.</param>
/// <param name="Predicted">Mean probability.</param>
/// <param name="Observed">Share that was positive.</param>
public sealed record CalibrationBin([property: JsonPropertyName("leads")] int Cases, double Predicted, double Observed);
