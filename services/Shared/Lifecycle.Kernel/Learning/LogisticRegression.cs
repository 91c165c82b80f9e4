namespace Lifecycle.Kernel.Learning;

/// <summary>
/// Logistic regression with an L2 penalty, by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani, Friedman: The
/// Elements of Statistical Learning, 4.4.1 and 3.4.1).
/// </summary>
/// <remarks>
/// It minimises Σ cross-entropy + penalty / 2 · Σ (deviation · coefficient)², the intercept free: the same as standardising the values
/// first, since centring only moves an intercept that is not penalised. With a penalty above zero the minimum is finite and single even
/// where a value separates the two kinds without error. The same examples give the same fit, to the last bit.
/// </remarks>
public static class LogisticRegression
{
    private const int MaxIterations = 100;
    private const int MaxHalvings = 30;
    private const double Tolerance = 1e-10;

    /// <param name="examples">At least one.</param>
    /// <param name="features">How many values a row has.</param>
    /// <param name="penalty">0 or more.</param>
    public static LogisticFit Fit(IReadOnlyList<Example> examples, int features, double penalty)
    {
        // Position 0 is the intercept.
        var scale = Deviations(examples, features);
        var weights = new double[features + 1];
        var loss = Loss(examples, scale, weights, penalty);
        for (var iteration = 0; iteration < MaxIterations; iteration++)
        {
            var (gradient, hessian) = Derivatives(examples, scale, weights, penalty);
            var step = Cholesky.Solve(hessian, gradient);
            var (next, nextLoss, factor) = (weights, loss, 1.0);
            for (var halving = 0; halving < MaxHalvings; halving++, factor /= 2)
            {
                next = weights.Zip(step, (weight, move) => weight - (factor * move)).ToArray();
                nextLoss = Loss(examples, scale, next, penalty);
                if (nextLoss <= loss)
                {
                    break;
                }
            }

            var moved = nextLoss <= loss ? step.Max(Math.Abs) * factor : 0;
            (weights, loss) = nextLoss <= loss ? (next, nextLoss) : (weights, loss);
            if (moved < Tolerance)
            {
                break;
            }
        }

        return new(weights[0], weights.Skip(1).Select((weight, index) => weight / scale[index]).ToArray());
    }

    /// <summary>Standard deviation of each value over the examples; 1 where it never varies.</summary>
    internal static double[] Deviations(IReadOnlyList<Example> examples, int features)
    {
        var (sums, squares) = (new double[features], new double[features]);
        foreach (var example in examples)
        {
            for (var index = 0; index < example.Features.Length; index++)
            {
                var value = example.Values[index];
                sums[example.Features[index]] += value;
                squares[example.Features[index]] += value * value;
            }
        }

        return sums.Zip(squares, (sum, square) =>
        {
            var variance = (square / examples.Count) - (sum / examples.Count * (sum / examples.Count));
            return variance > 1e-12 ? Math.Sqrt(variance) : 1;
        }).ToArray();
    }

    private static double LogOdds(Example example, double[] scale, double[] weights)
    {
        var sum = weights[0];
        for (var index = 0; index < example.Features.Length; index++)
        {
            var feature = example.Features[index];
            sum += weights[feature + 1] * example.Values[index] / scale[feature];
        }

        return sum;
    }

    private static double Loss(IReadOnlyList<Example> examples, double[] scale, double[] weights, double penalty)
    {
        var loss = 0.0;
        foreach (var example in examples)
        {
            loss += LogisticFit.Loss(LogOdds(example, scale, weights), example.Target);
        }

        return loss + (penalty / 2 * weights.Skip(1).Sum(weight => weight * weight));
    }

    private static (double[] Gradient, double[][] Hessian) Derivatives(
        IReadOnlyList<Example> examples, double[] scale, double[] weights, double penalty)
    {
        var size = weights.Length;
        var gradient = new double[size];
        var hessian = Enumerable.Range(0, size).Select(row => new double[row + 1]).ToArray();
        foreach (var example in examples)
        {
            var probability = LogisticFit.Probability(LogOdds(example, scale, weights));
            var (error, weight) = (probability - example.Target, probability * (1 - probability));
            gradient[0] += error;
            hessian[0][0] += weight;
            for (var index = 0; index < example.Features.Length; index++)
            {
                var row = example.Features[index] + 1;
                var value = example.Values[index] / scale[row - 1];
                gradient[row] += error * value;
                hessian[row][0] += weight * value;
                for (var other = 0; other <= index; other++)
                {
                    var column = example.Features[other] + 1;
                    hessian[row][column] += weight * value * example.Values[other] / scale[column - 1];
                }
            }
        }

        for (var row = 1; row < size; row++)
        {
            gradient[row] += penalty * weights[row];
            hessian[row][row] += penalty;
        }

        return (gradient, hessian);
    }
}
