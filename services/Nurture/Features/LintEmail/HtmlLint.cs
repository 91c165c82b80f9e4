using System.Net;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.V1;
using Severity = Lifecycle.Nurture.V1.LintFinding.Types.Severity;

namespace Lifecycle.Nurture.Features.LintEmail;

/// <summary>What a mail's HTML shows by itself.</summary>
internal static class HtmlLint
{
    /// <summary>Gmail shows the first 102 KB of a mail's HTML and a link to the rest.</summary>
    public const int ClipBytes = 102 * 1024;

    /// <summary>Characters of a subject that most readers show.</summary>
    private const int UsualSubject = 78;

    /// <summary>Findings about a filled mail and the template it was made from.</summary>
    /// <param name="mail">The mail, filled.</param>
    /// <param name="hasOwnText">The template has a plain-text part.</param>
    /// <param name="hasOwnUnsubscribe">The template names the unsubscribe link.</param>
    /// <param name="htmlBytes">Size of the HTML as it is sent.</param>
    public static IEnumerable<LintFinding> Findings(RenderedMail mail, bool hasOwnText, bool hasOwnUnsubscribe, int htmlBytes)
    {
        using var document = new HtmlParser().ParseDocument(mail.Html);
        foreach (var finding in Links(document).Concat(Images(document)))
        {
            yield return finding;
        }

        if (document.QuerySelector("script, iframe, object, embed, form") is { } active)
        {
            yield return Found(Severity.Warning, "SCRIPT", $"<{active.LocalName}> is taken out or blocked by mail readers.");
        }

        if (!hasOwnUnsubscribe)
        {
            yield return Found(
                Severity.Note, "NO_UNSUBSCRIBE_LINK", "The template has no {{unsubscribeUrl}}; a link is added at the end of the mail.");
        }

        if (PlainText.FromHtml(TextOf(document)).Trim().Length == 0)
        {
            yield return Found(Severity.Warning, "EMPTY_TEXT", "The mail says nothing without its images.");
        }
        else if (!hasOwnText)
        {
            yield return Found(Severity.Note, "NO_PLAIN_TEXT", "The template has no plain-text part; it is made from the HTML.");
        }

        if (htmlBytes > ClipBytes)
        {
            yield return Found(
                Severity.Warning, "CLIPPED",
                $"The HTML has {htmlBytes} bytes; some readers cut it off after {ClipBytes}, the unsubscribe link with it.");
        }

        if (mail.Subject.Length > UsualSubject)
        {
            yield return Found(
                Severity.Note, "LONG_SUBJECT",
                $"The subject has {mail.Subject.Length} characters; most readers show some {UsualSubject} at most.");
        }
    }

    /// <summary>Web addresses that the mail leads to, each once.</summary>
    public static IReadOnlyList<string> WebLinks(string html)
    {
        using var document = new HtmlParser().ParseDocument(html);
        return [.. document.QuerySelectorAll("a[href]").Select(Target).Where(IsWeb).Distinct()];
    }

    public static LintFinding Found(
        Severity severity, string code, string message, string url = "", string field = "", int leadsWithout = 0) =>
        new() { Severity = severity, Code = code, Message = message, Url = url, Field = field, LeadsWithout = leadsWithout };

    private static IEnumerable<LintFinding> Links(IDocument document)
    {
        foreach (var link in document.QuerySelectorAll("a").DistinctBy(link => (Target(link), link.HasAttribute("href"))))
        {
            var target = Target(link);
            if (!link.HasAttribute("href") || target.Length == 0 || target == "#")
            {
                if (link.HasAttribute("href") || !link.HasAttribute("name"))
                {
                    yield return Found(Severity.Error, "EMPTY_LINK", $"The link \"{Short(link.TextContent)}\" leads nowhere.", target);
                }
            }
            else if (target[0] == '#')
            {
                yield return Found(Severity.Note, "RELATIVE_LINK", "Not every mail reader follows links within the mail.", target);
            }
            else if (!Uri.TryCreate(target, UriKind.Absolute, out var uri)
                || (uri.IsFile && !target.StartsWith("file:", StringComparison.OrdinalIgnoreCase)))
            {
                yield return Found(
                    Severity.Error, "RELATIVE_LINK", "The address has no https:// and host; in a mail it leads nowhere.", target);
            }
            else if (uri.Scheme is "javascript" or "data" or "file" or "vbscript")
            {
                yield return Found(Severity.Error, "BROKEN_LINK", $"Mail readers follow no {uri.Scheme}: address.", target);
            }
            else if (IsWeb(target)
                && (uri.Host.Length == 0 || (!uri.Host.Contains('.', StringComparison.Ordinal) && uri.Host != "localhost")))
            {
                yield return Found(Severity.Error, "BROKEN_LINK", $"{uri.Host} is no public host.", target);
            }
            else if (uri.Scheme == Uri.UriSchemeHttp && !uri.IsLoopback)
            {
                yield return Found(
                    Severity.Note, "UNSECURED_LINK", "The address is http; https is safe from being read and changed on its way.", target);
            }
        }
    }

    private static IEnumerable<LintFinding> Images(IDocument document)
    {
        foreach (var image in document.QuerySelectorAll("img"))
        {
            var source = image.GetAttribute("src")?.Trim() ?? "";
            if (!image.HasAttribute("alt"))
            {
                yield return Found(
                    Severity.Warning, "IMAGE_WITHOUT_ALT",
                    "Whoever sees no images, or hears the mail, learns nothing of it; alt=\"\" for mere decoration.", source);
            }

            if (source.Length > 0 && !IsWeb(source) && !source.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
                && !source.StartsWith("cid:", StringComparison.OrdinalIgnoreCase))
            {
                yield return Found(
                    Severity.Error, "RELATIVE_LINK", "The image's address has no https:// and host; in a mail it shows nothing.", source);
            }
        }
    }

    /// <summary>What stands in the mail as words, but for the link that every mail gets.</summary>
    private static string TextOf(IDocument document) => WebUtility.HtmlEncode(string.Concat(
        document.Body?.Descendants<IText>().Where(text => text.ParentElement is not { LocalName: "style" or "script" or "title" }
            && text.Data.Trim() != "Unsubscribe").Select(text => text.Data) ?? []));

    private static string Target(IElement link) => link.GetAttribute("href")?.Trim() ?? "";

    private static bool IsWeb(string target) =>
        Uri.TryCreate(target, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);

    private static string Short(string text) => text.Trim() is { Length: > 60 } longer ? longer[..60] : text.Trim();
}
