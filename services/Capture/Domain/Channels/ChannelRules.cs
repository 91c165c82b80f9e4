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

    /// <summary>A page of a search company that is no search result, such as a shared document.</summary>
    NotSearch,
}

/// <summary>An advertising click id: the query parameter and the campaign it stands for.</summary>
/// <param name="Name">Parameter, lower case.</param>
/// <param name="Source">Source when no utm_source is given.</param>
/// <param name="Medium">Medium when no utm_medium is given; <c>referral</c> for ids that links get without being paid for.</param>
public sealed record ClickIdRule(string Name, string Source, string Medium);

/// <summary>A search engine.</summary>
/// <param name="Name">Source of visits from it.</param>
/// <param name="Keywords">Query parameters that hold what was searched for, likeliest first.</param>
/// <param name="Hosts">Hosts, with names below them; <c>google.*</c> means under any public suffix.</param>
public sealed record SearchEngine(string Name, IReadOnlyList<string> Keywords, IReadOnlyList<string> Hosts);

/// <summary>A known site.</summary>
/// <param name="Category">Kind.</param>
/// <param name="Site">Part of the host by which it is known.</param>
/// <param name="Engine">The search engine, where it is one.</param>
public readonly record struct KnownSite(SiteCategory Category, string Site, SearchEngine? Engine);

/// <summary>The versioned data of the channel rules, from the embedded <c>channels.json</c>.</summary>
public sealed class ChannelRules
{
    private readonly Dictionary<string, SiteCategory> names = [];
    private readonly HostTable<(SiteCategory Category, SearchEngine? Engine)> sites = new();
    private readonly HostTable<bool> paymentAndLogin = new();
    private readonly HashSet<string> sharedSuffixes;
    private readonly Dictionary<string, string> applications;

    private ChannelRules(JsonElement data)
    {
        Version = data.GetProperty("version").GetString()!;
        var hosts = new Dictionary<SiteCategory, int>();
        foreach (var category
            in new[] { SiteCategory.Social, SiteCategory.Shopping, SiteCategory.Video, SiteCategory.Assistants, SiteCategory.Mail })
        {
            var part = data.GetProperty(JsonNamingPolicy.CamelCase.ConvertName(category.ToString()));
            AddNames(part, category);
            hosts[category] = AddHosts(part.GetProperty("hosts"), category);
        }

        var search = data.GetProperty("search");
        AddNames(search, SiteCategory.Search);
        var engines = search.GetProperty("engines").Deserialize<SearchEngine[]>(JsonSerializerOptions.Web)!;
        SearchEngines = engines.Length;
        foreach (var engine in engines)
        {
            hosts[SiteCategory.Search] = hosts.GetValueOrDefault(SiteCategory.Search) + engine.Hosts.Count;
            foreach (var host in engine.Hosts)
            {
                sites.Add(host, (SiteCategory.Search, engine));
            }
        }

        hosts[SiteCategory.NotSearch] = AddHosts(data.GetProperty("notSearch"), SiteCategory.NotSearch);
        foreach (var host in Texts(data.GetProperty("paymentHosts")).Concat(Texts(data.GetProperty("loginHosts"))))
        {
            paymentAndLogin.Add(host, true);
        }

        Hosts = hosts;
        sharedSuffixes = Texts(data.GetProperty("sharedSuffixes")).ToHashSet(StringComparer.Ordinal);
        applications = data.GetProperty("applications").EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetString()!);
        ClickIds = data.GetProperty("clickIds").Deserialize<ClickIdRule[]>(JsonSerializerOptions.Web)!;
    }

    /// <summary>The rules this build ships.</summary>
    public static ChannelRules Default { get; } = Load();

    /// <summary>Version of the data, e.g. <c>2026-11</c>.</summary>
    public string Version { get; }

    /// <summary>Click ids, strongest first.</summary>
    public IReadOnlyList<ClickIdRule> ClickIds { get; }

    /// <summary>Host patterns by category.</summary>
    public IReadOnlyDictionary<SiteCategory, int> Hosts { get; }

    /// <summary>Search engines known.</summary>
    public int SearchEngines { get; }

    /// <summary>Patterns of payment and login hosts.</summary>
    public int PaymentAndLoginHosts => paymentAndLogin.Count;

    /// <summary>Category of a utm_source: a known name, or a host.</summary>
    public SiteCategory? OfSource(string source) =>
        names.TryGetValue(source, out var category) ? category
            : source.Contains('.', StringComparison.Ordinal) ? OfHost(source)?.Category : null;

    /// <summary>The known site that a host belongs to; null for any other.</summary>
    public KnownSite? OfHost(string host) =>
        sites.TryFind(host, out var found) ? new(found.Value.Category, found.Site, found.Value.Engine) : null;

    /// <summary>Whether visitors come back from that host after a payment or a sign-in, so that it is not where they came from.</summary>
    public bool IsPaymentOrLogin(string host) => paymentAndLogin.Contains(host);

    /// <summary>Site that stands for an Android application's package name, where known.</summary>
    public string? OfApplication(string package) => applications.GetValueOrDefault(package);

    /// <summary>
    /// The name registered under a public suffix, or under a host where many owners publish: <c>blog.example.co.uk</c> →
    /// <c>example.co.uk</c>, <c>acme.github.io</c> → <c>acme.github.io</c>.
    /// </summary>
    public string RegisteredName(string host)
    {
        var labels = host.Split('.');
        var keep = HostName.PublicSuffixLabels(labels) + 1;
        while (keep < labels.Length && sharedSuffixes.Contains(string.Join('.', labels[^keep..])))
        {
            keep++;
        }

        return labels.Length <= keep ? host : string.Join('.', labels[^keep..]);
    }

    private void AddNames(JsonElement part, SiteCategory category)
    {
        foreach (var name in Texts(part.GetProperty("names")))
        {
            names.Add(name, category);
        }
    }

    private int AddHosts(JsonElement list, SiteCategory category)
    {
        foreach (var host in Texts(list))
        {
            sites.Add(host, (category, null));
        }

        return list.GetArrayLength();
    }

    private static IEnumerable<string> Texts(JsonElement list) => list.EnumerateArray().Select(item => item.GetString()!);

    private static ChannelRules Load()
    {
        using var stream = typeof(ChannelRules).Assembly.GetManifestResourceStream("Lifecycle.Capture.Domain.Channels.channels.json")!;
        using var document = JsonDocument.Parse(stream);
        return new ChannelRules(document.RootElement);
    }
}
