using Lifecycle.Kernel;

namespace Lifecycle.Capture.Domain.Channels;

/// <summary>
/// Host names as senders write them, brought to one form: lower case, punycode, without port, leading <c>www.</c> and trailing dot.
/// </summary>
public static class HostName
{
    /// <summary>Longest name that the domain name system allows.</summary>
    private const int MaxLength = 253;

    // Second-level labels under which countries register names, as in co.uk; enough to find the name before the public suffix.
    private static readonly HashSet<string> SecondLevels =
        ["co", "com", "org", "net", "gov", "edu", "ac", "or", "ne", "go", "gob", "gouv", "gv", "mil", "nom", "sch"];

    /// <summary>The host in the one form; null when it is none.</summary>
    public static string? Normal(string? host)
    {
        var bare = host?.Trim().TrimEnd('.');
        if (string.IsNullOrEmpty(bare) || bare.Length > MaxLength || bare.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        bare = DomainName.Normal(bare);
        return bare.StartsWith("www.", StringComparison.Ordinal) && bare.Length > 4 ? bare[4..] : bare;
    }

    /// <summary>A company's web domain as people tell it: a bare name in the one form, the address of a page as it is.</summary>
    public static string OfCompany(string text) => text.AsSpan().IndexOfAny("/:@ ") < 0 ? DomainName.Normal(text) : text;

    /// <summary>
    /// Scheme and host of an address. An address without a scheme (<c>//a.example/x</c>, <c>a.example/x</c>) is one of the web; null for
    /// paths, the words <c>null</c> and <c>undefined</c>, and anything else that names no host.
    /// </summary>
    public static (string Scheme, string Host)? OfAddress(string? text)
    {
        var address = text?.Trim();
        if (string.IsNullOrEmpty(address))
        {
            return null;
        }

        if (address.StartsWith("//", StringComparison.Ordinal))
        {
            address = "https:" + address;
        }
        else if (!address.Contains("://", StringComparison.Ordinal))
        {
            var end = address.AsSpan().IndexOfAny("/?#");
            var name = end < 0 ? address.AsSpan() : address.AsSpan(0, end);
            // A name ends in letters; what does not is a version, a number or a sentence.
            if (!name.Contains('.') || name.ContainsAny(" :@") || !char.IsLetter(name[^1]))
            {
                return null;
            }

            address = "https://" + address;
        }

        return Uri.TryCreate(address, UriKind.Absolute, out var uri) && Normal(uri.Host) is { } host ? (uri.Scheme, host) : null;
    }

    /// <summary>Labels of the public suffix: 2 for <c>co.uk</c> and its like, else 1.</summary>
    internal static int PublicSuffixLabels(string[] labels) =>
        labels.Length > 2 && labels[^1].Length == 2 && SecondLevels.Contains(labels[^2]) ? 2 : 1;
}

/// <summary>
/// Values by host. A pattern <c>a.example</c> means the name and everything below it, <c>*.a.example</c> only what is below it, <c>a.*</c>
/// the name under any public suffix. The most specific pattern wins.
/// </summary>
internal sealed class HostTable<T>
{
    private readonly Dictionary<string, T> names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, T> below = new(StringComparer.Ordinal);
    private readonly Dictionary<string, T> anySuffix = new(StringComparer.Ordinal);

    public int Count => names.Count + below.Count + anySuffix.Count;

    public void Add(string pattern, T value)
    {
        if (pattern.StartsWith("*.", StringComparison.Ordinal))
        {
            below[pattern[2..]] = value;
        }
        else if (pattern.EndsWith(".*", StringComparison.Ordinal))
        {
            anySuffix[pattern[..^2]] = value;
        }
        else
        {
            names[pattern] = value;
        }
    }

    /// <summary>The value and the part of the host by which it is known (<c>l.facebook.com</c> → <c>facebook.com</c>).</summary>
    public bool TryFind(string host, out (T Value, string Site) found)
    {
        var labels = host.Split('.');
        var suffix = HostName.PublicSuffixLabels(labels);
        for (var start = 0; start < labels.Length; start++)
        {
            var site = start == 0 ? host : string.Join('.', labels[start..]);
            if (names.TryGetValue(site, out var value)
                || (start > 0 && below.TryGetValue(site, out value))
                || (start < labels.Length - suffix && anySuffix.TryGetValue(string.Join('.', labels[start..^suffix]), out value)))
            {
                found = (value, site);
                return true;
            }
        }

        found = default;
        return false;
    }

    public bool Contains(string host) => Count > 0 && TryFind(host, out _);
}
