using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Capture.Domain.Channels;

/// <summary>What channel rules look at. Anything may be null.</summary>
/// <param name="Source">utm_source, the search engine's name, the referring host or <c>(direct)</c>.</param>
/// <param name="Medium">utm_medium, <c>organic</c>, <c>referral</c>, <c>email</c> or <c>(none)</c>.</param>
/// <param name="Campaign">utm_campaign.</param>
/// <param name="Keyword">utm_term, or what was searched for.</param>
/// <param name="Referrer">Host of the page before, also where a campaign or an exclusion kept it from being the source.</param>
/// <param name="LandingPage">Address of the page.</param>
/// <param name="ClickId">Advertising click id as <c>name:value</c>.</param>
public sealed record ChannelFacts(
    string? Source, string? Medium, string? Campaign, string? Keyword = null, string? Referrer = null,
    string? LandingPage = null, string? ClickId = null)
    : IFieldSource
{
    /// <summary>Fields that custom rules may read.</summary>
    public static FieldCatalog Catalog { get; } = new(
        new[] { "source", "medium", "campaign", "keyword", "referrer", "landingPage", "landingHost", "landingPath", "clickId", "channel" }
            .ToDictionary(name => name, _ => FieldType.Text));

    /// <summary>Channel by the default rules; the field <c>channel</c>.</summary>
    public string? DefaultChannel { get; init; }

    public FieldValue Get(Field field) => FieldValue.Of(field.Name switch
    {
        "source" => Source,
        "medium" => Medium,
        "campaign" => Campaign,
        "keyword" => Keyword,
        "referrer" => Referrer,
        "landingPage" => LandingPage,
        "landingHost" => HostName.OfAddress(LandingPage)?.Host,
        "landingPath" => Path(LandingPage),
        "clickId" => ClickId?.Split(':')[0],
        _ => DefaultChannel,
    });

    private static string? Path(string? address)
    {
        if (address is null)
        {
            return null;
        }

        var scheme = address.IndexOf("://", StringComparison.Ordinal);
        var start = address.IndexOf('/', scheme < 0 ? 0 : scheme + 3);
        var path = start < 0 ? "/" : address[start..];
        var end = path.AsSpan().IndexOfAny("?#");
        return end < 0 ? path : path[..end];
    }
}
