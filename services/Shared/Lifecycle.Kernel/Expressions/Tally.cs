namespace Lifecycle.Kernel.Expressions;

/// <summary>What a test over activities counts.</summary>
public enum TallyKind
{
    /// <summary>Activities for which a condition holds.</summary>
    Count = 1,

    /// <summary>Visits that began.</summary>
    Visits = 2,

    /// <summary>1 while the subject has been known for the span and did nothing in it, else 0.</summary>
    Inactive = 3,
}

/// <summary>A number over a subject's activities, looking back from an instant: <c>count(activity.type = "PAGE", 7d)</c>.</summary>
/// <param name="kind">What is counted.</param>
/// <param name="condition">Asked of each activity; null: every activity counts.</param>
/// <param name="span">Only activities less than so long ago; null: all up to the instant. Never null for
/// <see cref="TallyKind.Inactive"/>.</param>
public sealed class Tally(TallyKind kind, Condition? condition, TimeSpan? span)
{
    public TallyKind Kind => kind;

    public Condition? Condition => condition;

    public TimeSpan? Span => span;
}

/// <summary>A subject whose activities can be counted.</summary>
public interface IHistorySource : IFieldSource
{
    /// <summary>The number at an instant: of what happened in (now − span, now].</summary>
    int Count(Tally tally, DateTimeOffset now);
}

/// <summary>A subject that may be in segments.</summary>
public interface ISegmentSource : IFieldSource
{
    /// <summary>Whether it is a member now.</summary>
    bool IsIn(Guid segment);
}
