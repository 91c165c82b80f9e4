using System.Text.Json;

namespace Lifecycle.Capture.Domain.Channels;

/// <summary>Kind of site or sender, as far as channels care.</summary>
public enum SiteCategory
{
    Search,
    Social,
    Shopping,
    Video,
    Assistants,
    Mail,

    /// <summary>A page of a search company that is no search result, such as its sign-in.</summary>
    Excluded,
}

/// <summary>An advertising click id: the query parameter and the campaign it stands for.</summary>
/// <param name="Name">Parameter, lower case.</param>
/// <param name="Source">Source when no utm_source is given.</param>
/// <param name="Medium">Medium when no utm_medium is given; <c>referral</c> for ids that links get without being paid for.</param>
public sealed record ClickIdRule(string Name, string Source, string Medium);

/// <summary>The versioned data of the channel rules, from the embedded <c>channels.json</c>.</summary>
public sealed class ChannelRules
{
    // Second-level labels under which countries register names, as in co.uk; enough to find the name before the public suffix.
    private static readonly HashSet<string> SecondLevels = ["co", "com", "org", "net", "gov", "edu", "ac", "or", "ne", "go"];

    private readonly Dictionary<string, SiteCategory> names = [];
    private readonly Dictionary<string, SiteCategory> hosts = [];
    private readonly Dictionary<string, SiteCategory> anySuffix = [];
    private readonly Dictionary<string, string> applications;

    private ChannelRules(JsonElement data)
    {
        Version = data.GetProperty("version").GetString()!;
        foreach (var category in Enum.GetValues<SiteCategory>())
        {
            if (category == SiteCategory.Excluded)
            {
                AddHosts(data.GetProperty("excludedHosts"), category);
                continue;
            }

            var part = data.GetProperty(JsonNamingPolicy.CamelCase.ConvertName(category.ToString()));
            AddHosts(part.GetProperty("hosts"), category);
            foreach (var name in part.GetProperty("names").EnumerateArray())
            {
                names.Add(name.GetString()!, category);
            }
        }

        applications = data.GetProperty("applications").EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetString()!);
        ClickIds = data.GetProperty("clickIds").Deserialize<ClickIdRule[]>(JsonSerializerOptions.Web)!;
    }

    /// <summary>The rules this build ships.</summary>
    public static ChannelRules Default { get; } = Load();

    /// <summary>Version of the data, e.g. <c>2026-11</c>.</summary>
    public string Version { get; }

    /// <summary>Click ids, strongest first.</summary>
    public IReadOnlyList<ClickIdRule> ClickIds { get; }

    /// <summary>Category of a utm_source: a known name, or a host.</summary>
    public SiteCategory? OfSource(string source) =>
        names.TryGetValue(source, out var category) ? category : source.Contains('.', StringComparison.Ordinal) ? OfHost(source)?.Category : null;

    /// <summary>Category of a host and the part of the host by which it is known (<c>l.facebook.com</c> → <c>facebook.com</c>); the most specific entry wins.</summary>
    public (SiteCategory Category, string Site)? OfHost(string host)
    {
        var labels = host.Split('.');
        var suffix = PublicSuffixLabels(labels);
        for (var start = 0; start < labels.Length; start++)
        {
            var site = string.Join('.', labels[start..]);
            if (hosts.TryGetValue(site, out var category))
            {
                return (category, site);
            }

            if (start < labels.Length - suffix && anySuffix.TryGetValue(string.Join('.', labels[start..^suffix]), out category))
            {
                return (category, site);
            }
        }

        return null;
    }

    /// <summary>Site that stands for an Android application's package name, where known.</summary>
    public string? OfApplication(string package) => applications.GetValueOrDefault(package);

    /// <summary>The name registered under a public suffix: <c>blog.example.co.uk</c> → <c>example.co.uk</c>.</summary>
    public static string RegisteredName(string host)
    {
        var labels = host.Split('.');
        var keep = PublicSuffixLabels(labels) + 1;
        return labels.Length <= keep ? host : string.Join('.', labels[^keep..]);
    }

    private static int PublicSuffixLabels(string[] labels) =>
        labels.Length > 2 && labels[^1].Length == 2 && SecondLevels.Contains(labels[^2]) ? 2 : 1;

    private void AddHosts(JsonElement list, SiteCategory category)
    {
        foreach (var host in list.EnumerateArray().Select(item => item.GetString()!))
        {
            if (host.EndsWith(".*", StringComparison.Ordinal))
            {
                anySuffix.Add(host[..^2], category);
            }
            else
            {
                hosts.Add(host, category);
            }
        }
    }

    private static ChannelRules Load()
    {
        using var stream = typeof(ChannelRules).Assembly.GetManifestResourceStream("Lifecycle.Capture.Domain.Channels.channels.json")!;
        using var document = JsonDocument.Parse(stream);
        return new ChannelRules(document.RootElement);
    }
}
