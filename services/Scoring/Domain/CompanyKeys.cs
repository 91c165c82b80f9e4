using Lifecycle.Kernel;

namespace Lifecycle.Scoring.Domain;

/// <summary>Tells which leads work for the same company.</summary>
public static class CompanyKeys
{
    private const int MaxLength = 200;

    /// <summary>Mail providers for private people: an address there says nothing of a company.</summary>
    private static readonly HashSet<string> PrivateMail = new(StringComparer.OrdinalIgnoreCase)
    {
        "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "ymail.com", "hotmail.com", "hotmail.co.uk",
        "outlook.com", "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "aol.com", "gmx.com", "gmx.de", "gmx.net", "web.de",
        "t-online.de", "freenet.de", "proton.me", "protonmail.com", "mail.com", "mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com",
        "126.com", "naver.com", "orange.fr", "free.fr", "laposte.net", "libero.it", "zoho.com", "fastmail.com", "hey.com", "tutanota.com",
    };

    /// <summary>
    /// The company's web domain without <c>www.</c>, else its name, else the domain of the e-mail address unless that is a provider for
    /// private people; in lower case. Null: no company is known.
    /// </summary>
    public static string? Of(LeadProfile profile)
    {
        var address = profile.Email is { } email && email.LastIndexOf('@') is >= 0 and var at ? email[(at + 1)..] : null;
        return Normalized(Host(profile.Company?.Domain)) ?? Normalized(profile.Company?.Name)
            ?? (address is null || PrivateMail.Contains(address) ? null : Normalized(address));
    }

    /// <summary>
    /// A key as leads have it, whatever a reader writes; one that reads as a domain in the form of <see cref="DomainName"/>.
    /// </summary>
    public static string? Normalized(string? text)
    {
        var key = string.Join(' ', (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToLowerInvariant();
        key = key.Contains('.', StringComparison.Ordinal) && !key.Contains(' ', StringComparison.Ordinal) ? DomainName.Normal(key) : key;
        return key.Length == 0 ? null : key.Length <= MaxLength ? key : key[..MaxLength];
    }

    private static string? Host(string? domain)
    {
        var host = domain?.Trim();
        if (host is not null && Uri.TryCreate(host, UriKind.Absolute, out var uri) && uri.Host.Length > 0)
        {
            host = uri.Host;
        }

        // Without a scheme the path stays: www.acme.example/about.
        host = host?.Split('/')[0];
        return host is not null && host.StartsWith("www.", StringComparison.OrdinalIgnoreCase) ? host[4..] : host;
    }
}
