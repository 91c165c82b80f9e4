using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Opportunities;

/// <summary>Where a deal stands.</summary>
public enum OpportunityState
{
    /// <summary>Being worked on.</summary>
    Open = 1,

    /// <summary>Won; final.</summary>
    Won = 2,

    /// <summary>Lost; final.</summary>
    Lost = 3,
}

/// <summary>What may be done to a deal, and when.</summary>
public static class OpportunityRules
{
    /// <summary>Errors: FAILED_PRECONDITION once the deal is won or lost.</summary>
    public static Result<Unit> Touch(OpportunityState state) => state == OpportunityState.Open
        ? default(Unit)
        : Error.Precondition($"The opportunity is {state.Name()}, which is final.");

    /// <summary>
    /// Time of the close. Errors: FAILED_PRECONDITION once the deal is won or lost; INVALID_ARGUMENT for a time before the deal was opened.
    /// </summary>
    public static Result<DateTimeOffset> Close(
        OpportunityState state, DateTimeOffset createTime, DateTimeOffset? closeTime, DateTimeOffset now)
    {
        if (Touch(state).Error is { } final)
        {
            return final;
        }

        var time = closeTime ?? (now < createTime ? createTime : now);
        return time < createTime
            ? Error.Invalid(
                "closeTime", $"closeTime lies before the opportunity was opened, {createTime.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.")
            : time;
    }

    /// <summary>
    /// Whether a deal can be taken up again. Errors: FAILED_PRECONDITION unless it is lost and was not taken up before; INVALID_ARGUMENT
    /// for a time before it was lost.
    /// </summary>
    public static Result<Unit> Reopen(OpportunityState state, Guid? reopenedAs, DateTimeOffset? closeTime, DateTimeOffset reopenTime) =>
        (state, reopenedAs) switch
        {
            (OpportunityState.Open, _) => Error.Precondition("The opportunity is OPEN."),
            (OpportunityState.Won, _) => Error.Precondition(
                "The opportunity is WON and its amount booked; open another one for the customer."),
            (_, { } again) => Error.Precondition($"The opportunity was taken up again as {again}."),
            _ when reopenTime < closeTime => Error.Invalid("reopenTime", "reopenTime lies before the opportunity was lost."),
            _ => default(Unit),
        };

    /// <summary>Name of a deal that is given none.</summary>
    public static string DefaultName(string? account, string? product, string? externalId)
    {
        var parts = new[] { account, product }.Where(part => !string.IsNullOrWhiteSpace(part)).ToArray();
        return parts.Length > 0 ? string.Join(" – ", parts) : string.IsNullOrWhiteSpace(externalId) ? "Opportunity" : externalId;
    }

    public static string Name(this OpportunityState state) => state.ToString().ToUpperInvariant();
}

/// <summary>Times that callers give for a backfill.</summary>
public static class BackfillTime
{
    /// <summary>How far ahead of our clock a caller's clock may run.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromMinutes(10);

    /// <summary>Names the fault of a time that lies more than <see cref="Ahead"/> in the future; none given is right.</summary>
    public static bool Check(DateTimeOffset? time, string field, DateTimeOffset now, Violations violations) =>
        violations.Require(
            time is null || time <= now + Ahead, field, $"{field} lies in the future; at most 10 minutes ahead are accepted.");
}
