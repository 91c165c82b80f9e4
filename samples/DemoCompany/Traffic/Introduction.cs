using DemoCompany.Market;

namespace DemoCompany.Traffic;

/// <summary>How a visitor becomes known: a form, a call or a chat, after which the site knows the person's id.</summary>
internal static class Introduction
{
    private static readonly string[] Topics = ["pricing", "integration", "security review", "migration"];

    /// <returns>Whether it happened within the history.</returns>
    public static bool Write(Journey journey, Person person, Dice dice)
    {
        var fields = Fields(person, dice);
        var happened = person.Approach switch
        {
            Approach.Demo => Form(journey, "/demo", "demo-request", "demo", fields, dice),
            Approach.Contact => Form(journey, "/contact", "contact-us", "contact", fields, dice),
            Approach.Content => Download(journey, fields, dice),
            Approach.Newsletter => Form(journey, "/blog", "newsletter-footer", "newsletter", new() { ["email"] = person.Email }, dice),
            Approach.Call => journey.Track("Call Received", new()
            {
                ["trackingNumber"] = "+442079460100",
                ["durationSeconds"] = 40 + (int)dice.Exponential(300),
                ["answered"] = dice.Chance(0.85),
                ["fields"] = fields,
            }),
            _ => journey.Track("Chat Started", new() { ["topic"] = dice.Pick(Topics), ["fields"] = fields }),
        };
        journey.Clock = journey.Clock.AddSeconds(1);
        journey.UserId = person.UserId;
        journey.Identify(Traits(person, dice));
        return happened;
    }

    private static bool Form(Journey journey, string path, string formId, string formType, Dictionary<string, object> fields, Dice dice)
    {
        journey.See(path);
        journey.Clock = journey.Clock.AddSeconds(25 + dice.Below(90));
        return journey.Track("Form Submitted", new() { ["formId"] = formId, ["formType"] = formType, ["fields"] = fields });
    }

    private static bool Download(Journey journey, Dictionary<string, object> fields, Dice dice)
    {
        var paper = dice.Pick(Website.Papers);
        var happened = Form(journey, $"/resources/{paper}", $"download-{paper}", "content", fields, dice);
        journey.Clock = journey.Clock.AddSeconds(4);
        journey.Track("Content Downloaded", new() { ["title"] = paper.Replace('-', ' '), ["contentType"] = "white paper" });
        return happened;
    }

    private static Dictionary<string, object> Fields(Person person, Dice dice)
    {
        var fields = new Dictionary<string, object>
        {
            ["email"] = person.Email,
            ["firstName"] = person.FirstName,
            ["lastName"] = person.LastName,
            ["title"] = person.Title,
            ["company"] = person.Account.Name,
        };
        if (person.Approach is Approach.Demo or Approach.Contact or Approach.Call)
        {
            fields["employees"] = person.Account.Employees;
            if (dice.Chance(0.35 * person.Quality))
            {
                fields["budget"] = dice.Chance(0.7) ? "approved" : "planned";
            }

            if (dice.Chance(0.4 * person.Quality))
            {
                fields["timeline"] = dice.Chance(0.5) ? "this quarter" : "next quarter";
            }
        }

        return fields;
    }

    private static Dictionary<string, object> Traits(Person person, Dice dice)
    {
        var traits = new Dictionary<string, object>
        {
            ["email"] = person.Email,
            ["firstName"] = person.FirstName,
            ["lastName"] = person.LastName,
        };
        // Of a newsletter's reader little is known beyond the address; of the others the company's data are looked up.
        if (person.Approach != Approach.Newsletter || dice.Chance(0.4))
        {
            traits["title"] = person.Title;
            traits["company"] = new Dictionary<string, object>
            {
                ["name"] = person.Account.Name,
                ["domain"] = person.Account.Domain,
                ["industry"] = person.Account.Industry,
                ["employees"] = person.Account.Employees,
                ["country"] = person.Account.Country,
            };
            if (person.Department.Length > 0)
            {
                traits["department"] = person.Department;
            }
        }

        return traits;
    }
}
