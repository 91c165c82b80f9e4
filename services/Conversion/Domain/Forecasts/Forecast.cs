namespace Lifecycle.Conversion.Domain.Forecasts;

/// <summary>How the deals that were in a stage ended, and the chance that the pipeline states for it.</summary>
/// <param name="Stated">Chance, 0 to 1.</param>
/// <param name="Won">Deals won.</param>
/// <param name="Lost">Deals lost.</param>
public sealed record StageRecord(double Stated, long Won, long Lost)
{
    /// <summary>The stated chance counts as much as this many closed deals: with few deals it leads, with many the deals do.</summary>
    public const double PriorDeals = 10;

    private double Weight => Won + Lost + PriorDeals;

    /// <summary>Mean of the Beta posterior with the prior Beta(10 p, 10 (1 − p)): (won + 10 p) / (won + lost + 10).</summary>
    public double Expected => (Won + (PriorDeals * Stated)) / Weight;

    /// <summary>Variance of the same: p (1 − p) / (n + 1), n being the posterior's weight.</summary>
    public double Uncertainty => Expected * (1 - Expected) / (Weight + 1);
}

/// <summary>An open deal.</summary>
/// <param name="Stage">Index into the records of stages.</param>
public readonly record struct OpenDeal(int Stage, decimal Amount);

/// <summary>What a set of open deals will bring.</summary>
/// <param name="Amount">Worth together.</param>
/// <param name="Weighted">By the stated chances.</param>
/// <param name="Expected">By the chances learnt.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end.</param>
public sealed record ForecastSum(long Count, decimal Amount, decimal Weighted, decimal Expected, decimal Low, decimal High);

/// <summary>Forecasts of open deals.</summary>
public static class Forecast
{
    /// <summary>
    /// The sum over deals i of worth a(i), won with the chance p of its stage. Deals are won or lost independently, given the chances of
    /// their stages, and these are known only as well as history tells. So the variance is
    /// Σ a(i)² (p (1 − p) − v) + Σ over stages (Σ a(i))² v, v being the uncertainty of the stage's chance (the law of total variance; the
    /// mean over the posterior of p (1 − p) is p (1 − p) − v). The interval is mean ± z √variance, cut to 0 and the worth together; for a
    /// single deal or two it is rough, for their true distribution is of a few points.
    /// </summary>
    /// <param name="level">Level of the interval, above 0 and below 1.</param>
    /// <param name="decimals">Decimals of the currency.</param>
    public static ForecastSum Sum(IEnumerable<OpenDeal> deals, IReadOnlyList<StageRecord> stages, double level, int decimals)
    {
        var byStage = new double[stages.Count];
        var (count, amount, weighted, expected, variance) = (0L, 0m, 0m, 0m, 0.0);
        foreach (var deal in deals)
        {
            var (stage, worth) = (stages[deal.Stage], (double)deal.Amount);
            count++;
            amount += deal.Amount;
            weighted += deal.Amount * (decimal)stage.Stated;
            expected += deal.Amount * (decimal)stage.Expected;
            variance += worth * worth * ((stage.Expected * (1 - stage.Expected)) - stage.Uncertainty);
            byStage[deal.Stage] += worth;
        }

        variance += byStage.Select((worth, stage) => worth * worth * stages[stage].Uncertainty).Sum();
        var spread = Round(Normal.Quantile((1 + level) / 2) * Math.Sqrt(Math.Max(variance, 0)), decimals);
        (weighted, expected) = (Math.Round(weighted, decimals), Math.Round(expected, decimals));
        return new(count, amount, weighted, expected, Math.Max(0, expected - spread), Math.Min(amount, expected + spread));
    }

    /// <summary>
    /// Wilson's score interval of a share: (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n) (Wilson, 1927). Null for n = 0.
    /// </summary>
    public static (double Low, double High)? Wilson(long successes, long trials, double level)
    {
        if (trials == 0)
        {
            return null;
        }

        var (n, z) = ((double)trials, Normal.Quantile((1 + level) / 2));
        var share = successes / n;
        var middle = share + (z * z / (2 * n));
        var half = z * Math.Sqrt((share * (1 - share) / n) + (z * z / (4 * n * n)));
        var scale = 1 + (z * z / n);
        return (Math.Max(0, (middle - half) / scale), Math.Min(1, (middle + half) / scale));
    }

    /// <summary>Far beyond any sum of deals the spread is as good as boundless; it is cut to the worth together afterwards.</summary>
    private static decimal Round(double value, int decimals) => Math.Round((decimal)Math.Min(value, 1e24), decimals);
}

/// <summary>The standard normal distribution.</summary>
public static class Normal
{
    /// <summary>
    /// Quantile by bisection of the distribution function, exact to 1e-9. Slow as such things go, and called a few times a report.
    /// </summary>
    /// <param name="probability">Above 0 and below 1.</param>
    public static double Quantile(double probability)
    {
        var (low, high) = (-10.0, 10.0);
        while (high - low > 1e-10)
        {
            var middle = (low + high) / 2;
            (low, high) = Below(middle) < probability ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    /// <summary>
    /// Distribution function by the series 1/2 + φ(x) Σ x^(2k+1) / (1·3·5…(2k+1)) (Marsaglia, 2004), which converges everywhere.
    /// </summary>
    public static double Below(double x)
    {
        if (Math.Abs(x) > 8)
        {
            return x < 0 ? 0 : 1;
        }

        var (sum, term) = (x, x);
        for (var k = 1; Math.Abs(term) > 1e-17; k++)
        {
            term *= x * x / ((2 * k) + 1);
            sum += term;
        }

        return 0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
    }
}
