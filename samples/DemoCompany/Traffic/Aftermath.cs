using DemoCompany.Market;

namespace DemoCompany.Traffic;

/// <summary>What follows once a person is known: mails of the company's mail system, visits, a second paper, a webinar, a trial.</summary>
internal static class Aftermath
{
    private static readonly (string Id, string Subject, double Days)[] Mails =
    [
        ("welcome", "Your first look at Harbour Analytics", 0.1), ("guide", "What a lead costs, and how to tell", 4),
        ("story", "How a freight forwarder cut its cost per lead", 10), ("benchmark", "Where do you stand? The benchmark report", 19),
        ("offer", "Twenty minutes with a specialist", 30), ("digest", "This month at Harbour Analytics", 55),
    ];

    public static void Write(Journey journey, Person person, Interest interest, Dice dice)
    {
        var known = journey.Clock;
        Send(journey, person, interest, dice);
        journey.Clock = known;
        for (var visits = dice.Times(Math.Min(0.6 * person.Quality, 0.75), 6); visits > 0; visits--)
        {
            journey.Clock = Calendar.Later(journey.Clock, 6, dice);
            journey.Visit(Sources.PickReturn(dice, isKnown: true), interest, 1 + dice.Times(0.65, 10), dice);
            journey.Clock = journey.Clock.AddSeconds(30);
            Act(journey, person, dice);
        }
    }

    private static void Act(Journey journey, Person person, Dice dice)
    {
        switch (dice.Next())
        {
            case < 0.16:
                journey.Track(
                    "Content Downloaded",
                    new() { ["title"] = dice.Pick(Website.Papers).Replace('-', ' '), ["contentType"] = "white paper" });
                break;
            case < 0.23:
                journey.Track("Event Registered", new() { ["name"] = "Pipeline webinar" });
                break;
            case < 0.31 when person.Quality > 0.9:
                journey.Track("Trial Started", new() { ["plan"] = "team" });
                break;
            default:
                break;
        }
    }

    private static void Send(Journey journey, Person person, Interest interest, Dice dice)
    {
        var known = journey.Clock;
        var warmth = Math.Clamp(person.Quality, 0.4, 1.6);
        foreach (var (id, subject, days) in Mails)
        {
            var time = known.AddDays(days).AddMinutes(dice.Below(90));
            Dictionary<string, object> About(string? link = null)
            {
                var about = new Dictionary<string, object>
                {
                    ["email_id"] = $"{id}-{person.Index}",
                    ["email_subject"] = subject,
                    ["campaign"] = $"nurture-{id}",
                };
                if (link is not null)
                {
                    about["link_url"] = link;
                }

                return about;
            }

            if (!journey.Mail("Email Sent", time, About()))
            {
                return;
            }

            if (dice.Chance(0.012))
            {
                journey.Mail("Email Bounced", time.AddSeconds(8), About());
                return;
            }

            journey.Mail("Email Delivered", time.AddSeconds(5 + dice.Below(30)), About());
            if (!dice.Chance(0.38 * warmth))
            {
                continue;
            }

            time = time.AddHours(0.05 + dice.Exponential(9));
            journey.Mail("Email Opened", time, About());
            if (dice.Chance(0.24 * warmth))
            {
                var landing = dice.Pick(Sources.Newsletter.Landings);
                journey.Mail("Email Link Clicked", time.AddSeconds(30), About($"{Website.Address}{landing}"));
                journey.Clock = time.AddSeconds(33);
                journey.Visit(Sources.Newsletter, interest, 1 + dice.Times(0.6, 8), dice);
            }
            else if (dice.Chance(0.02))
            {
                journey.Mail("Unsubscribed", time.AddSeconds(20), About());
                return;
            }
        }
    }
}
