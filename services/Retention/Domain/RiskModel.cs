namespace Lifecycle.Retention.Domain;

/// <summary>What speaks for a loss.</summary>
public enum RiskFactor
{
    Usage = 1,
    Support = 2,
    Nps = 3,
    Payment = 4,
    Engagement = 5,
    Renewal = 6,
}

/// <summary>What is known of a customer at one time.</summary>
/// <param name="Usage">Uses in the last 30 days.</param>
/// <param name="UsageBefore">Uses in the 30 days before those.</param>
/// <param name="Tickets">Support requests in the last 30 days.</param>
/// <param name="NpsScore">Newest NPS answer of the last 180 days; null without one.</param>
/// <param name="FailedPayments">Payments that failed in the last 60 days.</param>
/// <param name="Mails">Mails delivered in the last 90 days.</param>
/// <param name="Opened">Of these, opened.</param>
/// <param name="Clicked">Of these, clicked.</param>
/// <param name="RenewalDays">Days to the renewal, below 0 once it is past; null when unknown.</param>
public sealed record RiskInputs(
    decimal Usage, decimal UsageBefore, long Tickets, int? NpsScore, long FailedPayments, long Mails, long Opened,
    long Clicked, int? RenewalDays);

/// <summary>One part of a score.</summary>
/// <param name="Factor">What it is for.</param>
/// <param name="Share">How much of the factor's weight applies, 0 to 1.</param>
/// <param name="Points">Weight × share, 2 decimals.</param>
/// <param name="Evidence">Why, in words.</param>
public sealed record RiskContribution(RiskFactor Factor, decimal Share, decimal Points, string Evidence);

/// <summary>Weights of the factors, 0 to 100 each and 100 together, and the score from which a customer is at risk.</summary>
public sealed record RiskModel(
    decimal Usage, decimal Support, decimal Nps, decimal Payment, decimal Engagement, decimal Renewal, decimal Threshold)
{
    /// <summary>In force until another is put.</summary>
    public static readonly RiskModel Default = new(30, 15, 15, 20, 10, 10, 40);

    private const int ManyTickets = 5;
    private const int ManyFailures = 2;
    private const int FewMails = 3;
    private const int RenewalWindow = 120;

    /// <summary>Every factor with its points; the score is their sum, 0 to 100.</summary>
    public IReadOnlyList<RiskContribution> Explain(RiskInputs customer) =>
    [
        Of(RiskFactor.Usage, Usage, customer.UsageBefore > 0 ? Math.Clamp(1 - (customer.Usage / customer.UsageBefore), 0, 1) : 0,
            customer.UsageBefore > 0
                ? $"{customer.Usage:0.##} uses in 30 days after {customer.UsageBefore:0.##} in the 30 days before"
                : "No use 31 to 60 days ago to compare with"),
        Of(
            RiskFactor.Support, Support, Math.Min(customer.Tickets, ManyTickets) / (decimal)ManyTickets,
            $"{customer.Tickets} support requests in 30 days"),
        Of(RiskFactor.Nps, Nps, customer.NpsScore switch { null => 0, <= 6 => 1, <= 8 => 0.5m, _ => 0 },
            customer.NpsScore is { } score ? $"NPS answer {score}" : "No NPS answer in 180 days"),
        Of(
            RiskFactor.Payment, Payment, Math.Min(customer.FailedPayments, ManyFailures) / (decimal)ManyFailures,
            $"{customer.FailedPayments} failed payments in 60 days"),
        Of(RiskFactor.Engagement, Engagement, customer.Mails < FewMails || customer.Clicked > 0 ? 0 : customer.Opened > 0 ? 0.5m : 1,
            $"{customer.Opened} of {customer.Mails} mails opened and {customer.Clicked} clicked in 90 days"),
        Of(RiskFactor.Renewal, Renewal,
            customer.RenewalDays is { } days ? Math.Clamp(1 - (Math.Max(days, 0) / (decimal)RenewalWindow), 0, 1) : 0,
            customer.RenewalDays is { } left ? left < 0 ? $"Renewal {-left} days overdue" : $"Renewal in {left} days" : "No renewal date"),
    ];

    /// <summary>Sum of the parts.</summary>
    public static decimal Score(IEnumerable<RiskContribution> contributions) => contributions.Sum(part => part.Points);

    private static RiskContribution Of(RiskFactor factor, decimal weight, decimal share, string evidence) =>
        new(factor, Math.Round(share, 4), Math.Round(weight * share, 2), evidence);
}
