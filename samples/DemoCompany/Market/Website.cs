namespace DemoCompany.Market;

/// <summary>What a visitor looks for.</summary>
internal enum Interest
{
    /// <summary>Reads what the company writes.</summary>
    Reading,

    /// <summary>Weighs whether to buy.</summary>
    Buying,

    /// <summary>Looks for work.</summary>
    Job,
}

/// <summary>The company's site.</summary>
internal static class Website
{
    public const string Address = "https://www.harbour-analytics.example";

    public static readonly string[] Articles =
    [
        "/blog/lead-scoring-that-sales-believe", "/blog/first-touch-or-last-touch", "/blog/forecast-you-can-defend",
        "/blog/what-a-lead-costs", "/blog/why-leads-stall", "/blog/nps-without-noise", "/docs/attribution-models", "/docs/getting-started",
        "/resources/attribution-guide",
    ];

    public static readonly string[] Papers = ["attribution-guide", "scoring-playbook", "benchmark-report", "churn-checklist"];

    private static readonly string[] Buying =
    [
        "/product", "/product/attribution", "/product/scoring", "/pricing", "/pricing", "/customers", "/integrations", "/security",
        "/compare", "/docs/getting-started", "/customers/freight-forwarder",
    ];

    private static readonly string[] Reading = [.. Articles, "/docs/reports", "/docs/tracking-script", "/", "/product", "/about"];

    private static readonly string[] Jobs = ["/careers", "/careers/data-engineer", "/careers/account-executive", "/about"];

    public static string NextPage(Dice dice, Interest interest) => dice.Pick(interest switch
    {
        Interest.Buying => dice.Chance(0.75) ? Buying : Reading,
        Interest.Reading => dice.Chance(0.85) ? Reading : Buying,
        _ => Jobs,
    });

    /// <summary>A title made of the path: <c>/blog/why-leads-stall</c> is "Why leads stall | Harbour Analytics".</summary>
    public static string Title(string path)
    {
        var last = path[(path.LastIndexOf('/') + 1)..].Replace('-', ' ');
        return last.Length == 0 ? "Harbour Analytics" : $"{char.ToUpperInvariant(last[0])}{last[1..]} | Harbour Analytics";
    }
}
