namespace Lifecycle.Capture.Domain;

/// <summary>Text as the store can hold it.</summary>
public static class Texts
{
    /// <summary>
    /// Trims, drops U+0000 (which Postgres refuses) and cuts to <paramref name="maxLength"/> UTF-16 units without splitting a character;
    /// null when nothing is left.
    /// </summary>
    public static string? Clip(string? text, int maxLength)
    {
        if (text is null)
        {
            return null;
        }

        var clean = (text.Contains('\0', StringComparison.Ordinal) ? text.Replace("\0", "", StringComparison.Ordinal) : text).Trim();
        if (clean.Length > maxLength)
        {
            clean = clean[..(char.IsHighSurrogate(clean[maxLength - 1]) ? maxLength - 1 : maxLength)];
        }

        return clean.Length == 0 ? null : clean;
    }
}
