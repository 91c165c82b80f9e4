using DemoCompany.Market;

namespace DemoCompany.Sales;

/// <summary>What sales answer to an offered lead.</summary>
internal enum Verdict
{
    /// <summary>Nobody gets to it.</summary>
    Unanswered,
    Accepted,
    Returned,

    /// <summary>Taken, and handed back after a talk.</summary>
    AcceptedThenReturned,
}

/// <summary>What becomes of a qualified lead.</summary>
/// <param name="Answer">From qualification to the answer.</param>
/// <param name="Reason">Why the lead is handed back, or the deal lost.</param>
internal sealed record Fate(Verdict Verdict, TimeSpan Answer, string Owner, string Reason, Deal? Deal)
{
    private static readonly string[] Sellers =
        ["north@harbour-analytics.example", "south@harbour-analytics.example", "enterprise@harbour-analytics.example"];

    private static readonly (string Reason, double Weight)[] ReturnReasons =
    [
        ("NOT_READY", 30), ("NO_BUDGET", 18), ("UNREACHABLE", 16), ("NO_AUTHORITY", 12), ("BAD_TIMING", 12), ("NO_NEED", 8),
        ("COMPETITOR", 4),
    ];

    /// <param name="round">0 for the lead's first hand-off, then 1, 2, …</param>
    public static Fate Of(Plan plan, Person person, int round)
    {
        var dice = new Dice(plan.Seed, 3, (ulong)person.Index, (ulong)round);
        var accept = Math.Clamp(0.58 * Math.Pow(person.Quality, 0.55), 0.18, 0.9);
        var verdict = dice.Next() switch
        {
            < 0.03 => Verdict.Unanswered,
            var roll when roll < 0.03 + (0.97 * accept) => dice.Chance(0.2) ? Verdict.AcceptedThenReturned : Verdict.Accepted,
            _ => Verdict.Returned,
        };
        var owner = person.Account.Employees >= 1000 ? Sellers[2] : Sellers[person.Index % 2];
        var hours = dice.LogNormal(7, 1.1);
        var reason = dice.Pick(ReturnReasons, reason => reason.Weight).Reason;
        var isDeal = verdict == Verdict.Accepted && dice.Chance(Math.Clamp(0.85 * Math.Pow(person.Quality, 0.2), 0.5, 0.97));
        return new(verdict, TimeSpan.FromHours(Math.Min(hours, 240)), owner, reason, isDeal ? Deal.Make(dice, person) : null);
    }
}

/// <summary>A deal from its opening to its end.</summary>
/// <param name="Opens">From the acceptance of the lead to the opening.</param>
/// <param name="Lasts">From the opening to the end.</param>
/// <param name="Steps">Moments, 0 to 1 of the deal's time, at which it advances.</param>
/// <param name="Monthly">Subscription per month, should it be won.</param>
/// <param name="Loss">Why it is lost, should it be.</param>
internal sealed record Deal(
    TimeSpan Opens, TimeSpan Lasts, IReadOnlyList<double> Steps, int Amount, int Monthly, string Product, bool IsWon, Loss Loss)
{
    private static readonly Loss[] Losses =
    [
        new("No decision", 34, "RECYCLED"), new("Price", 22, "RECYCLED"), new("Competitor", 20, "DISQUALIFIED"),
        new("Missing feature", 14, null), new("Budget cut", 10, "RECYCLED"),
    ];

    public static Deal Make(Dice dice, Person person)
    {
        var size = person.Account.Employees switch { < 50 => 4_200, < 200 => 8_500, < 1000 => 16_500, _ => 34_000 };
        var amount = (int)Math.Round(Math.Clamp(dice.LogNormal(size, 0.35), 1_800, 120_000) / 100) * 100;
        var isWon = dice.Chance(Math.Clamp(0.17 * Math.Pow(person.Quality, 0.9), 0.03, 0.5));
        var days = Math.Clamp(dice.LogNormal(size > 15_000 ? 38 : 25, 0.45), 6, 120) * (isWon ? 0.9 : 1.1);
        return new(
            TimeSpan.FromDays(dice.Between(0.8, 8)), TimeSpan.FromDays(days),
            [dice.Between(0.15, 0.3), dice.Between(0.4, 0.55), dice.Between(0.65, 0.85)],
            amount, (int)Math.Round(amount * 0.85 / 12), person.Account.Employees < 200 ? "Team" : "Enterprise", isWon,
            dice.Pick(Losses, loss => loss.Weight));
    }
}

/// <summary>A way to lose a deal.</summary>
/// <param name="Move">Why sales let go of the lead afterwards; null where they keep it.</param>
internal sealed record Loss(string Reason, double Weight, string? Move);
