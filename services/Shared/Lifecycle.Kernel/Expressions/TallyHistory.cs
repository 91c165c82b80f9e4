namespace Lifecycle.Kernel.Expressions;

/// <summary>Something a subject did, or that was done to it, and that counts may count.</summary>
public interface ITallied
{
    /// <summary>When.</summary>
    DateTimeOffset Time { get; }

    /// <summary>Visit it belongs to; null outside one.</summary>
    Guid? SessionId { get; }

    /// <summary>Whether the subject did it. What was done to the subject, such as a mail sent, ends no inactivity.</summary>
    bool IsOwn => true;
}

/// <summary>
/// Activities of one subject, ready to be counted at any instant. Each count is a search in an ordered list, however long the history.
/// </summary>
/// <param name="ordered">Activities by time.</param>
/// <param name="knownSince">Since when the subject is known; null: it is not.</param>
/// <param name="fits">Whether an activity is one of those that a tally of <see cref="TallyKind.Count"/> counts.</param>
public sealed class TallyHistory<TActivity>(
    IReadOnlyList<TActivity> ordered, DateTimeOffset? knownSince, Func<Tally, TActivity, bool> fits)
    where TActivity : ITallied
{
    private readonly Dictionary<Tally, DateTimeOffset[]> times = [];
    private DateTimeOffset[]? own;

    private DateTimeOffset[] Own => own ??= ordered.Where(activity => activity.IsOwn).Select(activity => activity.Time).ToArray();

    /// <summary>The tally's number at an instant, of what happened in (now − span, now].</summary>
    public int Count(Tally tally, DateTimeOffset now) => tally.Kind == TallyKind.Inactive
        ? knownSince is { } since && now - since >= tally.Span && InWindow(Own, now, tally.Span) == 0 ? 1 : 0
        : InWindow(Times(tally), now, tally.Span);

    /// <summary>Instants at which the tally's number may change if nothing else happens; in no order, some perhaps twice.</summary>
    public IEnumerable<DateTimeOffset> Changes(Tally tally)
    {
        var source = tally.Kind == TallyKind.Inactive && knownSince is { } since ? Own.Append(since) : Times(tally);
        foreach (var time in source)
        {
            yield return time;
            if (tally.Span is { } span)
            {
                yield return TallyTimes.Later(time, span);
            }
        }
    }

    private DateTimeOffset[] Times(Tally tally)
    {
        if (!times.TryGetValue(tally, out var found))
        {
            found = tally.Kind switch
            {
                TallyKind.Visits => ordered.Where(activity => activity.SessionId is not null).DistinctBy(activity => activity.SessionId)
                    .Select(activity => activity.Time).ToArray(),
                TallyKind.Count => ordered.Where(activity => fits(tally, activity)).Select(activity => activity.Time).ToArray(),
                _ => Own,
            };
            times.Add(tally, found);
        }

        return found;
    }

    private static int InWindow(DateTimeOffset[] times, DateTimeOffset now, TimeSpan? span) =>
        UpTo(times, now)
            - (span is { } window ? UpTo(times, now - DateTimeOffset.MinValue < window ? DateTimeOffset.MinValue : now - window) : 0);

    /// <summary>How many of the times are not after an instant.</summary>
    private static int UpTo(DateTimeOffset[] times, DateTimeOffset instant)
    {
        var (low, high) = (0, times.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = times[middle] <= instant ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

/// <summary>Instants of windows.</summary>
public static class TallyTimes
{
    /// <summary>The sum, or the end of time where that comes first.</summary>
    public static DateTimeOffset Later(DateTimeOffset time, TimeSpan span) =>
        DateTimeOffset.MaxValue - time < span ? DateTimeOffset.MaxValue : time + span;
}
