using DemoCompany.Market;

namespace DemoCompany.Traffic;

/// <summary>Writes down what one visitor does, message by message. What would come after the end of the history does not happen.</summary>
/// <param name="plan">Whose history.</param>
/// <param name="index">Number of the visitor.</param>
/// <param name="userAgent">The visitor's browser.</param>
/// <param name="spend">Counts the clicks that are paid.</param>
internal sealed class Journey(Plan plan, int index, string userAgent, SpendBook spend)
{
    private readonly List<Message> messages = [];
    private int sequence;
    private string? page;

    public IReadOnlyList<Message> Messages => messages;

    /// <summary>Time of what happens next.</summary>
    public DateTimeOffset Clock { get; set; }

    /// <summary>Set once the visitor is known; later messages carry it.</summary>
    public string? UserId { get; set; }

    private string DeviceId => $"device-{index:D6}";

    /// <summary>A visit: the landing page with the marks of its source, then some pages more.</summary>
    public void Visit(Source source, Interest interest, int pages, Dice dice)
    {
        page = null;
        if (Clock < plan.Now)
        {
            spend.Click(source, Clock);
        }

        var landing = interest == Interest.Job && dice.Chance(0.6) ? "/careers" : dice.Pick(source.Landings);
        See(landing, Query(source, dice), source.Referrer);
        for (var count = 1; count < pages; count++)
        {
            Clock = Clock.AddSeconds(6 + Math.Min(dice.Exponential(55), 900));
            See(Website.NextPage(dice, interest), "", page);
        }
    }

    public void See(string path, string query = "", string? referrer = null)
    {
        var url = $"{Website.Address}{path}{query}";
        Add(new("page", NextId(), Clock, DeviceId, UserId)
        {
            Context = new(new(url, path, Website.Title(path), referrer ?? page), userAgent),
        });
        page = $"{Website.Address}{path}";
    }

    /// <returns>Whether it happened.</returns>
    public bool Track(string name, Dictionary<string, object> properties) =>
        Add(new("track", NextId(), Clock, DeviceId, UserId) { Event = name, Properties = properties, Context = new(null, userAgent) });

    public void Identify(Dictionary<string, object> traits) => Add(new("identify", NextId(), Clock, DeviceId, UserId) { Traits = traits });

    /// <summary>What the mail system's server tells: it knows the person, not the device.</summary>
    public bool Mail(string name, DateTimeOffset time, Dictionary<string, object> properties) =>
        Add(new("track", NextId(), time, null, UserId) { Event = name, Properties = properties });

    private bool Add(Message message)
    {
        if (message.Timestamp >= plan.Now)
        {
            return false;
        }

        messages.Add(message);
        return true;
    }

    // Numbered whether it happens or not: the ids stay the same when the history ends later.
    private string NextId() => $"demo-{plan.Seed}-{index:D6}-{sequence++:D3}";

    private string Query(Source source, Dice dice)
    {
        var parts = new List<string>();
        if (source.Utm is { } utm)
        {
            parts.AddRange([$"utm_source={utm.Source}", $"utm_medium={utm.Medium}", $"utm_campaign={utm.Campaign}"]);
        }

        if (source.Keywords.Count > 0)
        {
            parts.Add($"utm_term={Uri.EscapeDataString(dice.Pick(source.Keywords))}");
        }

        if (source.ClickId is { } name)
        {
            parts.Add($"{name}=demo{index:x}{sequence:x}");
        }

        return parts.Count == 0 ? "" : $"?{string.Join('&', parts)}";
    }
}
