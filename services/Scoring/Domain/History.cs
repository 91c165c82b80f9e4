using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>What a lead did, ready to be counted at any instant. Each count is a search in an ordered list, however long the history.</summary>
public sealed class History
{
    private readonly IReadOnlyList<Activity> ordered;
    private readonly LeadProfile? profile;
    private readonly Dictionary<Tally, DateTimeOffset[]> times = [];
    private DateTimeOffset[]? all;

    /// <param name="ordered">Activities by time, then id.</param>
    /// <param name="profile">Null: nothing is known yet.</param>
    public History(IReadOnlyList<Activity> ordered, LeadProfile? profile) => (this.ordered, this.profile) = (ordered, profile);

    /// <summary>When the lead's history begins; null: there is none.</summary>
    public DateTimeOffset? Origin => (profile, ordered.Count) switch
    {
        (null, 0) => null,
        (null, _) => ordered[0].Time,
        (_, 0) => profile.CreateTime,
        _ => profile.CreateTime < ordered[0].Time ? profile.CreateTime : ordered[0].Time,
    };

    private DateTimeOffset[] All => all ??= ordered.Select(activity => activity.Time).ToArray();

    /// <summary>The tally's number at an instant, of what happened in (now − span, now].</summary>
    public int Count(Tally tally, DateTimeOffset now)
    {
        if (tally.Kind == TallyKind.Inactive)
        {
            return profile is not null && now - profile.CreateTime >= tally.Span && InWindow(All, now, tally.Span) == 0 ? 1 : 0;
        }

        return InWindow(Times(tally), now, tally.Span);
    }

    /// <summary>Instants at which the tally's number may change if nothing else happens; in no order, some perhaps twice.</summary>
    public IEnumerable<DateTimeOffset> Changes(Tally tally)
    {
        var source = tally.Kind == TallyKind.Inactive && profile is not null ? All.Append(profile.CreateTime) : Times(tally);
        foreach (var time in source)
        {
            yield return time;
            if (tally.Span is { } span)
            {
                yield return Later(time, span);
            }
        }
    }

    /// <summary>The sum, or the end of time where that comes first.</summary>
    internal static DateTimeOffset Later(DateTimeOffset time, TimeSpan span) =>
        DateTimeOffset.MaxValue - time < span ? DateTimeOffset.MaxValue : time + span;

    private DateTimeOffset[] Times(Tally tally)
    {
        if (!times.TryGetValue(tally, out var found))
        {
            found = tally.Kind switch
            {
                TallyKind.Visits => ordered.Where(activity => activity.SessionId is not null).DistinctBy(activity => activity.SessionId)
                    .Select(activity => activity.Time).ToArray(),
                TallyKind.Count => ordered.Where(activity => Fits(tally, activity)).Select(activity => activity.Time).ToArray(),
                _ => All,
            };
            times.Add(tally, found);
        }

        return found;
    }

    private bool Fits(Tally tally, Activity activity) =>
        tally.Condition?.Holds(new ActivitySource(activity, profile, null), activity.Time) ?? true;

    private static int InWindow(DateTimeOffset[] times, DateTimeOffset now, TimeSpan? span) =>
        UpTo(times, now) - (span is { } window ? UpTo(times, now - DateTimeOffset.MinValue < window ? DateTimeOffset.MinValue : now - window) : 0);

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

/// <summary>An activity and the profile of who did it, for conditions over both.</summary>
/// <param name="activity">The activity.</param>
/// <param name="profile">Null: nothing is known yet.</param>
/// <param name="history">What is counted; null: nothing.</param>
public sealed class ActivitySource(Activity activity, LeadProfile? profile, History? history = null) : IHistorySource
{
    public FieldValue Get(Field field) =>
        ScoringFields.IsOfActivity(field) ? activity.Get(field) : profile?.Get(field) ?? FieldValue.Missing;

    public int Count(Tally tally, DateTimeOffset now) => history?.Count(tally, now) ?? 0;
}

/// <summary>A lead at any instant: its profile as it is now, and what it had done by then.</summary>
public sealed class LeadSource(LeadProfile? profile, History history) : IHistorySource
{
    public FieldValue Get(Field field) => profile?.Get(field) ?? FieldValue.Missing;

    public int Count(Tally tally, DateTimeOffset now) => history.Count(tally, now);
}
