namespace Lifecycle.Retention.Domain;

/// <summary>Where a customer stands.</summary>
public enum CustomerState
{
    Active = 1,
    Churned = 2,
    Onboarding = 3,
    AtRisk = 4,
    Reactivated = 5,
}

/// <summary>The rules of customer states and contract terms.</summary>
public static class CustomerLifecycle
{
    /// <summary>A customer is ONBOARDING for so many days after its start.</summary>
    public const int OnboardingDays = 30;

    /// <summary>A customer is REACTIVATED for so many days after it came back.</summary>
    public const int ReactivatedDays = 90;

    /// <summary>The longest term, months.</summary>
    public const int MaxTermMonths = 120;

    private const int RenewalWindowDays = 120;

    /// <summary>The first that holds: CHURNED, AT_RISK, REACTIVATED, ONBOARDING, ACTIVE.</summary>
    public static CustomerState State(
        bool churned, bool atRisk, DateTimeOffset startTime, DateTimeOffset? reactivateTime, DateTimeOffset now) =>
        churned ? CustomerState.Churned
        : atRisk ? CustomerState.AtRisk
        : reactivateTime is { } back && back > now.AddDays(-ReactivatedDays) ? CustomerState.Reactivated
        : startTime > now.AddDays(-OnboardingDays) ? CustomerState.Onboarding
        : CustomerState.Active;

    /// <summary>
    /// End of the term that runs on the day: the first whole number of terms after the contract's start that lies after it.
    /// </summary>
    public static DateOnly RenewalAfter(DateOnly contractStart, int termMonths, DateOnly day)
    {
        var months = ((day.Year - contractStart.Year) * 12) + day.Month - contractStart.Month;
        var terms = Math.Max(months / termMonths, 0);
        while (contractStart.AddMonths(terms * termMonths) <= day || terms == 0)
        {
            terms++;
        }

        return contractStart.AddMonths(terms * termMonths);
    }

    /// <summary>
    /// The renewal date once the contract was renewed on the day. A renewal within 120 days (or half the term, where that is less) before
    /// the date or any time after it moves it on by whole terms, until it lies after the day; an earlier one belongs to a term that is
    /// over.
    /// </summary>
    public static DateOnly Renewed(DateOnly renewalDate, int termMonths, DateOnly day)
    {
        var window = Math.Min(RenewalWindowDays, termMonths * 15);
        if (day < renewalDate.AddDays(-window))
        {
            return renewalDate;
        }

        var (terms, next) = (1, renewalDate.AddMonths(termMonths));
        while (next <= day)
        {
            next = renewalDate.AddMonths(++terms * termMonths);
        }

        return next;
    }
}
