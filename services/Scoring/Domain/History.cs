using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>What a lead did, ready to be counted at any instant.</summary>
public sealed class History
{
    private readonly IReadOnlyList<Activity> ordered;
    private readonly LeadProfile? profile;
    private TallyHistory<Activity>? counts;

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

    private TallyHistory<Activity> Counts => counts ??= new(ordered, profile?.CreateTime, Fits);

    /// <summary>The tally's number at an instant, of what happened in (now − span, now].</summary>
    public int Count(Tally tally, DateTimeOffset now) => Counts.Count(tally, now);

    /// <summary>Instants at which the tally's number may change if nothing else happens; in no order, some perhaps twice.</summary>
    public IEnumerable<DateTimeOffset> Changes(Tally tally) => Counts.Changes(tally);

    private bool Fits(Tally tally, Activity activity) =>
        tally.Condition?.Holds(new ActivitySource(activity, profile, null), activity.Time) ?? true;
}

/// <summary>An activity and the profile of who did it, for conditions over both. One serves a whole history, an activity after
/// another.</summary>
/// <param name="activity">The activity.</param>
/// <param name="profile">Null: nothing is known yet.</param>
/// <param name="history">What is counted; null: nothing.</param>
public sealed class ActivitySource(Activity activity, LeadProfile? profile, History? history = null) : IHistorySource
{
    private Activity current = activity;
    private (Guid Id, string Text)? session;

    /// <summary>The activity that is asked of.</summary>
    public Activity Activity
    {
        get => current;
        set => current = value;
    }

    /// <summary>Id of the activity's visit; null outside one. Those of one visit follow each other: it is written once.</summary>
    public string? Session
    {
        get
        {
            if (current.SessionId is not { } id)
            {
                return null;
            }

            if (session?.Id != id)
            {
                session = (id, id.ToString());
            }

            return session!.Value.Text;
        }
    }

    public FieldValue Get(Field field) =>
        field.Name == "activity.sessionId" ? FieldValue.Of(Session)
        : ScoringFields.IsOfActivity(field) ? current.Get(field) : profile?.Get(field) ?? FieldValue.Missing;

    public int Count(Tally tally, DateTimeOffset now) => history?.Count(tally, now) ?? 0;
}

/// <summary>A lead at any instant: its profile as it is now, and what it had done by then.</summary>
public sealed class LeadSource(LeadProfile? profile, History history) : IHistorySource
{
    public FieldValue Get(Field field) => profile?.Get(field) ?? FieldValue.Missing;

    public int Count(Tally tally, DateTimeOffset now) => history.Count(tally, now);
}
