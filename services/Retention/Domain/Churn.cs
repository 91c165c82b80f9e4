namespace Lifecycle.Retention.Domain;

/// <summary>A span in which a customer was with us; <paramref name="End"/> is null while it lasts.</summary>
public readonly record struct Tenure(DateTimeOffset Start, DateTimeOffset? End)
{
    public bool Holds(DateTimeOffset instant) => Start <= instant && (End is null || End > instant);
}

/// <summary>Customers over one granule.</summary>
/// <param name="AtStart">With us at its first instant.</param>
/// <param name="Lost">Of these, lost within it.</param>
/// <param name="WonAndLost">Won and lost within it: told apart, not part of the rate.</param>
public readonly record struct ChurnCount(long AtStart, long Lost, long WonAndLost)
{
    /// <summary>Customers lost in the period / customers at its start; null when there were none.</summary>
    public double? Rate => AtStart == 0 ? null : (double)Lost / AtStart;

    /// <summary>Counts tenures over [from, to). A customer who left and came back within the granule counts as lost.</summary>
    public static ChurnCount Of(IEnumerable<Tenure> tenures, DateTimeOffset from, DateTimeOffset to)
    {
        var (atStart, lost, wonAndLost) = (0L, 0L, 0L);
        foreach (var tenure in tenures)
        {
            var ended = tenure.End is { } end && end >= from && end < to;
            if (tenure.Start < from && (tenure.End is null || tenure.End >= from))
            {
                atStart++;
                lost += ended ? 1 : 0;
            }
            else if (tenure.Start >= from && tenure.Start < to && ended)
            {
                wonAndLost++;
            }
        }

        return new(atStart, lost, wonAndLost);
    }
}
