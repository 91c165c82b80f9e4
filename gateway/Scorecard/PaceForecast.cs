namespace Lifecycle.Gateway.Scorecard;

/// <summary>Where a running period will probably end.</summary>
/// <param name="Value">Expected value of the whole period.</param>
/// <param name="Low">One in ten such periods ends below.</param>
/// <param name="High">One in ten ends above.</param>
/// <param name="Probability">Chance to meet the target, 0 to 1.</param>
public sealed record Forecast(double Value, double Low, double High, double Probability);

/// <summary>Forecasts a period from what it has so far and the pace of the weeks before. Pure.</summary>
/// <remarks>
/// The pace of a weekday w is the mean of its days, drawn towards the mean m of all days by three days' worth: λ(w) = (Σ y + 3 m) / (n(w) +
/// 3). Days vary more than Poisson's law has it: Var(y) = φ λ, with φ from Pearson's statistic, Σ (y − λ)² / λ / (n − 1), for counts at
/// least 1 (McCullagh and Nelder, "Generalized Linear Models", 4.5 and 6.2). What is left of the period is a sum with mean μ = Σ λ and
/// variance φ (μ + Σ over weekdays k² λ / (n(w) + 3)), k days of that weekday left: the second part is what the pace itself is not known
/// by. Counts are spread as a negative binomial, amounts as a gamma (<see cref="Spread"/>).
/// </remarks>
public static class PaceForecast
{
    /// <summary>Days of history looked at: whole weeks.</summary>
    public const int HistoryDays = 56;

    /// <summary>Fewest days of history to forecast from, counted from the first on which something happened.</summary>
    public const int LeastDays = 14;

    private const double Pull = 3;

    /// <param name="history">Values of the days before today, oldest first, at most <see cref="HistoryDays"/> of them looked at.</param>
    /// <param name="soFar">Value of the period until now.</param>
    /// <param name="today">The day that runs.</param>
    /// <param name="todayLeft">Share of it that is left, 0 to 1.</param>
    /// <param name="daysLeft">Whole days after it.</param>
    /// <param name="isCount">Whole numbers only.</param>
    /// <param name="target">What the period is to reach.</param>
    /// <param name="isAtMost">Less is better.</param>
    /// <returns>Null where there is too little history.</returns>
    public static Forecast? Of(
        IReadOnlyList<double> history, double soFar, DateOnly today, double todayLeft, int daysLeft, bool isCount,
        double target, bool isAtMost)
    {
        var days = history.Skip(Math.Max(history.Count - HistoryDays, 0)).Select((value, index) => (Value: value, Day: index)).ToArray();
        var first = today.AddDays(-days.Length);
        days = days.SkipWhile(day => day.Value == 0).ToArray();
        if (days.Length < LeastDays)
        {
            return null;
        }

        var (sums, seen, left) = (new double[7], new double[7], new double[7]);
        foreach (var (value, day) in days)
        {
            sums[(int)first.AddDays(day).DayOfWeek] += value;
            seen[(int)first.AddDays(day).DayOfWeek]++;
        }

        left[(int)today.DayOfWeek] += todayLeft;
        for (var day = 1; day <= daysLeft; day++)
        {
            left[(int)today.AddDays(day).DayOfWeek]++;
        }

        var mean = days.Average(day => day.Value);
        var pace = Enumerable.Range(0, 7).Select(weekday => (sums[weekday] + (Pull * mean)) / (seen[weekday] + Pull)).ToArray();
        var scatter = days.Sum(day => Deviation(day.Value, pace[(int)first.AddDays(day.Day).DayOfWeek])) / (days.Length - 1);
        scatter = isCount ? Math.Max(scatter, 1) : scatter;
        var rest = Enumerable.Range(0, 7).Sum(weekday => left[weekday] * pace[weekday]);
        var unknown = Enumerable.Range(0, 7).Sum(weekday => left[weekday] * left[weekday] * pace[weekday] / (seen[weekday] + Pull));
        var spread = new Spread(rest, scatter * (rest + unknown), isCount);
        return new Forecast(
            soFar + rest, soFar + spread.Quantile(0.1), soFar + spread.Quantile(0.9),
            isAtMost ? spread.AtMost(target - soFar) : spread.AtLeast(target - soFar));
    }

    private static double Deviation(double value, double pace) => pace <= 0 ? 0 : (value - pace) * (value - pace) / pace;
}
