namespace Lifecycle.Gateway.Scorecard;

/// <summary>What a sum may come to: a distribution with a given mean and variance over 0 and more. Pure.</summary>
/// <remarks>
/// Counts: Poisson, or where the variance is greater a negative binomial (Var = μ + μ²/r). Amounts: gamma. The incomplete gamma function by
/// its series and its continued fraction (Abramowitz and Stegun, 6.5.29 and 6.5.31).
/// </remarks>
public sealed class Spread
{
    private const double Tiny = 1e-300;

    private readonly double mean;
    private readonly double variance;
    private readonly bool isCount;

    /// <param name="mean">At least 0.</param>
    /// <param name="variance">At least 0; of a count no less than the mean is taken.</param>
    /// <param name="isCount">Whole numbers only.</param>
    public Spread(double mean, double variance, bool isCount) =>
        (this.mean, this.variance, this.isCount) = (mean, isCount ? Math.Max(variance, mean) : variance, isCount);

    /// <summary>The chance that the sum is at most <paramref name="value"/>.</summary>
    public double AtMost(double value)
    {
        if (value < 0)
        {
            return 0;
        }

        if (mean <= 0 || variance <= 0)
        {
            return value >= mean ? 1 : 0;
        }

        if (isCount && FirstChance() is > Tiny and var first)
        {
            return Count(first, Math.Floor(value + 1e-9));
        }

        // Far from 0 a count is as good as continuous; half a step makes up for the rest.
        var at = isCount ? Math.Floor(value + 1e-9) + 0.5 : value;
        return LowerGamma(mean * mean / variance, at * mean / variance);
    }

    /// <summary>The chance that the sum is at least <paramref name="value"/>.</summary>
    public double AtLeast(double value) => value <= 0 ? 1
        : isCount ? 1 - AtMost(Math.Ceiling(value - 1e-9) - 1)
        : mean <= 0 || variance <= 0 ? (mean >= value ? 1 : 0) : 1 - AtMost(value);

    /// <summary>The least value with at least the chance <paramref name="share"/> at or below it.</summary>
    public double Quantile(double share)
    {
        if (mean <= 0 || variance <= 0)
        {
            return Math.Max(mean, 0);
        }

        var (low, high) = (0.0, mean + Math.Sqrt(variance));
        while (AtMost(high) < share)
        {
            high *= 2;
        }

        if (isCount && AtMost(0) >= share)
        {
            return 0;
        }

        for (var step = 0; step < 200 && high - low > (isCount ? 0.5 : high * 1e-9); step++)
        {
            var middle = (low + high) / 2;
            (low, high) = AtMost(middle) < share ? (middle, high) : (low, middle);
        }

        return isCount ? Math.Floor(high) : high;
    }

    /// <summary>ln Γ(x) by Stirling's series, shifted to where it is exact to double precision.</summary>
    public static double LogGamma(double x)
    {
        var shift = 0.0;
        while (x < 15)
        {
            shift -= Math.Log(x);
            x++;
        }

        var inverse = 1 / (x * x);
        var series = ((1 / 12.0) - (inverse * ((1 / 360.0) - (inverse * ((1 / 1260.0) - (inverse / 1680)))))) / x;
        return shift + ((x - 0.5) * Math.Log(x)) - x + (0.5 * Math.Log(2 * Math.PI)) + series;
    }

    private double FirstChance() => variance <= mean * (1 + 1e-9)
        ? Math.Exp(-mean)
        : Math.Exp(mean * mean / (variance - mean) * Math.Log(mean / variance));

    /// <summary>Adds up the chances from 0, each from the one before.</summary>
    private double Count(double first, double most)
    {
        var isPoisson = variance <= mean * (1 + 1e-9);
        var size = isPoisson ? 0 : mean * mean / (variance - mean);
        var (chance, sum) = (first, first);
        for (var count = 1.0; count <= most && sum < 1 - 1e-15; count++)
        {
            chance *= isPoisson ? mean / count : (count - 1 + size) / count * (1 - (mean / variance));
            sum += chance;
            if (count > mean && chance < 1e-18)
            {
                break;
            }
        }

        return Math.Min(sum, 1);
    }

    private static double LowerGamma(double shape, double x)
    {
        if (x <= 0)
        {
            return 0;
        }

        var scale = Math.Exp((shape * Math.Log(x)) - x - LogGamma(shape));
        if (x < shape + 1)
        {
            var (term, sum) = (1 / shape, 1 / shape);
            for (var step = 1; step < 10_000 && term > sum * 1e-16; step++)
            {
                term *= x / (shape + step);
                sum += term;
            }

            return Math.Min(sum * scale, 1);
        }

        // Lentz's way through the continued fraction of the upper part.
        var b = x + 1 - shape;
        var (c, d) = (1 / Tiny, 1 / b);
        var fraction = d;
        for (var step = 1; step < 10_000; step++)
        {
            var a = -step * (step - shape);
            b += 2;
            d = (a * d) + b;
            d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
            c = b + (a / c);
            c = Math.Abs(c) < Tiny ? Tiny : c;
            fraction *= d * c;
            if (Math.Abs((d * c) - 1) < 1e-15)
            {
                break;
            }
        }

        return Math.Clamp(1 - (scale * fraction), 0, 1);
    }
}
