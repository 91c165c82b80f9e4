namespace Lifecycle.Kernel.Expressions;

/// <summary>
/// A test whether it is a certain day: <c>on_date(lead.traits.contractEnd, -30d)</c>, <c>anniversary(lead.traits.birthday)</c>.
/// </summary>
/// <param name="Field">The date, or an instant.</param>
/// <param name="OffsetDays">Days after the date, negative: before it; at most <see cref="MaxOffsetDays"/> either way.</param>
/// <param name="IsYearly">Each return of the date in later years is meant, else the date itself.</param>
public sealed record DateTest(Field Field, int OffsetDays, bool IsYearly)
{
    /// <summary>Largest offset, days: ten years.</summary>
    public const int MaxOffsetDays = 3_653;
}

/// <summary>A subject that lives in a time zone.</summary>
public interface IDatedSource : IFieldSource
{
    /// <summary>Whether the day of the test is today, in the subject's zone.</summary>
    bool IsOn(DateTest test, DateTimeOffset now);
}
