using System.Security.Cryptography;
using System.Text;
using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>Addresses to which mail can go.</summary>
public static class EmailAddress
{
    private const int MaxLabel = 63;

    /// <summary>
    /// The address as <see cref="EmailKey.Of"/>, or null when it is none, or its domain is no name that a mail server has (RFC 5321,
    /// 2.3.5).
    /// </summary>
    public static string? Normalize(string? text) =>
        EmailKey.Of(text) is { } address && IsMailDomain(address[(address.IndexOf('@', StringComparison.Ordinal) + 1)..]) ? address : null;

    /// <summary>SHA-256 of a normalized address: what is left of a suppression once the person is erased.</summary>
    public static byte[] Hash(string normalized) => SHA256.HashData(Encoding.UTF8.GetBytes(normalized));

    private static bool IsMailDomain(string domain) => domain.Split('.')
        .All(label => label.Length <= MaxLabel && label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-'));
}
