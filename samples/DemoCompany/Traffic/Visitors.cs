using DemoCompany.Market;

namespace DemoCompany.Traffic;

/// <summary>A visitor's messages in order of time; the person where the visitor became known within the history.</summary>
internal sealed record Visitor(IReadOnlyList<Message> Messages, Person? Person);

/// <summary>Makes the visitors one by one, each by its number alone.</summary>
internal sealed class Visitors(Plan plan)
{
    private const double BotShare = 0.03;
    private const double JobSeekerShare = 0.035;

    private static readonly string[] Browsers =
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
    ];

    private static readonly string[] Robots =
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "python-requests/2.32.3",
    ];

    private readonly Calendar calendar = new(plan);

    public SpendBook Spend { get; } = new(plan);

    public Visitor Make(int index)
    {
        var dice = new Dice(plan.Seed, 1, (ulong)index);
        var begin = calendar.FirstVisit(index, dice);
        if (dice.Chance(BotShare))
        {
            var robot = new Journey(plan, index, dice.Pick(Robots), Spend) { Clock = begin };
            robot.Visit(Sources.Direct, Interest.Reading, 1 + dice.Times(0.7, 8), dice);
            return new(robot.Messages, null);
        }

        var journey = new Journey(plan, index, dice.Pick(Browsers), Spend) { Clock = begin };
        var source = Sources.Pick(dice, plan.Progress(begin));
        if (dice.Chance(source.LeadRate))
        {
            return MakeLead(journey, Person.Make(dice, index, source), dice);
        }

        var interest = dice.Chance(JobSeekerShare) ? Interest.Job : dice.Chance(0.3) ? Interest.Buying : Interest.Reading;
        journey.Visit(source, interest, 1 + dice.Times(0.7, 14), dice);
        for (var visits = dice.Times(0.3, 5); visits > 0; visits--)
        {
            journey.Clock = Calendar.Later(journey.Clock, 8, dice);
            journey.Visit(Sources.PickReturn(dice, isKnown: false), interest, 1 + dice.Times(0.7, 14), dice);
        }

        if (interest == Interest.Buying && dice.Chance(0.12))
        {
            journey.Clock = journey.Clock.AddSeconds(40);
            journey.Track("Price Calculated", new() { ["seats"] = 5 + dice.Below(95) });
        }

        return new(journey.Messages, null);
    }

    private static Visitor MakeLead(Journey journey, Person person, Dice dice)
    {
        var interest = person.Quality > 0.7 ? Interest.Buying
            : person.Title == "Student" && dice.Chance(0.5) ? Interest.Job
            : Interest.Reading;
        journey.Visit(person.Source, interest, 2 + dice.Times(0.7, 10), dice);
        for (var visits = dice.Times(0.5, 5); visits > 0; visits--)
        {
            journey.Clock = Calendar.Later(journey.Clock, 5, dice);
            journey.Visit(Sources.PickReturn(dice, isKnown: false), interest, 2 + dice.Times(0.65, 10), dice);
        }

        journey.Clock = journey.Clock.AddSeconds(20 + dice.Below(120));
        var isKnown = Introduction.Write(journey, person, dice);
        Aftermath.Write(journey, person, interest, dice);
        return new(journey.Messages.OrderBy(message => message.Timestamp).ToList(), isKnown ? person : null);
    }
}
