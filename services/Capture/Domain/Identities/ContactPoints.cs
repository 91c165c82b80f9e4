using System.Diagnostics.CodeAnalysis;

namespace Lifecycle.Capture.Domain.Identities;

/// <summary>E-mail addresses and telephone numbers in the one form by which people are told apart.</summary>
public static class ContactPoints
{
    /// <summary>
    /// Trimmed and lower case. Holds a text for an address when it has one @ with 1 to 64 characters before it, a dotted domain after it,
    /// no white space, and at most 254 characters in all (RFC 5321 limits); whether mail arrives there only sending can tell.
    /// </summary>
    public static bool TryEmail(string? text, [NotNullWhen(true)] out string? email)
    {
        email = text?.Trim().ToLowerInvariant();
        if (email is null || email.Length > 254 || email.Any(
            character => char.IsWhiteSpace(character) || char.IsControl(character) || character is ',' or ';' or '<' or '>' or '"'))
        {
            email = null;
            return false;
        }

        var at = email.IndexOf('@', StringComparison.Ordinal);
        var domain = at < 0 ? "" : email[(at + 1)..];
        if (at is < 1 or > 64 || !domain.Contains('.', StringComparison.Ordinal) || domain.Contains('@', StringComparison.Ordinal)
            || domain.Split('.').Any(label => label.Length == 0))
        {
            email = null;
            return false;
        }

        return true;
    }

    /// <summary>Digits with a leading + where one was given (00 counts as +); 5 to 15 digits (ITU-T E.164), else no number.</summary>
    public static bool TryPhone(string? text, [NotNullWhen(true)] out string? phone)
    {
        phone = null;
        if (string.IsNullOrWhiteSpace(text)
            || text.Any(character => !char.IsAsciiDigit(character) && !" +-().\u00a0/".Contains(character, StringComparison.Ordinal)))
        {
            return false;
        }

        var trimmed = text.Trim();
        var digits = new string(trimmed.Where(char.IsAsciiDigit).ToArray());
        var international = trimmed.StartsWith('+');
        if (!international && digits.StartsWith("00", StringComparison.Ordinal))
        {
            (international, digits) = (true, digits[2..]);
        }

        if (digits.Length is < 5 or > 15)
        {
            return false;
        }

        phone = international ? "+" + digits : digits;
        return true;
    }
}
