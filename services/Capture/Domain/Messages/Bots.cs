using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>
/// Tells robots by their user agent: crawlers, AI crawlers, monitors, previewers, headless browsers, scanners and scripts that say what
/// they are, by the tokens of the embedded <c>bots.json</c> and by names that end in bot, crawler or spider. <see cref="BotSignals"/> and
/// <see cref="Visits.BotPolicy"/> look for those that hide.
/// </summary>
public static partial class Bots
{
    /// <summary>Longest user agent that is looked at, characters.</summary>
    public const int MaxLength = 2000;

    // Tokens of libraries stand first in a user agent: apps for people name theirs in the middle.
    private static readonly (SearchValues<string> Anywhere, SearchValues<string> First, string[] All) Tokens = Load();

    /// <summary>User-agent tokens known.</summary>
    public static int TokenCount => Tokens.All.Length;

    /// <summary>The robot's name in lower case, or null for anything else.</summary>
    public static string? Find(string? userAgent)
    {
        if (string.IsNullOrWhiteSpace(userAgent) || userAgent.Length > MaxLength)
        {
            return null;
        }

        var match = Named().Match(userAgent);
        if (match.Success)
        {
            return match.Value.ToLowerInvariant();
        }

        var text = userAgent.AsSpan().TrimStart();
        if (text.IndexOfAny(Tokens.First) == 0)
        {
            return Name(text, 0);
        }

        for (var start = 0; start < text.Length;)
        {
            var found = text[start..].IndexOfAny(Tokens.Anywhere);
            if (found < 0)
            {
                return null;
            }

            start += found;
            if (start == 0 || !char.IsAsciiLetterOrDigit(text[start - 1]))
            {
                return Name(text, start);
            }

            start++;
        }

        return null;
    }

    // The whole word of which the token is a part: "AhrefsSiteAudit" for "ahrefs".
    private static string Name(ReadOnlySpan<char> text, int start)
    {
        var end = start;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '-' or '_' or '.'))
        {
            end++;
        }

        return text[start..end].TrimEnd('.').ToString().ToLowerInvariant();
    }

    private static (SearchValues<string> Anywhere, SearchValues<string> First, string[] All) Load()
    {
        using var stream = typeof(Bots).Assembly.GetManifestResourceStream("Lifecycle.Capture.Domain.Messages.bots.json")!;
        using var document = JsonDocument.Parse(stream);
        var groups = document.RootElement.EnumerateObject().Where(group => group.Value.ValueKind == JsonValueKind.Array)
            .ToDictionary(group => group.Name, group => group.Value.EnumerateArray().Select(token => token.GetString()!).ToArray());
        var first = groups["libraries"];
        var anywhere = groups.Where(group => group.Key != "libraries").SelectMany(group => group.Value).ToArray();
        return (
            SearchValues.Create(anywhere, StringComparison.OrdinalIgnoreCase),
            SearchValues.Create(first, StringComparison.OrdinalIgnoreCase), [.. anywhere, .. first]);
    }

    // Every repetition is bounded, so that the work is linear in the length of the text. "Cubot" is a maker of telephones: its name is the
    // one in which "bot" ends a word of a person's browser.
    [GeneratedRegex(
        @"\b(?!cubot\b)[\w.-]{0,40}bot(\b|(?=_)) | \b[\w.-]{0,40}(crawl(er)?|spider)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Named();
}
