namespace Lifecycle.Capture.Domain.Visits;

/// <summary>An activity with the person and the session found for it.</summary>
/// <param name="Activity">The activity.</param>
/// <param name="Lead">Whose it is.</param>
/// <param name="Session">Position in <see cref="VisitTimeline.Sessions"/>; null outside any.</param>
public sealed record PlacedActivity(VisitActivity Activity, Guid? Lead, int? Session);

/// <summary>A visitor's activities cut into sessions, each activity given to the person who did it.</summary>
/// <param name="Sessions">In order of time.</param>
/// <param name="Activities">In order of time.</param>
public sealed record VisitTimeline(IReadOnlyList<VisitSession> Sessions, IReadOnlyList<PlacedActivity> Activities)
{
    /// <summary>30 minutes, as the definitions say.</summary>
    public static readonly TimeSpan Inactivity = TimeSpan.FromMinutes(30);

    /// <summary>
    /// Places activities. The result depends on their set alone, not on their order of arrival: on one device an activity belongs to the
    /// person who was last named at or before it, and what came before the first naming belongs to that first person, so two people who
    /// share a device stay two. A session ends by <see cref="Inactivity"/>, by a new campaign, or when another person takes over.
    /// </summary>
    /// <param name="activities">Activities of one visitor, in any order.</param>
    /// <param name="before">Session to go on from, when the activities are all later than its end; null at the beginning.</param>
    /// <param name="leadBefore">Person named last before these activities.</param>
    public static VisitTimeline Build(IEnumerable<VisitActivity> activities, VisitSession? before = null, Guid? leadBefore = null)
    {
        var ordered = activities.Order(VisitActivity.Order).ToArray();
        var lead = leadBefore ?? ordered.FirstOrDefault(activity => activity.Lead is not null)?.Lead;
        var sessions = new List<VisitSession>();
        if (before is not null)
        {
            sessions.Add(before);
        }

        var placed = new List<PlacedActivity>(ordered.Length);
        foreach (var activity in ordered)
        {
            lead = activity.Lead ?? lead;
            if (sessions.Count > 0 && sessions[^1].Continues(activity, lead, Inactivity))
            {
                sessions[^1] = sessions[^1].With(activity);
            }
            else if (activity.Opens)
            {
                sessions.Add(VisitSession.Begin(activity, lead));
            }
            else
            {
                placed.Add(new(activity, lead, null));
                continue;
            }

            placed.Add(new(activity, lead, sessions.Count - 1));
        }

        return new(sessions, placed);
    }

    /// <summary>The person to whom the visitor's next activity belongs when it names none.</summary>
    public Guid? LastLead => Activities.Count > 0 ? Activities[^1].Lead : null;
}
