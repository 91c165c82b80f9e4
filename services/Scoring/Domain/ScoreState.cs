namespace Lifecycle.Scoring.Domain;

/// <summary>Points that halve in a given time.</summary>
/// <param name="HalfLifeSeconds">Half-life.</param>
/// <param name="Points">What they are worth at the state's <see cref="ScoreState.At"/>.</param>
public sealed record Bucket(double HalfLifeSeconds, double Points);

/// <summary>One category's points.</summary>
/// <param name="Constant">Points that do not decay.</param>
/// <param name="Buckets">Decaying points, one bucket per half-life.</param>
public sealed record CategoryState(decimal Constant, IReadOnlyList<Bucket> Buckets)
{
    public static readonly CategoryState Zero = new(0, []);
}

/// <summary>
/// All that a lead's score at any later time needs: a few sums at one instant, which forward decay scales: points p given at t are worth
/// p · 2^(−(now − t) / halfLife). No job has to touch a score for it to decay.
/// </summary>
/// <param name="At">Instant of the sums: the last contribution's.</param>
public sealed record ScoreState(DateTimeOffset At, CategoryState Fit, CategoryState Behavior, CategoryState Bant)
{
    public static ScoreState Empty(DateTimeOffset at) => new(at, CategoryState.Zero, CategoryState.Zero, CategoryState.Zero);

    public CategoryState this[Category category] => category switch
    {
        Category.Fit => Fit,
        Category.Behavior => Behavior,
        _ => Bant,
    };

    /// <summary>Whether these are the same sums at the same instant.</summary>
    public bool IsSame(ScoreState other) =>
        At == other.At && IsSame(Fit, other.Fit) && IsSame(Behavior, other.Behavior) && IsSame(Bant, other.Bant);

    /// <summary>Points of a category, unrounded.</summary>
    public double ValueAt(Category category, DateTimeOffset time)
    {
        var state = this[category];
        var value = (double)state.Constant;
        foreach (var bucket in state.Buckets)
        {
            value += bucket.Points * Decay.Factor(time - At, bucket.HalfLifeSeconds);
        }

        return value;
    }

    /// <summary>All points, unrounded.</summary>
    public double TotalAt(DateTimeOffset time) =>
        ValueAt(Category.Fit, time) + ValueAt(Category.Behavior, time) + ValueAt(Category.Bant, time);

    /// <summary>The score in points with two decimals; the categories sum to the total exactly.</summary>
    public ScorePoints PointsAt(DateTimeOffset time) => ScorePoints.Round(
        ValueAt(Category.Fit, time), ValueAt(Category.Behavior, time), ValueAt(Category.Bant, time));

    /// <summary>
    /// The first instant, not before <see cref="At"/>, at which the total lies below the threshold while nothing else happens; null: never.
    /// With one half-life h, constant c and decaying points b it is At + h · log2(b / (threshold − c)), to the microsecond.
    /// </summary>
    public DateTimeOffset? FallsBelow(double threshold)
    {
        const double Never = 1e-9;
        if (TotalAt(At) < threshold)
        {
            return At;
        }

        var buckets = Fit.Buckets.Concat(Behavior.Buckets).Concat(Bant.Buckets)
            .GroupBy(bucket => bucket.HalfLifeSeconds, (halfLife, same) => new Bucket(halfLife, same.Sum(bucket => bucket.Points)))
            .Where(bucket => bucket.Points != 0).ToArray();
        var missing = threshold - (double)(Fit.Constant + Behavior.Constant + Bant.Constant);
        var positive = buckets.Where(bucket => bucket.Points > 0).ToArray();
        if (positive.Length == 0 || (missing <= Never && positive.Length == buckets.Length))
        {
            return null;
        }

        if (buckets.Length == 1)
        {
            return After(buckets[0].HalfLifeSeconds * Math.Log2(buckets[0].Points / missing));
        }

        // Several half-lives have no closed form: past the horizon the positive points alone no longer reach the threshold.
        var longest = buckets.Max(bucket => bucket.HalfLifeSeconds);
        var horizon = missing > Never ? longest * Math.Log2(Math.Max(2, positive.Sum(bucket => bucket.Points) / missing)) : 20 * longest;
        // Negative points that decay faster than positive ones can let the total dip and rise again: look at it step by step.
        var step = positive.Length == buckets.Length
            ? horizon
            : Math.Max(buckets.Min(bucket => bucket.HalfLifeSeconds) / 16, horizon / 10_000);
        for (var low = 0.0; low < horizon; low += step)
        {
            var high = low + step + 1e-6;
            if (Value(buckets, high) >= missing)
            {
                continue;
            }

            while (high - low > 1e-6)
            {
                var middle = (low + high) / 2;
                (low, high) = Value(buckets, middle) < missing ? (low, middle) : (middle, high);
            }

            return After(high);
        }

        return null;
    }

    private static bool IsSame(CategoryState left, CategoryState right) =>
        left.Constant == right.Constant && left.Buckets.SequenceEqual(right.Buckets);

    private DateTimeOffset After(double seconds)
    {
        var microseconds = Math.Floor(Math.Max(0, seconds) * 1e6) + 1;
        return microseconds < (DateTimeOffset.MaxValue - At).TotalMicroseconds
            ? At.AddTicks((long)microseconds * TimeSpan.TicksPerMicrosecond)
            : DateTimeOffset.MaxValue;
    }

    private static double Value(Bucket[] buckets, double seconds) =>
        buckets.Sum(bucket => bucket.Points * Math.Pow(2, -seconds / bucket.HalfLifeSeconds));
}

/// <summary>Exponential decay.</summary>
public static class Decay
{
    /// <summary>2^(−elapsed / halfLife).</summary>
    public static double Factor(TimeSpan elapsed, double halfLifeSeconds) =>
        elapsed == TimeSpan.Zero ? 1 : Math.Pow(2, -elapsed.TotalSeconds / halfLifeSeconds);
}
