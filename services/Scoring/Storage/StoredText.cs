using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Lifecycle.Scoring.Storage;

/// <summary>Postgres holds no NUL character, in text or jsonb; senders' texts may contain one, and nobody misses it.</summary>
internal static partial class StoredText
{
    /// <summary>Whether <see cref="Clean"/> leaves it as it is.</summary>
    public static bool IsClean(string? text) => text?.Contains('\0') != true;

    [return: NotNullIfNotNull(nameof(text))]
    public static string? Clean(string? text) => text?.Replace("\0", "", StringComparison.Ordinal);

    public static string CleanJson(string json) =>
        json.Contains(@"\u0000", StringComparison.Ordinal) ? EscapedNul().Replace(json, "$1") : json;

    // An even number of backslashes before it is text of its own.
    [GeneratedRegex(@"(?<!\\)((?:\\\\)*)\\u0000")]
    private static partial Regex EscapedNul();
}
