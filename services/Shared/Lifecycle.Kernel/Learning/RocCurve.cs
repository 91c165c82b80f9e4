namespace Lifecycle.Kernel.Learning;

/// <summary>Area under the ROC curve: how often a positive case ranks above a negative one, ties counting half.</summary>
/// <param name="Area">0 to 1; 0.5 is chance.</param>
/// <param name="Low">Lower end of the 95 % confidence interval.</param>
/// <param name="High">Upper end.</param>
public sealed record RocCurve(double Area, double Low, double High)
{
    private const double Normal95 = 1.959963984540054;

    /// <summary>
    /// The area by mid-ranks, its interval by DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988): variance = variance of the positive
    /// cases' placements / their number + the same for the negative ones.
    /// </summary>
    /// <param name="scores">Any increasing measure of the chance to be positive.</param>
    /// <param name="won">What came of each; both kinds are there.</param>
    public static RocCurve Of(IReadOnlyList<double> scores, IReadOnlyList<bool> won)
    {
        var all = MidRanks(scores);
        var (winners, losers) = (Positions(won, true), Positions(won, false));
        // Share of negative cases below each positive one, and of positive ones above each negative one.
        var ofWon = Placements(all, winners, scores, losers.Length);
        var ofLost = Placements(all, losers, scores, winners.Length).Select(share => 1 - share).ToArray();
        var area = ofWon.Average();
        var error = Math.Sqrt((Variance(ofWon) / ofWon.Length) + (Variance(ofLost) / ofLost.Length));
        return new(area, Math.Max(0, area - (Normal95 * error)), Math.Min(1, area + (Normal95 * error)));
    }

    private static int[] Positions(IReadOnlyList<bool> won, bool kind) =>
        Enumerable.Range(0, won.Count).Where(index => won[index] == kind).ToArray();

    private static double[] Placements(double[] all, int[] own, IReadOnlyList<double> scores, int others)
    {
        var within = MidRanks(own.Select(index => scores[index]).ToArray());
        return own.Select((index, position) => (all[index] - within[position]) / others).ToArray();
    }

    private static double Variance(double[] values)
    {
        var mean = values.Average();
        return values.Length > 1 ? values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1) : 0;
    }

    /// <summary>Ranks from 1; equal scores share the mean of theirs.</summary>
    private static double[] MidRanks(IReadOnlyList<double> scores)
    {
        var order = Enumerable.Range(0, scores.Count).ToArray();
        Array.Sort(order, (left, right) => scores[left].CompareTo(scores[right]));
        var ranks = new double[scores.Count];
        for (var start = 0; start < order.Length;)
        {
            var end = start;
            while (end < order.Length && scores[order[end]] == scores[order[start]])
            {
                end++;
            }

            for (var index = start; index < end; index++)
            {
                ranks[order[index]] = (start + end + 1) / 2.0;
            }

            start = end;
        }

        return ranks;
    }
}
