namespace DemoCompany.Market;

/// <summary>How somebody becomes known.</summary>
internal enum Approach
{
    Demo,
    Contact,
    Content,
    Newsletter,
    Call,
    Chat,
}

/// <summary>A company that may buy.</summary>
internal sealed record Account(string Name, string Domain, string Industry, int Employees, string Country)
{
    private static readonly string[] First =
    [
        "Alder", "Beacon", "Cobalt", "Dune", "Ember", "Fjord", "Granite", "Hollow", "Iris", "Juniper", "Kestrel", "Lumen", "Mistral",
        "Nimbus", "Orchard", "Pebble", "Quarry", "Ridge", "Sable", "Tidal", "Umber", "Vale", "Willow", "Yarrow", "Zephyr",
    ];

    private static readonly string[] Second =
    [
        "Freight", "Health", "Systems", "Foods", "Robotics", "Capital", "Energy", "Software", "Textiles", "Labs", "Insurance", "Tools",
        "Telecom", "Retail",
    ];

    private static readonly (string Name, double Weight)[] Industries =
    [
        ("software", 26), ("manufacturing", 15), ("financial services", 13), ("healthcare", 10), ("telecommunications", 5),
        ("logistics", 9), ("retail", 9), ("education", 6), ("consulting", 7),
    ];

    private static readonly string[] Countries = ["GB", "GB", "DE", "FR", "NL", "US", "US", "IE", "SE"];

    public static Account Make(Dice dice)
    {
        var (first, second, number) = (dice.Pick(First), dice.Pick(Second), dice.Below(40));
        var name = number < 10 ? $"{first} {second}" : $"{first} {second} {number}";
        var employees = (int)Math.Clamp(dice.LogNormal(170, 1.25), 4, 20_000);
        var industry = dice.Pick(Industries, industry => industry.Weight).Name;
        return new(name, $"{name.ToLowerInvariant().Replace(' ', '-')}.example", industry, employees, dice.Pick(Countries));
    }
}

/// <summary>A visitor who becomes known.</summary>
/// <param name="Index">Number of the visitor.</param>
/// <param name="Quality">How likely to buy; 1 is usual.</param>
internal sealed record Person(
    int Index, string FirstName, string LastName, string Title, string Department, Account Account, Approach Approach, Source Source,
    double Quality)
{
    private static readonly string[] FirstNames =
    [
        "Ada", "Amir", "Anna", "Ben", "Carla", "Chen", "Dana", "Elif", "Emil", "Fatima", "Finn", "Grace", "Hugo", "Ines", "Ivan", "Jonas",
        "Kofi", "Lena", "Liam", "Maya", "Mei", "Nadia", "Noah", "Olga", "Omar", "Priya", "Rafael", "Rosa", "Sami", "Sofia", "Tariq", "Uma",
        "Vera", "Wen", "Yara", "Zoe",
    ];

    private static readonly string[] LastNames =
    [
        "Abbott", "Alvarez", "Banerjee", "Berg", "Costa", "Dahl", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kaya",
        "Kowalski", "Larsen", "Meyer", "Mori", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Santos", "Schmidt", "Silva", "Tanaka", "Umar",
        "Visser", "Walker", "Yilmaz", "Zhang",
    ];

    private static readonly (string Title, string Department, double Weight, double Quality)[] Roles =
    [
        ("VP Marketing", "marketing", 9, 1.3), ("Chief Marketing Officer", "marketing", 5, 1.35),
        ("Director of Demand Generation", "marketing", 10, 1.3), ("Head of Sales", "sales", 8, 1.25),
        ("Marketing Manager", "marketing", 20, 1.0), ("Revenue Operations Manager", "operations", 12, 1.1),
        ("Marketing Analyst", "marketing", 14, 0.75), ("Data Engineer", "engineering", 8, 0.65), ("Sales Representative", "sales", 6, 0.6),
        ("Student", "", 5, 0.15), ("Consultant", "consulting", 3, 0.5),
    ];

    private static readonly (Approach Approach, double Weight, double Quality)[] Approaches =
    [
        (Approach.Demo, 26, 1.3), (Approach.Contact, 12, 1.1), (Approach.Content, 32, 0.9), (Approach.Newsletter, 17, 0.7),
        (Approach.Call, 7, 1.25), (Approach.Chat, 6, 1.0),
    ];

    public string UserId => $"hx-{Index:D6}";

    public string DeviceId => $"device-{Index:D6}";

    public string Email => $"{FirstName}.{LastName}.{Index}@{Account.Domain}".ToLowerInvariant();

    public static Person Make(Dice dice, int index, Source source)
    {
        var role = dice.Pick(Roles, role => role.Weight);
        var approach = dice.Pick(Approaches, approach => approach.Weight);
        return new(
            index, dice.Pick(FirstNames), dice.Pick(LastNames), role.Title, role.Department, Account.Make(dice), approach.Approach, source,
            source.Quality * role.Quality * approach.Quality);
    }
}
