using System.Diagnostics.CodeAnalysis;
using Lifecycle.Kernel;

namespace Lifecycle.Capture.Domain.Identities;

/// <summary>E-mail addresses and telephone numbers in the one form by which people are told apart.</summary>
public static class ContactPoints
{
    /// <summary>As <see cref="EmailKey.Of"/>.</summary>
    public static bool TryEmail(string? text, [NotNullWhen(true)] out string? email) => (email = EmailKey.Of(text)) is not null;

    /// <summary>
    /// Digits with a leading + where one was given (00 counts as +); 5 to 15 digits (ITU-T E.164), else no number. The (0) of
    /// +49 (0)30 123456, which is dialled within the country only, is none of them.
    /// </summary>
    public static bool TryPhone(string? text, [NotNullWhen(true)] out string? phone)
    {
        phone = null;
        if (string.IsNullOrWhiteSpace(text)
            || text.Any(character => !char.IsAsciiDigit(character) && !" +-().\u00a0/".Contains(character, StringComparison.Ordinal)))
        {
            return false;
        }

        var trimmed = text.Trim();
        var digits = Digits(trimmed);
        var international = trimmed.StartsWith('+');
        if (!international && digits.StartsWith("00", StringComparison.Ordinal))
        {
            (international, digits) = (true, digits[2..]);
        }

        // In Italy the 0 is dialled from abroad, too.
        if (international && trimmed.Contains("(0)", StringComparison.Ordinal) && !digits.StartsWith("39", StringComparison.Ordinal))
        {
            var national = trimmed.IndexOf("(0)", StringComparison.Ordinal);
            digits = Digits(trimmed[..national])[(trimmed[0] == '+' ? 0 : 2)..] + Digits(trimmed[(national + 3)..]);
        }

        if (digits.Length is < 5 or > 15)
        {
            return false;
        }

        phone = international ? "+" + digits : digits;
        return true;
    }

    private static string Digits(string text) => new(text.Where(char.IsAsciiDigit).ToArray());
}
