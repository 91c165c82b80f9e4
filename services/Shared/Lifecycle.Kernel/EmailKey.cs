using System.Text;

namespace Lifecycle.Kernel;

/// <summary>
/// E-mail addresses in the one form by which every service tells people apart: trimmed, lower case, the domain as
/// <see cref="DomainName.Normal"/>.
/// </summary>
public static class EmailKey
{
    /// <summary>Longest address that SMTP carries (RFC 5321, 4.5.3.1.3, without the angle brackets).</summary>
    public const int MaxLength = 254;

    private const int MaxLocalPart = 64;

    /// <summary>
    /// The address in the one form; null when the text is none: it has one @ with 1 to 64 characters before it, a dotted domain after it,
    /// no white space, and at most 254 characters in all. Whether mail arrives there only sending can tell.
    /// </summary>
    public static string? Of(string? text)
    {
        var email = Part(text ?? "");
        var at = email.IndexOf('@', StringComparison.Ordinal);
        return email.Length <= MaxLength && !email.Any(IsForbidden) && at is >= 1 and <= MaxLocalPart && IsDotted(email[(at + 1)..])
            ? email
            : null;
    }

    /// <summary>An address, or a part of one, as a reader writes it to be compared with addresses in the one form.</summary>
    public static string Part(string text)
    {
        var lower = text.Trim().ToLowerInvariant();
        var at = lower.LastIndexOf('@');
        return at < 0 || Ascii.IsValid(lower) ? lower : lower[..(at + 1)] + DomainName.Normal(lower[(at + 1)..]);
    }

    private static bool IsDotted(string domain) =>
        domain.Contains('.', StringComparison.Ordinal) && !domain.Contains('@', StringComparison.Ordinal)
        && domain.Split('.').All(label => label.Length > 0);

    private static bool IsForbidden(char letter) =>
        char.IsWhiteSpace(letter) || char.IsControl(letter) || letter is ',' or ';' or '<' or '>' or '"';
}
