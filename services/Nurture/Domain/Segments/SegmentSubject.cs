using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Programs;

namespace Lifecycle.Nurture.Domain.Segments;

/// <summary>A lead as segments see it: what is known of it, what it did, and the segments that it is in.</summary>
public sealed class SegmentSubject : IHistorySource, ISegmentSource, IDatedSource
{
    private static readonly TimeOnly Midnight = TimeOnly.MinValue;
    private readonly LeadFacts facts;
    private readonly IReadOnlyList<LeadActivity> activities;
    private readonly ISet<Guid> members;
    private readonly TimeZoneInfo workspaceZone;
    private TimeZoneInfo? zone;
    private TallyHistory<LeadActivity>? history;

    /// <param name="facts">What is known of the lead.</param>
    /// <param name="activities">What is counted, by time.</param>
    /// <param name="members">Segments that it is in; judging changes them.</param>
    /// <param name="workspaceZone">Zone of a lead that tells none; UTC by default.</param>
    public SegmentSubject(LeadFacts facts, IReadOnlyList<LeadActivity> activities, ISet<Guid> members, TimeZoneInfo? workspaceZone = null)
    {
        (this.facts, this.activities, this.members, this.workspaceZone) = (facts, activities, members, workspaceZone ?? TimeZoneInfo.Utc);
    }

    public FieldValue Get(Field field) => facts.Get(field);

    public int Count(Tally tally, DateTimeOffset now) => IsEmpty(tally) ? 0 : History.Count(tally, now);

    public bool IsIn(Guid segment) => members.Contains(segment);

    private TallyHistory<LeadActivity> History =>
        history ??= new(activities, facts.CreateTime, (tally, activity) => Fits(facts, tally, activity));

    /// <summary>The zone is asked for where a condition asks for days, and nowhere else.</summary>
    private TimeZoneInfo Zone => zone ??= LocalTime.ZoneOf(facts.Trait, workspaceZone);

    /// <summary>
    /// Whether today is the day that the field tells, or its return in a later year, moved by the offset. 29 February returns on the 28th
    /// in a year without one.
    /// </summary>
    public bool IsOn(DateTest test, DateTimeOffset now)
    {
        var today = LocalTime.Day(now, Zone);
        if (DayOf(test.Field) is not { } day || today.DayNumber - test.OffsetDays < DateOnly.MinValue.DayNumber
            || today.DayNumber - test.OffsetDays > DateOnly.MaxValue.DayNumber)
        {
            return false;
        }

        var unmoved = today.AddDays(-test.OffsetDays);
        return test.IsYearly ? unmoved.Year > day.Year && unmoved == LocalTime.Anniversary(day, unmoved.Year) : unmoved == day;
    }

    /// <summary>
    /// Whether a count counts the activity. Mails that were sent or bounced are not the lead's doing: only a condition that reads
    /// <c>email.*</c> counts them.
    /// </summary>
    public static bool Fits(LeadFacts facts, Tally tally, LeadActivity activity) => tally.Kind switch
    {
        TallyKind.Visits => activity.SessionId is not null,
        TallyKind.Inactive => activity.IsOwn,
        _ => (activity.IsOwn || SegmentReads.Mail(tally))
            && (tally.Condition?.Holds(new ActivityOf(activity, facts), activity.Time) ?? true),
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

        foreach (var test in condition.Dates)
        {
            // The first instant of the day, and of the day after: it ends by itself.
            for (var end = 0; end <= 1 && DayOf(test.Field) is { } day; end++)
            {
                if (LocalTime.DueOn(day, test.OffsetDays + end, Midnight, test.IsYearly, now, Zone) is { } due)
                {
                    Consider(due);
                }
            }
        }

        foreach (var tally in condition.Tallies.Where(tally => !IsEmpty(tally)))
        {
            foreach (var time in History.Changes(tally))
            {
                Consider(time);
            }
        }

        return next;

        void Consider(DateTimeOffset time) =>
            next = time > now && time < DateTimeOffset.MaxValue && (next is null || time < next) ? time : next;
    }

    /// <summary>Who did nothing is counted nowhere, and only inactivity looks at when the lead became known.</summary>
    private bool IsEmpty(Tally tally) => activities.Count == 0 && tally.Kind != TallyKind.Inactive;

    /// <summary>An instant is the day that it falls on in the lead's zone; a text is the day that it begins with.</summary>
    private DateOnly? DayOf(Field field) => facts.Get(field) switch
    {
        { IsMissing: false, Type: FieldType.Time } value => LocalTime.Day(value.AsTime()!.Value, Zone),
        var value => LocalTime.ReadDay(value.AsText()),
    };

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

    /// <summary>Where a lead tells its zone: a condition that asks for days reads it too.</summary>
    public static IEnumerable<Field> ZoneFields(Condition condition) => condition.Dates.Count == 0
        ? []
        : LocalTime.ZoneTraits.Select(name => new Field("lead.traits", name, FieldType.Any));

    /// <summary>Whether time alone can change the condition.</summary>
    public static bool IsTimed(Condition condition) =>
        condition.Spans.Count > 0 || condition.Dates.Count > 0 || condition.Tallies.Any(tally => tally.Span is not null);
}
