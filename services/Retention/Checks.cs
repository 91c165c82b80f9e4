using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention;

/// <summary>Checks that several requests share.</summary>
internal static class Checks
{
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(10);

    /// <summary>A given time, or now; at most 10 minutes ahead.</summary>
    public static DateTimeOffset TimeOrNow(this Violations violations, Timestamp? given, DateTimeOffset now, string field)
    {
        var time = given?.ToDateTimeOffset() ?? now;
        violations.Require(time <= now + Ahead, field, $"{field} lies more than 10 minutes ahead.");
        return time;
    }

    /// <summary>A day such as 2026-03-31, or nothing.</summary>
    public static DateOnly? OptionalDate(this Violations violations, string text, string field) =>
        text.Length > 0 && violations.RequireDate(text, field, out var date) ? date : null;

    /// <summary>Text of at most so many characters; may be empty.</summary>
    public static void LimitText(this Violations violations, string text, string field, int maxLength = 200) =>
        violations.Require(text.Length <= maxLength, field, $"{field} has {text.Length} characters; at most {maxLength} are accepted.");

    /// <summary>An e-mail address, in the form of <see cref="EmailKey"/>.</summary>
    public static string Email(this Violations violations, string text, string field)
    {
        var email = EmailKey.Of(text);
        violations.Require(email is not null, field, $"{field} must be an e-mail address.");
        return email ?? "";
    }

    /// <summary>An amount above 0.</summary>
    public static void RequirePositive(this Violations violations, Money money, string field) =>
        violations.Require(money.Amount > 0, $"{field}.amount", $"{field}.amount must be above 0.");

    /// <summary>A length of contract terms.</summary>
    public static void CheckTerm(this Violations violations, int months, string field) => violations.Require(
        months is >= 0 and <= CustomerLifecycle.MaxTermMonths, field, $"{field} must be between 0 and {CustomerLifecycle.MaxTermMonths}.");
}
