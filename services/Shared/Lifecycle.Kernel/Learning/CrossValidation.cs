namespace Lifecycle.Kernel.Learning;

/// <summary>How well logistic regressions tell cases that they had not seen.</summary>
/// <param name="Penalty">The L2 penalty under which they were best.</param>
/// <param name="Calibration">From their log-odds to probabilities.</param>
/// <param name="Auc">Area under the ROC curve.</param>
/// <param name="Brier">Mean squared error of the probabilities.</param>
/// <param name="BaseBrier">The same of always telling the share of positive cases: what a model has to beat.</param>
/// <param name="LogLoss">Mean cross-entropy of the probabilities.</param>
/// <param name="Bins">Predicted against observed.</param>
public sealed record CrossValidation(
    double Penalty, Calibration Calibration, RocCurve Auc, double Brier, double BaseBrier, double LogLoss,
    IReadOnlyList<CalibrationBin> Bins)
{
    /// <summary>Parts: each is told by a model of the others.</summary>
    public const int Folds = 5;

    private static readonly double[] Penalties = [100, 30, 10, 3, 1];

    /// <summary>
    /// Rows of the cases at those positions that are learnt from and of those that are told, and how many values a row has.
    /// </summary>
    public delegate (Example[] Seen, Example[] Unseen, int Features) RowReader(int[] seen, int[] unseen);

    /// <summary>
    /// Tells every case by a model that had not seen it, at each penalty, and keeps the penalty whose cross-entropy is least.
    /// </summary>
    /// <param name="outcomes">What came of each case; both kinds are there.</param>
    /// <param name="folds">The part of each case, 0 to below <see cref="Folds"/>; cases that belong together have one.</param>
    /// <param name="read">Reads rows; whatever it learns (which values it takes) it may learn from those seen alone.</param>
    public static CrossValidation Run(IReadOnlyList<bool> outcomes, IReadOnlyList<int> folds, RowReader read)
    {
        var logOdds = Penalties.Select(_ => new double[outcomes.Count]).ToArray();
        for (var fold = 0; fold < Folds; fold++)
        {
            var unseen = Enumerable.Range(0, outcomes.Count).Where(index => folds[index] == fold).ToArray();
            var (rows, tested, features) = read([.. Enumerable.Range(0, outcomes.Count).Where(index => folds[index] != fold)], unseen);
            for (var choice = 0; choice < Penalties.Length; choice++)
            {
                var fit = LogisticRegression.Fit(rows, features, Penalties[choice]);
                for (var position = 0; position < unseen.Length; position++)
                {
                    logOdds[choice][unseen[position]] = fit.LogOdds(tested[position]);
                }
            }
        }

        var best = Enumerable.Range(0, Penalties.Length)
            .MinBy(choice => logOdds[choice].Zip(outcomes, (value, isPositive) => LogisticFit.Loss(value, isPositive ? 1 : 0)).Sum());
        return Judge(Penalties[best], logOdds[best], outcomes);
    }

    /// <summary>
    /// A part for each case: positive and negative cases are dealt out by turns, so that each part has its share of both.
    /// </summary>
    public static int[] ByTurns(IEnumerable<bool> outcomes)
    {
        var (positive, negative) = (0, 0);
        return [.. outcomes.Select(isPositive => (isPositive ? positive++ : negative++) % Folds)];
    }

    private static CrossValidation Judge(double penalty, double[] logOdds, IReadOnlyList<bool> outcomes)
    {
        var calibration = Calibration.Fit(logOdds, outcomes);
        var probabilities = logOdds.Select(calibration.Probability).ToArray();
        var share = outcomes.Average(isPositive => isPositive ? 1.0 : 0.0);
        return new(
            penalty, calibration, RocCurve.Of(logOdds, outcomes), Calibration.Brier(probabilities, outcomes), share * (1 - share),
            logOdds.Zip(outcomes, (value, isPositive) =>
                LogisticFit.Loss((calibration.Slope * value) + calibration.Intercept, isPositive ? 1 : 0)).Average(),
            Calibration.Table(probabilities, outcomes));
    }
}
