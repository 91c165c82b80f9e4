namespace DemoCompany.Customers;

/// <summary>An entry of a customer's ledger.</summary>
internal sealed record Entry(string Type, int Amount, string Recurrence, DateTimeOffset Time);

/// <summary>An answer to the question how likely the customer is to recommend.</summary>
internal sealed record Answer(int Score, string Comment, DateTimeOffset Time);

/// <summary>How a customer fares from the first invoice to the end of the history.</summary>
/// <param name="ChurnTime">Null for one that stays.</param>
internal sealed record Contract(IReadOnlyList<Entry> Entries, DateTimeOffset? ChurnTime, string ChurnReason, IReadOnlyList<Answer> Answers)
{
    private const double ChurnPerMonth = 0.021;
    private const double UpsellPerMonth = 0.03;
    private const double CrossSellPerMonth = 0.008;
    private const double ContractionPerMonth = 0.008;
    private const double DaysPerMonth = 30;

    private static readonly string[] ChurnReasons =
        ["Price", "Moved to a competitor", "Project ended", "Too little use", "Company was bought"];

    private static readonly string[] Praise =
    [
        "The reasons beside each score changed how we work.", "We finally agree with sales on what a good lead is.",
        "Setting it up took an afternoon.", "Our monthly report writes itself.", "Support answers within the hour.", "",
    ];

    private static readonly string[] Lukewarm =
        ["Good, but I miss more export options.", "Useful; the learning curve is real.", "Does what it should.", "", ""];

    private static readonly string[] Complaints =
        ["Too expensive for what we use.", "The mobile view needs work.", "We had to wait long for an integration.",
        "Reports were slow in spring.", ""];

    /// <param name="plan">Whose history.</param>
    /// <param name="dice">Decides.</param>
    /// <param name="start">First invoice.</param>
    /// <param name="monthly">Worth per month.</param>
    /// <param name="isYearly">Paid once a year.</param>
    public static Contract Make(Plan plan, Dice dice, DateTimeOffset start, int monthly, bool isYearly)
    {
        var (recurrence, factor) = isYearly ? ("YEARLY", 12) : ("MONTHLY", 1);
        var entries = new List<Entry> { new("NEW", monthly * factor, recurrence, start) };
        var worth = (double)monthly;
        var leans = dice.Next();
        DateTimeOffset? churn = null;
        for (var month = 1; churn is null; month++)
        {
            var time = start.AddDays(month * DaysPerMonth).AddHours(dice.Below(9));
            if (time >= plan.Now)
            {
                break;
            }

            var roll = dice.Next();
            // What happened before the history is in the customer's worth already.
            if (time < plan.Start)
            {
                continue;
            }

            if (month > 1 && roll < ChurnPerMonth * (leans < 0.25 ? 2.5 : 0.5))
            {
                churn = time;
                break;
            }

            if (isYearly && month % 12 == 0)
            {
                entries.Add(new("RENEWAL", (int)worth * factor, recurrence, time));
            }

            roll -= ChurnPerMonth * 2.5;
            var (type, share) = roll switch
            {
                < 0 => ("", 0.0),
                < UpsellPerMonth => ("UPSELL", dice.Between(0.15, 0.6)),
                < UpsellPerMonth + CrossSellPerMonth => ("CROSS_SELL", dice.Between(0.2, 0.5)),
                < UpsellPerMonth + CrossSellPerMonth + ContractionPerMonth => ("CONTRACTION", dice.Between(0.1, 0.35)),
                _ => ("", 0.0),
            };
            var amount = (int)Math.Round(worth * share);
            if (amount > 0)
            {
                entries.Add(new(type, amount * factor, recurrence, time.AddHours(1)));
                worth += type == "CONTRACTION" ? -amount : amount;
            }
        }

        return new(entries, churn, dice.Pick(ChurnReasons), Ask(plan, dice, start, churn, leans));
    }

    /// <summary>Asked sixty days after the start and every hundred after that; six of ten answer.</summary>
    private static List<Answer> Ask(Plan plan, Dice dice, DateTimeOffset start, DateTimeOffset? churn, double leans)
    {
        var answers = new List<Answer>();
        for (var time = start.AddDays(21); time < (churn ?? plan.Now); time = time.AddDays(100))
        {
            var answer = time.AddHours(dice.Between(1, 90));
            if (answer < plan.Start || answer >= (churn ?? plan.Now) || !dice.Chance(0.6))
            {
                continue;
            }

            var score = (int)Math.Clamp(
                Math.Round(4.6 + (5.6 * Math.Sqrt(leans)) + dice.Between(-1.6, 1.6) - (churn is null ? 0 : 2.2)), 0, 10);
            answers.Add(new(score, dice.Pick(score >= 9 ? Praise : score >= 7 ? Lukewarm : Complaints), answer));
        }

        return answers;
    }
}
