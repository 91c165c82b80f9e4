namespace Lifecycle.Retention.Domain.Learning;

/// <summary>What is known of a customer at one instant, from what happened before it and nothing later.</summary>
/// <param name="TenureDays">Days since its start.</param>
/// <param name="Mrr">Monthly recurring revenue, in the workspace's currency.</param>
/// <param name="Usage">Uses in the 30 days before.</param>
/// <param name="UsageBefore">Uses in the 30 days before those.</param>
/// <param name="Tickets">Support requests in the 30 days before.</param>
/// <param name="FailedPayments">Payments that failed in the 60 days before.</param>
/// <param name="Mails">Mails delivered in the 90 days before.</param>
/// <param name="Clicked">Of these, clicked before the instant.</param>
/// <param name="NpsScore">Newest NPS answer of the 180 days before; null without one.</param>
/// <param name="RenewalDays">Days to the end of the term that runs; null when the contract's terms are unknown.</param>
/// <param name="Plan">The plan then; empty when unknown.</param>
public sealed record ChurnFacts(
    int TenureDays, decimal Mrr, decimal Usage, decimal UsageBefore, long Tickets, long FailedPayments, long Mails, long Clicked,
    int? NpsScore, int? RenewalDays, string Plan)
{
    /// <summary>
    /// Days to the end of the term that runs on the day. Terms lie before and after a known renewal date in whole lengths, so that a date
    /// which was moved on since (because the customer renewed) tells nothing that was not known then. Without a length nothing is known of
    /// the past.
    /// </summary>
    public static int? RenewalIn(DateOnly? renewalDate, int termMonths, DateOnly day)
    {
        if (renewalDate is not { } known || termMonths <= 0)
        {
            return null;
        }

        var months = ((day.Year - known.Year) * 12) + day.Month - known.Month;
        var terms = (int)Math.Floor((double)months / termMonths);
        while (known.AddMonths(terms * termMonths) < day)
        {
            terms++;
        }

        return known.AddMonths(terms * termMonths).DayNumber - day.DayNumber;
    }
}

/// <summary>A customer at a past instant, and what came of it.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Time">The instant.</param>
/// <param name="Lost">It left within the horizon.</param>
/// <param name="Facts">What was known then.</param>
public sealed record ChurnCase(Guid CustomerId, DateTimeOffset Time, bool Lost, ChurnFacts Facts);
