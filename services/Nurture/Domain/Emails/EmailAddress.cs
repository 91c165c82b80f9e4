using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>Addresses as the suite compares them: trimmed, lower case, the domain in its ASCII form.</summary>
public static class EmailAddress
{
    /// <summary>Longest address that SMTP carries (RFC 5321, 4.5.3.1.3, without the angle brackets).</summary>
    public const int MaxLength = 254;

    private static readonly IdnMapping Idn = new();

    /// <summary>
    /// The address in comparable form, or null when it is none: a local part, one @, a domain with a dot, no space or control character.
    /// </summary>
    public static string? Normalize(string? text)
    {
        var address = text?.Trim();
        if (address is null || address.Length is 0 or > MaxLength || address.Any(IsForbidden))
        {
            return null;
        }

        var at = address.LastIndexOf('@');
        if (at is <= 0 or > 64 || address.IndexOf('@', StringComparison.Ordinal) != at || !TryDomain(address[(at + 1)..], out var domain))
        {
            return null;
        }

        return address[..at].ToLowerInvariant() + "@" + domain;
    }

    /// <summary>SHA-256 of a normalized address: what is left of a suppression once the person is erased.</summary>
    public static byte[] Hash(string normalized) => SHA256.HashData(Encoding.UTF8.GetBytes(normalized));

    private static bool IsForbidden(char letter) => char.IsWhiteSpace(letter) || char.IsControl(letter) || letter is '<' or '>';

    private static bool TryDomain(string text, out string domain)
    {
        domain = "";
        try
        {
            domain = Idn.GetAscii(text).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return false;
        }

        return domain.Contains('.', StringComparison.Ordinal)
            && domain.Split('.')
                .All(label => label.Length is > 0 and <= 63 && label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-'));
    }
}
