using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>The plain-text part of a mail, made from its HTML.</summary>
public static partial class PlainText
{
    private const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;

    /// <summary>
    /// Drops style, script and head, breaks lines at blocks, marks list items with <c>- </c>, and writes a link as <c>text (address)</c>.
    /// At most one empty line in a row.
    /// </summary>
    public static string FromHtml(string html)
    {
        var text = Invisible().Replace(html, "");
        text = Comment().Replace(text, "");
        text = Space().Replace(text, " ");
        text = Anchor().Replace(text, match =>
        {
            var (target, label) = (match.Groups["url"].Value, Tag().Replace(match.Groups["label"].Value, "").Trim());
            return label.Length == 0 || label == target ? target : $"{label} ({target})";
        });
        text = ListItem().Replace(text, "\n- ");
        text = Break().Replace(text, "\n");
        text = Block().Replace(text, "\n\n");
        text = WebUtility.HtmlDecode(Tag().Replace(text, ""));
        return Tidy(text);
    }

    private static string Tidy(string text)
    {
        var result = new StringBuilder();
        var empty = true;
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            if (line.Length > 0 || !empty)
            {
                result.Append(line).Append('\n');
            }

            empty = line.Length == 0;
        }

        return result.ToString().Trim() + "\n";
    }

    [GeneratedRegex(@"<(style|script|head|title)\b.*?</\1\s*>", Options | RegexOptions.Singleline, 2000)]
    private static partial Regex Invisible();

    [GeneratedRegex("<!--.*?-->", RegexOptions.Singleline | RegexOptions.CultureInvariant, 2000)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex Space();

    [GeneratedRegex("""<a\b[^>]*?\shref\s*=\s*["'](?<url>[^"']*)["'][^>]*>(?<label>.*?)</a\s*>""", Options, 2000)]
    private static partial Regex Anchor();

    [GeneratedRegex(@"<li\b[^>]*>", Options, 2000)]
    private static partial Regex ListItem();

    [GeneratedRegex(@"<br\b[^>]*>|</(li|tr)\s*>", Options, 2000)]
    private static partial Regex Break();

    [GeneratedRegex(@"</?(p|div|h[1-6]|ul|ol|table|blockquote|section|article|header|footer|hr)\b[^>]*>", Options, 2000)]
    private static partial Regex Block();

    [GeneratedRegex("<[^>]+>", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex Tag();
}
