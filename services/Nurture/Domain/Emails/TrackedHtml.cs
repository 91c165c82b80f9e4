using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>HTML of a mail with its links led through the suite.</summary>
/// <param name="Html">HTML with rewritten links.</param>
/// <param name="Links">The original targets, by link index.</param>
public sealed partial record TrackedHtml(string Html, IReadOnlyList<string> Links)
{
    /// <summary>Most links of one mail that are followed; later ones stay as they are.</summary>
    public const int MaxLinks = 200;

    /// <summary>
    /// Rewrites the <c>href</c> of every anchor that leads to http or https, except the unsubscribe link. The same target twice is two
    /// links: their place tells them apart.
    /// </summary>
    /// <param name="html">Rendered HTML.</param>
    /// <param name="unsubscribeUrl">Left as it is.</param>
    /// <param name="linkUrl">Address for a link index.</param>
    public static TrackedHtml Rewrite(string html, string unsubscribeUrl, Func<ushort, string> linkUrl)
    {
        var links = new List<string>();
        var rewritten = AnchorTarget().Replace(html, match =>
        {
            var target = WebUtility.HtmlDecode(match.Groups["url"].Value).Trim();
            if (links.Count >= MaxLinks || target == unsubscribeUrl || !IsWeb(target))
            {
                return match.Value;
            }

            links.Add(target);
            return $"{match.Groups["before"].Value}\"{WebUtility.HtmlEncode(linkUrl((ushort)(links.Count - 1)))}\"";
        });
        return new(rewritten, links);
    }

    /// <summary>
    /// Adds what people do not see: a link that only machines follow, and the pixel that tells of the opening. Before <c>&lt;/body&gt;</c>,
    /// or at the end.
    /// </summary>
    public static string AddMarks(string html, string honeypotUrl, string pixelUrl) => InsertAtEnd(
        html,
        $"<a href=\"{WebUtility.HtmlEncode(honeypotUrl)}\" style=\"display:none\" "
        + "tabindex=\"-1\" aria-hidden=\"true\" rel=\"nofollow\"></a>"
        + $"<img src=\"{WebUtility.HtmlEncode(pixelUrl)}\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0\">");

    /// <summary>Adds an unsubscribe link where the mail has none.</summary>
    public static string EnsureUnsubscribe(string html, string unsubscribeUrl)
    {
        var encoded = WebUtility.HtmlEncode(unsubscribeUrl);
        return html.Contains(unsubscribeUrl, StringComparison.Ordinal) || html.Contains(encoded, StringComparison.Ordinal)
            ? html
            : InsertAtEnd(html, $"<p style=\"font-size:12px;color:#595959\"><a href=\"{encoded}\">Unsubscribe</a></p>");
    }

    private static bool IsWeb(string target) =>
        Uri.TryCreate(target, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp);

    private static string InsertAtEnd(string html, string addition)
    {
        var body = html.LastIndexOf("</body>", StringComparison.OrdinalIgnoreCase);
        return body < 0 ? html + addition : new StringBuilder(html).Insert(body, addition).ToString();
    }

    [GeneratedRegex(
        """(?<before><a\b[^>]*?\shref\s*=\s*)(?:"(?<url>[^"]*)"|'(?<url>[^']*)')""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        2000)]
    private static partial Regex AnchorTarget();
}
