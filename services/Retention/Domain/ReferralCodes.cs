namespace Lifecycle.Retention.Domain;

/// <summary>Codes of referral links, and how they come back on a person.</summary>
public static class ReferralCodes
{
    /// <summary>Name of the query parameter, trait or property; capitals, hyphens and underscores make no difference.</summary>
    public const string Name = "referralCode";

    public const int MinLength = 4;

    public const int MaxLength = 32;

    /// <summary>Length of a code nobody chose: 31^8 ≈ 8.5 · 10¹¹.</summary>
    public const int RandomLength = 8;

    /// <summary>Capitals and digits that nobody takes for one another.</summary>
    public const string Alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    /// <summary>The code in capitals; null for text that is none.</summary>
    public static string? Normalize(string? text)
    {
        var code = text?.Trim().ToUpperInvariant();
        return code is { Length: >= MinLength and <= MaxLength }
            && code.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_') ? code : null;
    }

    /// <summary>Whether a trait or property is the code.</summary>
    public static bool IsName(string name) => name.Length is >= 12 and <= 14
        && string.Concat(name.Where(letter => letter is not ('-' or '_'))).Equals(Name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The code in an address's query; null without one.</summary>
    public static string? OfAddress(string? address)
    {
        if (address is null || !address.Contains(Name, StringComparison.OrdinalIgnoreCase)
            || !Uri.TryCreate(address, UriKind.Absolute, out var uri))
        {
            return null;
        }

        foreach (var pair in uri.Query.TrimStart('?').Split('&'))
        {
            if (pair.Split('=', 2) is [var name, var value] && name.Equals(Name, StringComparison.OrdinalIgnoreCase))
            {
                return Normalize(Uri.UnescapeDataString(value));
            }
        }

        return null;
    }

    /// <summary>The code among traits; null without one.</summary>
    public static string? OfTraits(IReadOnlyDictionary<string, string> traits)
    {
        foreach (var (name, value) in traits)
        {
            if (IsName(name))
            {
                return Normalize(value);
            }
        }

        return null;
    }
}
