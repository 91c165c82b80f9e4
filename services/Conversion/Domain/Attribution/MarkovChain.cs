namespace Lifecycle.Conversion.Domain.Attribution;

/// <summary>A group's part in a Markov chain.</summary>
/// <param name="Share">Of all credit; the shares sum to exactly 1.</param>
/// <param name="RemovalEffect">Share of all conversions lost without the group, 0 to 1.</param>
public sealed record MarkovShare(string Group, decimal Share, double RemovalEffect);

/// <summary>
/// First-order Markov attribution: paths become a chain START → groups → CONVERSION | NULL with transition probabilities from their counts.
/// The removal effect of a group k is 1 − P(conversion without k) / P(conversion), where visits to k end in NULL instead.
/// </summary>
/// <remarks>
/// Solved exactly. With N = (I − Q)⁻¹ the fundamental matrix, the chance to pass k at all is N[start,k] / N[k,k], and every conversion
/// through k is lost with it, so the effect is N[start,k] / N[k,k] · P(conversion from k) / P(conversion from start): one inversion for all
/// groups.
/// Source: Anderl, Becker, von Wangenheim, Schumann, "Mapping the customer journey", IJRM 33 (2016); Kemeny and Snell, "Finite Markov
/// chains".
/// </remarks>
public static class MarkovChain
{
    /// <summary>Most distinct groups that are solved for; the inversion costs their cube.</summary>
    public const int MaxGroups = 500;

    /// <summary>The groups in order of first appearance; none where no path converts.</summary>
    public static IReadOnlyList<MarkovShare> Solve(IReadOnlyList<TouchPath> paths)
    {
        var counts = new MarkovCounts();
        foreach (var path in paths)
        {
            counts.Add(path.Touches, path.Conversions, path.Nulls);
        }

        return Solve(counts);
    }

    /// <summary>As above, of paths that were counted one by one.</summary>
    public static IReadOnlyList<MarkovShare> Solve(MarkovCounts counts)
    {
        if (!counts.HasConversions)
        {
            return [];
        }

        var groups = counts.Groups;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(groups.Count, MaxGroups, nameof(counts));
        var (transitions, conversion) = counts.Chain();
        var fundamental = Inverse(transitions);
        var size = groups.Count + 1;
        var converts = new double[size];
        for (var from = 0; from < size; from++)
        {
            for (var via = 0; via < size; via++)
            {
                converts[from] += fundamental[from, via] * conversion[via];
            }
        }

        var effects = new double[groups.Count];
        for (var index = 0; index < groups.Count; index++)
        {
            var state = index + 1;
            var effect = fundamental[0, state] / fundamental[state, state] * converts[state] / converts[0];
            effects[index] = Math.Clamp(effect, 0, 1);
        }

        var shares = AttributionModels.Normalised(effects.Select(effect => (decimal)effect).ToArray());
        return groups.Select((group, index) => new MarkovShare(group, shares[index], effects[index])).ToArray();
    }

    /// <summary>Gauss-Jordan with partial pivoting. The matrix is I − Q of an absorbing chain, so it has an inverse.</summary>
    private static double[,] Inverse(double[,] matrix)
    {
        var size = matrix.GetLength(0);
        var inverse = new double[size, size];
        for (var index = 0; index < size; index++)
        {
            inverse[index, index] = 1;
        }

        for (var column = 0; column < size; column++)
        {
            var pivot = column;
            for (var row = column + 1; row < size; row++)
            {
                pivot = Math.Abs(matrix[row, column]) > Math.Abs(matrix[pivot, column]) ? row : pivot;
            }

            SwapRows(matrix, pivot, column);
            SwapRows(inverse, pivot, column);
            var head = matrix[column, column];
            for (var index = 0; index < size; index++)
            {
                matrix[column, index] /= head;
                inverse[column, index] /= head;
            }

            for (var row = 0; row < size; row++)
            {
                var factor = matrix[row, column];
                if (row == column || factor == 0)
                {
                    continue;
                }

                for (var index = 0; index < size; index++)
                {
                    matrix[row, index] -= factor * matrix[column, index];
                    inverse[row, index] -= factor * inverse[column, index];
                }
            }
        }

        return inverse;
    }

    private static void SwapRows(double[,] matrix, int first, int second)
    {
        for (var index = 0; first != second && index < matrix.GetLength(1); index++)
        {
            (matrix[first, index], matrix[second, index]) = (matrix[second, index], matrix[first, index]);
        }
    }
}
