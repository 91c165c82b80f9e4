using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Nurture.Domain.Segments;

/// <summary>A lead as segments see it: what is known of it, what it did, and the segments that it is in.</summary>
public sealed class SegmentSubject : IHistorySource, ISegmentSource
{
    private readonly LeadFacts facts;
    private readonly TallyHistory<LeadActivity> history;
    private readonly ISet<Guid> members;

    /// <param name="facts">What is known of the lead.</param>
    /// <param name="activities">What is counted, by time.</param>
    /// <param name="members">Segments that it is in; judging changes them.</param>
    public SegmentSubject(LeadFacts facts, IReadOnlyList<LeadActivity> activities, ISet<Guid> members)
    {
        (this.facts, this.members) = (facts, members);
        history = new(activities, facts.CreateTime, (tally, activity) => Fits(facts, tally, activity));
    }

    public FieldValue Get(Field field) => facts.Get(field);

    public int Count(Tally tally, DateTimeOffset now) => history.Count(tally, now);

    public bool IsIn(Guid segment) => members.Contains(segment);

    /// <summary>
    /// Whether a count counts the activity. Mails that were sent or bounced are not the lead's doing: only a condition that reads
    /// <c>email.*</c> counts them.
    /// </summary>
    public static bool Fits(LeadFacts facts, Tally tally, LeadActivity activity) => tally.Kind switch
    {
        TallyKind.Visits => activity.SessionId is not null,
        TallyKind.Inactive => activity.IsOwn,
        _ => (activity.IsOwn || SegmentReads.Mail(tally)) && (tally.Condition?.Holds(new ActivityOf(activity, facts), activity.Time) ?? true),
    };

    /// <summary>
    /// The first instant after <paramref name="now"/> at which the condition may come to hold or cease to, if nothing else happens; null:
    /// never. Membership of other segments aside, whose changes are told as such.
    /// </summary>
    public DateTimeOffset? NextChange(Condition condition, DateTimeOffset now)
    {
        DateTimeOffset? next = null;
        foreach (var (field, span) in condition.Spans)
        {
            if (facts.Get(field).AsTime() is { } time)
            {
                Consider(time);
                Consider(TallyTimes.Later(time, span));
            }
        }

        foreach (var tally in condition.Tallies)
        {
            foreach (var time in history.Changes(tally))
            {
                Consider(time);
            }
        }

        return next;

        void Consider(DateTimeOffset time) => next = time > now && time < DateTimeOffset.MaxValue && (next is null || time < next) ? time : next;
    }

    private sealed class ActivityOf(LeadActivity activity, LeadFacts facts) : IFieldSource
    {
        public FieldValue Get(Field field) => SegmentReads.IsOfActivity(field) ? activity.Get(field) : facts.Get(field);
    }
}

/// <summary>What conditions read.</summary>
internal static class SegmentReads
{
    public static bool IsOfActivity(Field field) =>
        field.Name.StartsWith("activity.", StringComparison.Ordinal) || field.Name.StartsWith("email.", StringComparison.Ordinal);

    /// <summary>Whether the tally counts mails.</summary>
    public static bool Mail(Tally tally) =>
        tally.Condition is { } condition && condition.Fields.Any(field => field.Name.StartsWith("email.", StringComparison.Ordinal));

    /// <summary>Whether time alone can change the condition.</summary>
    public static bool IsTimed(Condition condition) => condition.Spans.Count > 0 || condition.Tallies.Any(tally => tally.Span is not null);
}
