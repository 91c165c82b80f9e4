using Lifecycle.Capture.Domain.Messages;

namespace Capture.UnitTests.Messages;

public sealed class BotSignalsTests
{
    private const string Chrome =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

    [Theory]
    [InlineData(Chrome, "de-DE,de;q=0.9", null, null, null)]
    [InlineData(Chrome, "de-DE", "prefetch;prerender", null, "prefetch")]
    [InlineData(Chrome, "de-DE", "preview", null, "prefetch")]
    [InlineData(Chrome, null, null, null, "no-accept-language")]
    [InlineData(Chrome, "en", null, "googlebot(at)googlebot.com", "googlebot")]
    // Servers report for others: their own user agent says nothing of the visitor.
    [InlineData("analytics-node/2.1.0", null, null, null, null)]
    [InlineData("python-requests/2.31", null, null, null, null)]
    [InlineData(null, null, null, null, null)]
    public void Find_Headers_TellTheRobot(string? userAgent, string? language, string? purpose, string? from, string? bot) =>
        Assert.Equal(bot, BotSignals.Find(new(userAgent, language, purpose, from), requireLanguage: true));

    [Theory]
    [InlineData(Chrome, Chrome)]
    [InlineData("analytics-node/2.1.0", null)]
    [InlineData(null, null)]
    public void Browser_UserAgent_IsThatOfABrowserAlone(string? userAgent, string? browser) =>
        Assert.Equal(browser, BotSignals.Browser(new(userAgent, "en", null, null)));

    [Fact]
    public void Find_LanguageNotRequired_IsNobody() => Assert.Null(BotSignals.Find(new(Chrome, null, null, null), requireLanguage: false));

    [Fact]
    public void Find_EveryToken_IsARobot()
    {
        Assert.InRange(Bots.TokenCount, 200, 2_000);
        Assert.All(
            new[]
            {
                "Mozilla/5.0 (compatible; UptimeRobot/2.0)", "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)",
                "ChatGPT-User/1.0", "kube-probe/1.30", "WhatsApp/2.23",
                "Mozilla/5.0 zgrab/0.x", "sqlmap/1.8", "Wget/1.21", "Go-http-client/2.0", "GuzzleHttp/7", "axios/1.6.0",
                "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
                "Mozilla/5.0 (Linux) Chrome-Lighthouse", "ELB-HealthChecker/2.0", "Apache-HttpClient/4.5",
                "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com)", "Screaming Frog SEO Spider/19",
            },
            agent => Assert.NotNull(Bots.Find(agent)));
    }

    [Theory]
    [InlineData("MyShop/2.1 (iPhone; iOS 17.5) axios-like okhttp-free")]
    [InlineData("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MyApp/1.0 okhttp/4.12")]
    [InlineData("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Slack/4.39 Electron/30")]
    [InlineData("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 [LinkedInApp]/9.29")]
    [InlineData("Mozilla/5.0 (Linux; Android 13; en-us; scannerphone) Chrome/120.0")]
    public void Find_AppsForPeople_AreNone(string userAgent) => Assert.Null(Bots.Find(userAgent));
}
