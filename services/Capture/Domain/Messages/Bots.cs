using System.Text.RegularExpressions;

namespace Lifecycle.Capture.Domain.Messages;

/// <summary>
/// Tells robots by their user agent: crawlers, monitors, previews and scripts that say what they are. Those that hide are not found here.
/// </summary>
public static partial class Bots
{
    /// <summary>The robot's name in lower case, or null for anything else.</summary>
    public static string? Find(string? userAgent)
    {
        if (string.IsNullOrWhiteSpace(userAgent) || userAgent.Length > 2000)
        {
            return null;
        }

        var match = Robots().Match(userAgent);
        return match.Success ? match.Value.Trim('/', ' ').ToLowerInvariant() : null;
    }

    // Every repetition is bounded, so that the work is linear in the length of the text. "Cubot" is a maker of telephones: its name is the one in which "bot" ends a word of a person's browser.
    [GeneratedRegex(
        """
        \b(?!cubot\b)[\w.-]{0,40}bot(\b|(?=_)) | \b[\w.-]{0,40}(crawl(er)?|spider)\b | headless\w{0,20} | phantomjs | \bslurp\b
        | lighthouse | pagespeed | gtmetrix | pingdom | uptimerobot | statuscake | site24x7 | newrelicpinger | datadogsynthetics | catchpoint
        | facebookexternalhit | facebookcatalog | meta-externalagent | whatsapp/ | slack-imgproxy | skypeuripreview | embedly | mediapartners-google
        | adsbot\w{0,20} | apis-google | feedfetcher-google | google-inspectiontool | google-read-aloud | googleother | bingpreview | yandex(images|metrika|favicons)
        | ia_archiver | archive\.org | ahrefs\w{0,20} | semrush\w{0,20} | screaming\sfrog | mj12 | dataprovider | nutch | gptbot | chatgpt-user | oai-searchbot
        | claude-(web|user) | anthropic-ai | perplexity-user | bytespider | petalsearch
        | ^curl/ | ^wget/ | ^python-(requests|urllib|httpx) | ^go-http-client/ | ^java/ | ^okhttp/ | ^libwww-perl | ^apache-httpclient | ^axios/ | ^node-fetch
        | ^postmanruntime/ | ^scrapy | selenium | puppeteer | playwright | cypress/ | webdriver
        """,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Robots();
}
