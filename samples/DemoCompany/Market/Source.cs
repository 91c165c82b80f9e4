namespace DemoCompany.Market;

/// <summary>A place that sends visitors.</summary>
/// <param name="Weight">Share of visitors, against the other sources.</param>
/// <param name="LeadRate">Chance, 0 to 1, that a visitor becomes known.</param>
/// <param name="Quality">How good its leads are for sales; 1 is usual.</param>
internal sealed record Source(double Weight, double LeadRate, double Quality)
{
    /// <summary>utm_source, utm_medium and utm_campaign; null where the link carries none.</summary>
    public (string Source, string Medium, string Campaign)? Utm { get; init; }

    public string? Referrer { get; init; }

    /// <summary>Name of the click id that the advertiser adds.</summary>
    public string? ClickId { get; init; }

    public IReadOnlyList<string> Keywords { get; init; } = [];

    public IReadOnlyList<string> Landings { get; init; } = ["/"];

    /// <summary>What a click costs; 0 where nothing is paid.</summary>
    public double CostPerClick { get; init; }

    /// <summary>Clicks per time shown.</summary>
    public double ClickThroughRate { get; init; } = 0.02;

    /// <summary>Part of the history, 0 to 1, in which it sends anybody.</summary>
    public (double From, double To) Active { get; init; } = (0, 1);

    /// <summary>How much of its weight comes or goes over the history: 1 doubles it, −0.5 halves it.</summary>
    public double Trend { get; init; }

    /// <summary>Whether its visitors were asked to come by somebody they trust.</summary>
    public bool IsRecommendation { get; init; }

    public double WeightAt(double progress) => progress >= Active.From && progress <= Active.To ? Weight * (1 + (Trend * progress)) : 0;
}

/// <summary>Where the company's visitors come from: every channel of GA4's default grouping has its sources.</summary>
internal static class Sources
{
    public static readonly Source Direct = new(17, 0.055, 1.0) { Landings = ["/", "/", "/", "/pricing", "/product"] };

    public static readonly Source OrganicGoogle = new(21, 0.058, 1.0)
    {
        Referrer = "https://www.google.com/",
        Landings = Website.Articles,
        Trend = 0.3,
    };

    public static readonly Source OrganicLinkedIn = new(4.5, 0.042, 0.85)
    {
        Referrer = "https://www.linkedin.com/feed/",
        Landings = Website.Articles,
    };

    public static readonly Source Retargeting = new(2.5, 0.014, 0.6)
    {
        Utm = ("google", "display", "retargeting"),
        ClickId = "dclid",
        CostPerClick = 4.9,
        ClickThroughRate = 0.004,
    };

    public static readonly Source Newsletter = new(3.5, 0.11, 1.1)
    {
        Utm = ("newsletter", "email", "monthly-digest"),
        Landings = ["/blog/forecast-you-can-defend", "/resources/scoring-playbook", "/product"],
    };

    public static IReadOnlyList<Source> All { get; } =
    [
        Direct, OrganicGoogle, OrganicLinkedIn, Retargeting, Newsletter,
        new(3, 0.05, 0.95) { Referrer = "https://www.bing.com/", Landings = Website.Articles },
        new(1.5, 0.05, 0.95) { Referrer = "https://duckduckgo.com/", Landings = Website.Articles },
        Search("google", "gclid", 4.5, 0.16, 1.25, "brand", 6.5, ["harbour analytics", "harbour analytics pricing"], ["/", "/pricing"]),
        Search(
            "google", "gclid", 5.5, 0.11, 1.2, "product", 23,
            ["lead scoring software", "b2b attribution tool", "revenue analytics platform"], ["/product", "/demo"]),
        Search(
            "google", "gclid", 2.2, 0.09, 1.1, "competitor", 28,
            ["attribution alternatives", "compare lead scoring"], ["/compare", "/pricing"]),
        Search("google", "gclid", 4, 0.12, 1.15, "spring", 19, ["marketing roi calculator", "lead scoring"], ["/demo", "/product"])
            with { Active = (0.45, 0.8) },
        Search("bing", "msclkid", 1.4, 0.1, 1.1, "product", 15, ["lead scoring software"], ["/product"]),
        new(4, 0.062, 1.0)
        {
            Utm = ("linkedin", "paid-social", "vp-marketing"), ClickId = "li_fat_id", CostPerClick = 19.6, ClickThroughRate = 0.006,
            Landings = ["/resources/attribution-guide", "/demo"],
        },
        new(2.4, 0.07, 0.9)
        {
            Utm = ("linkedin", "paid-social", "benchmark-report"), ClickId = "li_fat_id", CostPerClick = 16.1, ClickThroughRate = 0.007,
            Landings = ["/resources/benchmark-report"], Active = (0.25, 0.65),
        },
        new(1.6, 0.025, 0.55)
        {
            Utm = ("facebook", "paid", "lookalike"), ClickId = "fbclid", CostPerClick = 5.3,
            Landings = ["/resources/benchmark-report"], Trend = -0.5,
        },
        new(1.5, 0.03, 0.75) { Referrer = "https://x.com/", Landings = Website.Articles },
        new(1.2, 0.035, 0.8) { Referrer = "https://www.reddit.com/r/analytics/", Landings = Website.Articles },
        new(3.6, 0.13, 1.5)
        {
            Referrer = "https://reviews.example/software/harbour-analytics", Landings = ["/", "/pricing", "/demo"], IsRecommendation = true,
        },
        new(2.6, 0.12, 1.45)
        {
            Referrer = "https://partner.example/integrations", Landings = ["/integrations", "/demo"], IsRecommendation = true, Trend = 0.6,
        },
        new(1.4, 0.12, 1.1)
        {
            Utm = ("partner-mail", "email", "joint-webinar"), Landings = ["/events/pipeline-webinar"], Active = (0.55, 0.7),
        },
        new(4.5, 0.01, 0.5)
        {
            Utm = ("trade-press", "cpm", "awareness"), CostPerClick = 9.2, ClickThroughRate = 0.0012,
            Landings = ["/", "/product"], Trend = -0.3,
        },
        new(1.1, 0.02, 0.7)
        {
            Utm = ("youtube", "cpv", "product-tour"), CostPerClick = 3.7, ClickThroughRate = 0.01, Landings = ["/product"],
        },
        new(1.2, 0.04, 0.9) { Referrer = "https://www.youtube.com/", Landings = ["/product", "/docs/getting-started"] },
        new(1, 0.06, 0.9)
        {
            Utm = ("google", "cpc", "cross-network-growth"), ClickId = "gclid", CostPerClick = 10.5,
            ClickThroughRate = 0.008, Active = (0.5, 1),
        },
        new(0.8, 0.06, 0.8)
        {
            Utm = ("content-network", "cpa", "syndication"), CostPerClick = 23.8, Landings = ["/resources/attribution-guide"],
        },
        new(1.1, 0.05, 0.9) { Utm = ("software-list", "affiliate", "listing"), CostPerClick = 6.8, Landings = ["/pricing"] },
        new(0.5, 0.06, 1.0) { Utm = ("revenue-podcast", "audio", "season-two"), CostPerClick = 12.8, Landings = ["/demo"] },
        new(0.3, 0.08, 1.0)
        {
            Utm = ("sms", "sms", "event-reminder"), CostPerClick = 1, Landings = ["/events/pipeline-webinar"], Active = (0.55, 0.7),
        },
        new(0.4, 0.05, 0.9) { Utm = ("app", "push", "report-ready"), Landings = ["/docs/reports"] },
        new(0.25, 0.02, 0.6)
        {
            Utm = ("google", "cpc", "shopping-software"), ClickId = "gclid", CostPerClick = 5.8, Landings = ["/pricing"],
        },
        new(0.2, 0.02, 0.6) { Referrer = "https://www.amazon.com/", Landings = ["/"] },
        new(1.6, 0.085, 1.2)
        {
            Referrer = "https://chatgpt.com/", Landings = ["/product", "/compare", "/docs/attribution-models"], Trend = 2,
        },
        new(0.5, 0.09, 1.2) { Referrer = "https://www.perplexity.ai/", Landings = ["/compare", "/pricing"], Trend = 2 },
        new(0.6, 0.03, 0.8) { Utm = ("qr", "print", "trade-fair"), Landings = ["/demo"], Active = (0.3, 0.5) },
    ];

    public static Source Pick(Dice dice, double progress) => dice.Pick(All, source => source.WeightAt(progress));

    /// <summary>By what way somebody comes back.</summary>
    public static Source PickReturn(Dice dice, bool isKnown) => dice.Next() switch
    {
        < 0.46 => Direct,
        < 0.70 => OrganicGoogle,
        < 0.79 => OrganicLinkedIn,
        < 0.88 => Retargeting,
        _ => isKnown ? Newsletter : Direct,
    };

    private static Source Search(
        string engine, string clickId, double weight, double leadRate, double quality, string campaign, double cost, string[] keywords,
        string[] landings) =>
        new(weight, leadRate, quality)
        {
            Utm = (engine, "cpc", campaign),
            ClickId = clickId,
            Keywords = keywords,
            Landings = landings,
            CostPerClick = cost,
            ClickThroughRate = 0.045,
            Referrer = engine == "google" ? "https://www.google.com/" : "https://www.bing.com/",
        };
}
