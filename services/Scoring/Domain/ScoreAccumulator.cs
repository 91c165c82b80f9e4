namespace Lifecycle.Scoring.Domain;

/// <summary>Sums contributions in order of time, and takes out what has ended.</summary>
internal sealed class ScoreAccumulator
{
    private readonly decimal[] constants = new decimal[4];
    private readonly List<Decaying> decaying = [];
    // Most leads have nothing that ends.
    private PriorityQueue<(Contribution Contribution, Decaying? Bucket), DateTimeOffset>? ends;

    /// <summary>Whether points against the lead decay: then the total can rise by itself.</summary>
    public bool HasDecayingLoss => decaying.Exists(bucket => bucket.IsLoss);

    /// <summary>Adds points; times never go back. What ends later is taken out by <see cref="Advance"/>.</summary>
    public void Add(Contribution contribution)
    {
        Advance(contribution.Time);
        if (contribution.End <= contribution.Time)
        {
            constants[(int)contribution.Category] += contribution.Floor;
            return;
        }

        Decaying? bucket = null;
        if (contribution.HalfLife is { } span)
        {
            constants[(int)contribution.Category] += contribution.Floor;
            bucket = Bucket(contribution.Category, span.TotalSeconds, contribution.Time);
            bucket.Add((double)(contribution.Points - contribution.Floor), contribution.Time);
        }
        else
        {
            constants[(int)contribution.Category] += contribution.Points;
        }

        if (contribution.End is { } end)
        {
            (ends ??= new()).Enqueue((contribution, bucket), end);
        }
    }

    /// <summary>Takes out what has ended by then.</summary>
    public void Advance(DateTimeOffset time)
    {
        while (ends is not null && ends.TryPeek(out var ended, out var end) && end <= time)
        {
            ends.Dequeue();
            var (contribution, bucket) = ended;
            if (bucket is null)
            {
                constants[(int)contribution.Category] -= contribution.Points - contribution.Floor;
            }
            else
            {
                bucket.Remove(
                    (double)(contribution.Points - contribution.Floor)
                        * Decay.Factor(end - contribution.Time, contribution.HalfLife!.Value.TotalSeconds),
                    end);
            }
        }
    }

    public double ValueAt(Category category, DateTimeOffset time)
    {
        Advance(time);
        var value = (double)constants[(int)category];
        foreach (var bucket in decaying)
        {
            value += bucket.Category == category ? bucket.ValueAt(time) : 0;
        }

        return value;
    }

    /// <summary>All points at an instant not before the last contribution, as if nothing ended meanwhile.</summary>
    public double TotalAt(DateTimeOffset time)
    {
        var value = (double)(constants[(int)Category.Fit] + constants[(int)Category.Behavior] + constants[(int)Category.Bant]);
        foreach (var bucket in decaying)
        {
            value += bucket.ValueAt(time);
        }

        return value;
    }

    /// <summary>The sums at an instant not before the last contribution; they hold until the next end.</summary>
    public ScoreState StateAt(DateTimeOffset time)
    {
        Advance(time);
        return new(time, Part(Category.Fit, time), Part(Category.Behavior, time), Part(Category.Bant, time));
    }

    private Decaying Bucket(Category category, double seconds, DateTimeOffset time)
    {
        foreach (var existing in decaying)
        {
            if (existing.Category == category && existing.HalfLifeSeconds == seconds)
            {
                return existing;
            }
        }

        var bucket = new Decaying(category, seconds, time);
        decaying.Add(bucket);
        return bucket;
    }

    private CategoryState Part(Category category, DateTimeOffset time) => new(
        constants[(int)category],
        decaying.Where(bucket => bucket.Category == category && bucket.Members > 0).OrderBy(bucket => bucket.HalfLifeSeconds)
            .Select(bucket => new Bucket(bucket.HalfLifeSeconds, bucket.ValueAt(time))).ToArray());

    private sealed class Decaying(Category category, double halfLifeSeconds, DateTimeOffset at)
    {
        private double points;
        private DateTimeOffset since = at;

        public Category Category => category;

        public double HalfLifeSeconds => halfLifeSeconds;

        public bool IsLoss => points < 0;

        /// <summary>Contributions that have not ended. An empty bucket holds nothing, not even what rounding left.</summary>
        public int Members { get; private set; }

        public void Add(double worth, DateTimeOffset time)
        {
            (points, since) = (ValueAt(time) + worth, time);
            Members++;
        }

        public void Remove(double worth, DateTimeOffset time)
        {
            Members--;
            (points, since) = (Members == 0 ? 0 : ValueAt(time) - worth, time);
        }

        public double ValueAt(DateTimeOffset time) => points * Decay.Factor(time - since, halfLifeSeconds);
    }
}
