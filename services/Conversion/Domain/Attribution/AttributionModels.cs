namespace Lifecycle.Conversion.Domain.Attribution;

/// <summary>How credit is shared; see the members of the proto enum of the same name.</summary>
public enum AttributionKind
{
    FirstTouch = 1,
    LastTouch = 2,
    LastNonDirect = 3,
    Linear = 4,
    TimeDecay = 5,
    PositionBased = 6,
    WShaped = 7,
    FullPath = 8,
    Markov = 9,
    Shapley = 10,
}

/// <summary>What a touch brought about.</summary>
[Flags]
public enum Milestones
{
    None = 0,
    LeadCreated = 1,
    OpportunityCreated = 2,
    Closed = 4,
}

/// <summary>One touch of a path.</summary>
/// <param name="Group">What is credited: a channel, a campaign…</param>
/// <param name="IsDirect">Its channel is Direct.</param>
/// <param name="Time">When; time decay needs it.</param>
/// <param name="Marks">What it brought about.</param>
public sealed record PathTouch(string Group, bool IsDirect, DateTimeOffset? Time = null, Milestones Marks = Milestones.None);

/// <summary>A path and what came of it.</summary>
/// <param name="Touches">Oldest first, at least one.</param>
/// <param name="Conversions">Times it ended in a conversion.</param>
/// <param name="Nulls">Times it ended without one.</param>
/// <param name="Value">Worth of all its conversions together.</param>
public sealed record TouchPath(IReadOnlyList<PathTouch> Touches, long Conversions, long Nulls, decimal Value);

/// <summary>The share of one group in one path.</summary>
public readonly record struct Share(string Group, decimal Weight);

/// <summary>The models that look at one path by itself.</summary>
public static class AttributionModels
{
    /// <summary>Half-life of time decay where none is given.</summary>
    public const double DefaultHalfLifeDays = 7;

    private const int Few = 16;

    /// <summary>
    /// Weight of each touch, in the order of the touches; they sum to exactly 1. Not for <see cref="AttributionKind.Markov"/>, which needs
    /// all paths at once, nor for <see cref="AttributionKind.Shapley"/>, which credits groups, not touches: see <see cref="Shares"/>.
    /// </summary>
    public static IReadOnlyList<decimal> Weights(
        AttributionKind kind, IReadOnlyList<PathTouch> touches, double halfLifeDays = DefaultHalfLifeDays)
    {
        ArgumentOutOfRangeException.ThrowIfZero(touches.Count);
        var raw = new decimal[touches.Count];
        switch (kind)
        {
            case AttributionKind.FirstTouch:
                raw[0] = 1;
                break;
            case AttributionKind.LastTouch:
                raw[^1] = 1;
                break;
            case AttributionKind.LastNonDirect:
                raw[LastNonDirect(touches)] = 1;
                break;
            case AttributionKind.Linear:
                Array.Fill(raw, 1m);
                break;
            case AttributionKind.TimeDecay:
                Decay(touches, halfLifeDays, raw);
                break;
            case AttributionKind.PositionBased:
                Position(raw);
                break;
            case AttributionKind.WShaped:
                Milestone(touches, raw, 30m, Milestones.LeadCreated, Milestones.OpportunityCreated);
                break;
            case AttributionKind.FullPath:
                Milestone(touches, raw, 22.5m, Milestones.LeadCreated, Milestones.OpportunityCreated, Milestones.Closed);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "The model does not weigh the touches of one path.");
        }

        return Normalised(raw);
    }

    /// <summary>Share of each distinct group of a path, in order of first appearance; they sum to exactly 1.</summary>
    public static IReadOnlyList<Share> Shares(
        AttributionKind kind, IReadOnlyList<PathTouch> touches, double halfLifeDays = DefaultHalfLifeDays)
    {
        if (touches.Count == 1)
        {
            return [new Share(touches[0].Group, 1)];
        }

        var weights = kind == AttributionKind.Shapley ? null : Weights(kind, touches, halfLifeDays);
        var (groups, totals) = (new List<string>(touches.Count), new decimal[touches.Count]);
        var places = touches.Count > Few ? new Dictionary<string, int>(StringComparer.Ordinal) : null;
        for (var index = 0; index < touches.Count; index++)
        {
            totals[Place(touches[index].Group)] += weights?[index] ?? 0;
        }

        var even = weights is null ? Normalised(Enumerable.Repeat(1m, groups.Count).ToArray()) : totals;
        var shares = new Share[groups.Count];
        for (var index = 0; index < shares.Length; index++)
        {
            shares[index] = new Share(groups[index], even[index]);
        }

        return shares;

        // In a short path looking through the groups is faster than hashing them.
        int Place(string group)
        {
            var place = places is null ? groups.IndexOf(group) : places.GetValueOrDefault(group, -1);
            if (place < 0)
            {
                place = groups.Count;
                groups.Add(group);
                places?.Add(group, place);
            }

            return place;
        }
    }

    /// <summary>Scales weights (≥ 0, not all 0) to sum to exactly 1; what division leaves over goes to the largest.</summary>
    public static decimal[] Normalised(IReadOnlyList<decimal> raw)
    {
        var (total, sum, largest) = (0m, 0m, 0);
        for (var index = 0; index < raw.Count; index++)
        {
            total += raw[index];
        }

        var scaled = new decimal[raw.Count];
        for (var index = 0; index < scaled.Length; index++)
        {
            scaled[index] = raw[index] / total;
            sum += scaled[index];
            largest = scaled[index] > scaled[largest] ? index : largest;
        }

        scaled[largest] += 1m - sum;
        return scaled;
    }

    private static int LastNonDirect(IReadOnlyList<PathTouch> touches)
    {
        for (var index = touches.Count - 1; index >= 0; index--)
        {
            if (!touches[index].IsDirect)
            {
                return index;
            }
        }

        return touches.Count - 1;
    }

    /// <summary>2^(−days / half-life). Days count back from the newest touch: the moment counted from cancels out in normalising.</summary>
    private static void Decay(IReadOnlyList<PathTouch> touches, double halfLifeDays, decimal[] raw)
    {
        var newest = touches.Max(touch => touch.Time) ?? throw new ArgumentException(
            "Time decay needs the time of every touch.", nameof(touches));
        for (var index = 0; index < raw.Length; index++)
        {
            var time = touches[index].Time ?? throw new ArgumentException("Time decay needs the time of every touch.", nameof(touches));
            raw[index] = (decimal)Math.Pow(2, -(newest - time).TotalDays / halfLifeDays);
        }
    }

    private static void Position(decimal[] raw)
    {
        if (raw.Length <= 2)
        {
            Array.Fill(raw, 1m);
            return;
        }

        Array.Fill(raw, 20m / (raw.Length - 2));
        raw[0] = raw[^1] = 40m;
    }

    /// <summary>
    /// The first touch and each milestone take <paramref name="weight"/>, a milestone with several touches evenly among them; 10 go evenly
    /// to the touches without any. The last touch is the closing one unless another is marked.
    /// </summary>
    private static void Milestone(IReadOnlyList<PathTouch> touches, decimal[] raw, decimal weight, params ReadOnlySpan<Milestones> marks)
    {
        var holds = new bool[raw.Length];
        raw[0] = weight;
        holds[0] = true;
        foreach (var mark in marks)
        {
            var holders = Enumerable.Range(0, raw.Length).Where(index => touches[index].Marks.HasFlag(mark)).ToArray();
            if (holders.Length == 0 && mark == Milestones.Closed)
            {
                holders = [raw.Length - 1];
            }

            foreach (var index in holders)
            {
                raw[index] += weight / holders.Length;
                holds[index] = true;
            }
        }

        var rest = holds.Count(held => !held);
        for (var index = 0; index < raw.Length; index++)
        {
            raw[index] += holds[index] ? 0 : 10m / rest;
        }
    }
}
