namespace Lifecycle.Scoring.Domain;

/// <summary>A score in points with two decimals; the parts sum to the total exactly.</summary>
public sealed record ScorePoints(decimal Total, decimal Fit, decimal Behavior, decimal Bant)
{
    /// <summary>Rounds the total to cents, half away from zero, and the parts by largest remainder so that they sum to it.</summary>
    public static ScorePoints Round(double fit, double behavior, double bant)
    {
        var total = Cents(fit + behavior + bant);
        var parts = Split(total, [fit, behavior, bant]);
        return new(total, parts[0], parts[1], parts[2]);
    }

    public static decimal Cents(double points) => Math.Round((decimal)points, 2, MidpointRounding.AwayFromZero);

    /// <summary>
    /// Splits a total, in cents, over its unrounded parts: each part is rounded down, and what is left goes, a cent each, to the largest
    /// remainders (ties to the earlier part).
    /// </summary>
    /// <param name="total">Total with two decimals, within a cent per part of the parts' sum.</param>
    /// <param name="parts">The parts in points.</param>
    public static decimal[] Split(decimal total, IReadOnlyList<double> parts)
    {
        var exact = new decimal[parts.Count];
        var cents = new decimal[parts.Count];
        var sum = 0m;
        for (var index = 0; index < exact.Length; index++)
        {
            exact[index] = (decimal)parts[index] * 100;
            cents[index] = Math.Floor(exact[index]);
            sum += cents[index];
        }

        if (cents.Length > 0 && (long)((total * 100) - sum) is var left && left != 0)
        {
            var order = Enumerable.Range(0, cents.Length).OrderByDescending(index => exact[index] - Math.Floor(exact[index])).ToArray();
            for (var index = 0L; index < Math.Abs(left); index++)
            {
                cents[order[index % order.Length]] += Math.Sign(left);
            }
        }

        for (var index = 0; index < cents.Length; index++)
        {
            cents[index] /= 100;
        }

        return cents;
    }
}
