using System.Text;

namespace Lifecycle.Retention.Domain;

/// <summary>A theme as rules read it.</summary>
public sealed record Theme(Guid Id, string Name, IReadOnlyList<string> Keywords);

/// <summary>Sorts comments into themes by the keywords that users gave them.</summary>
/// <remarks>
/// Comment and keyword are compared as words: letters and digits in lower case, everything else a space. A keyword of several words is
/// found where they follow each other; one that ends in <c>*</c> also finds longer words. There is no stemming: users see why a comment is
/// where it is.
/// </remarks>
public static class ThemeRules
{
    /// <summary>Themes that the comment speaks of, in the order given.</summary>
    public static IEnumerable<Theme> Match(string? comment, IEnumerable<Theme> themes)
    {
        var words = Words(comment ?? "");
        return words.Length <= 1 ? [] : themes.Where(theme => theme.Keywords.Any(keyword => Holds(words, keyword)));
    }

    /// <summary>Whether a keyword says anything at all.</summary>
    public static bool IsKeyword(string keyword) => Words(keyword).Length > 1;

    private static bool Holds(string words, string keyword)
    {
        var wanted = Words(keyword);
        return wanted.Length > 1
            && words.Contains(keyword.TrimEnd().EndsWith('*') ? wanted.TrimEnd(' ') : wanted, StringComparison.Ordinal);
    }

    /// <summary>Words with a space before and after each.</summary>
    private static string Words(string text)
    {
        var result = new StringBuilder(" ");
        foreach (var letter in text.Normalize(NormalizationForm.FormC))
        {
            if (char.IsLetterOrDigit(letter))
            {
                result.Append(char.ToLowerInvariant(letter));
            }
            else if (result[^1] != ' ')
            {
                result.Append(' ');
            }
        }

        return result[^1] == ' ' ? result.ToString() : result.Append(' ').ToString();
    }
}
