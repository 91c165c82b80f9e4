namespace Lifecycle.Scoring.Domain;

/// <summary>Sums contributions in order of time.</summary>
internal sealed class ScoreAccumulator
{
    private readonly decimal[] constants = new decimal[4];
    private readonly List<Decaying> decaying = [];

    /// <summary>Adds points; times never go back.</summary>
    public void Add(Category category, TimeSpan? halfLife, decimal points, DateTimeOffset time)
    {
        if (halfLife is not { } span)
        {
            constants[(int)category] += points;
            return;
        }

        var seconds = span.TotalSeconds;
        var bucket = decaying.Find(existing => existing.Category == category && existing.HalfLifeSeconds == seconds);
        if (bucket is null)
        {
            decaying.Add(bucket = new(category, seconds) { At = time });
        }

        bucket.Points = bucket.ValueAt(time) + (double)points;
        bucket.At = time;
    }

    public double ValueAt(Category category, DateTimeOffset time)
    {
        var value = (double)constants[(int)category];
        foreach (var bucket in decaying)
        {
            value += bucket.Category == category ? bucket.ValueAt(time) : 0;
        }

        return value;
    }

    /// <summary>The sums at an instant not before the last contribution.</summary>
    public ScoreState StateAt(DateTimeOffset time) =>
        new(time, Part(Category.Fit, time), Part(Category.Behavior, time), Part(Category.Bant, time));

    private CategoryState Part(Category category, DateTimeOffset time) => new(
        constants[(int)category],
        decaying.Where(bucket => bucket.Category == category).OrderBy(bucket => bucket.HalfLifeSeconds)
            .Select(bucket => new Bucket(bucket.HalfLifeSeconds, bucket.ValueAt(time))).ToArray());

    private sealed class Decaying(Category category, double halfLifeSeconds)
    {
        public Category Category => category;

        public double HalfLifeSeconds => halfLifeSeconds;

        public double Points { get; set; }

        public DateTimeOffset At { get; set; }

        public double ValueAt(DateTimeOffset time) => Points * Decay.Factor(time - At, halfLifeSeconds);
    }
}
