namespace Lifecycle.Retention.Domain.Learning;

/// <summary>What a feature looks at.</summary>
public enum ChurnFactor
{
    Usage = 1,
    UsageTrend = 2,
    Support = 3,
    Payment = 4,
    NpsDetractor = 5,
    NpsPromoter = 6,
    MailsClicked = 7,
    MailsIgnored = 8,
    Tenure = 9,
    Renewal = 10,
    Mrr = 11,
    Plan = 12,
}

/// <summary>One number that is known of a customer.</summary>
/// <param name="Factor">What it looks at.</param>
/// <param name="Plan">Of <see cref="ChurnFactor.Plan"/>: which; else empty.</param>
public sealed record ChurnFeature(ChurnFactor Factor, string Plan = "")
{
    private const double DaysOfMonth = 30.436875;
    private const int RenewalWindow = 120;
    private const double MaxTrend = 5;
    private const int FewMails = 3;

    /// <summary>Every feature but the plans.</summary>
    public static readonly IReadOnlyList<ChurnFeature> Fixed =
        [.. Enum.GetValues<ChurnFactor>().Where(factor => factor != ChurnFactor.Plan).Select(factor => new ChurnFeature(factor))];

    /// <summary>In words, with the unit of <see cref="Value"/>.</summary>
    public string Name => Factor switch
    {
        ChurnFactor.Usage => "Use of 30 days, per doubling",
        ChurnFactor.UsageTrend => "Use against the 30 days before, per doubling",
        ChurnFactor.Support => "Support requests of 30 days, per doubling",
        ChurnFactor.Payment => "Failed payments of 60 days, per doubling",
        ChurnFactor.NpsDetractor => "Newest NPS answer is 0 to 6",
        ChurnFactor.NpsPromoter => "Newest NPS answer is 9 or 10",
        ChurnFactor.MailsClicked => "Share of the mails of 90 days clicked",
        ChurnFactor.MailsIgnored => "3 or more mails in 90 days and none clicked",
        ChurnFactor.Tenure => "Months with us, per doubling",
        ChurnFactor.Renewal => "Nearness of the renewal, from 120 days (0) to now (1)",
        ChurnFactor.Mrr => "MRR, per doubling",
        _ => $"Plan is {Plan}",
    };

    /// <summary>Counts and amounts go by doublings, log2(1 + n): the second says more than the hundred-second.</summary>
    public double Value(ChurnFacts facts) => Factor switch
    {
        ChurnFactor.Usage => Doublings(facts.Usage),
        ChurnFactor.UsageTrend => Math.Clamp(Doublings(facts.Usage) - Doublings(facts.UsageBefore), -MaxTrend, MaxTrend),
        ChurnFactor.Support => Doublings(facts.Tickets),
        ChurnFactor.Payment => Doublings(facts.FailedPayments),
        ChurnFactor.NpsDetractor => facts.NpsScore <= 6 ? 1 : 0,
        ChurnFactor.NpsPromoter => facts.NpsScore >= 9 ? 1 : 0,
        ChurnFactor.MailsClicked => facts.Mails == 0 ? 0 : (double)facts.Clicked / facts.Mails,
        ChurnFactor.MailsIgnored => facts.Mails >= FewMails && facts.Clicked == 0 ? 1 : 0,
        ChurnFactor.Tenure => Math.Log2(1 + (Math.Max(facts.TenureDays, 0) / DaysOfMonth)),
        ChurnFactor.Renewal => facts.RenewalDays is { } days ? Math.Clamp(1 - (days / (double)RenewalWindow), 0, 1) : 0,
        ChurnFactor.Mrr => Doublings(facts.Mrr),
        _ => facts.Plan == Plan ? 1 : 0,
    };

    private static double Doublings(decimal count) => Math.Log2(1 + (double)Math.Max(count, 0));
}
