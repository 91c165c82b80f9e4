namespace Lifecycle.Kernel.Learning;

/// <summary>One case to learn from: a sparse row of values and what came of it.</summary>
/// <param name="Features">Positions of the values that are not zero, ascending.</param>
/// <param name="Values">Those values.</param>
/// <param name="Target">1 for a positive case, 0 for a negative one; a share between them where a target is smoothed.</param>
public sealed record Example(int[] Features, double[] Values, double Target)
{
    public bool Won => Target > 0.5;
}

/// <summary>A fitted logistic regression: log-odds = intercept + Σ coefficient · value.</summary>
/// <param name="Intercept">Log-odds where every value is zero.</param>
/// <param name="Coefficients">Change of the log-odds per unit of each value.</param>
public sealed record LogisticFit(double Intercept, double[] Coefficients)
{
    public double LogOdds(Example example)
    {
        var sum = Intercept;
        for (var index = 0; index < example.Features.Length; index++)
        {
            sum += Coefficients[example.Features[index]] * example.Values[index];
        }

        return sum;
    }

    /// <summary>1 / (1 + e^(−log-odds)), without overflow.</summary>
    public static double Probability(double logOdds)
    {
        var small = Math.Exp(-Math.Abs(logOdds));
        return logOdds >= 0 ? 1 / (1 + small) : small / (1 + small);
    }

    /// <summary>Cross-entropy of a target against log-odds, without overflow: log(1 + e^z) − target · z.</summary>
    public static double Loss(double logOdds, double target) =>
        Math.Max(logOdds, 0) + Math.Log(1 + Math.Exp(-Math.Abs(logOdds))) - (target * logOdds);
}
