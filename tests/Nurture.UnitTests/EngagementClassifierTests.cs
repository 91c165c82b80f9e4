using Lifecycle.Nurture.Domain.Engagements;

namespace Nurture.UnitTests;

public sealed class EngagementClassifierTests
{
    private const string Browser =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
    private static readonly DateTimeOffset Sent = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);
    private static readonly ClassifierRules Rules = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

    [Theory]
    [InlineData(Browser, Classification.Human, "NO_SIGN_OF_A_MACHINE")]
    [InlineData("Mozilla/5.0 (compatible; Barracuda Sentinel)", Classification.Bot, "USER_AGENT_SCANNER")]
    [InlineData("Mimecast-URL-Protect/1.0", Classification.Bot, "USER_AGENT_SCANNER")]
    [InlineData("Mozilla/5.0 (X11) HeadlessChrome/131.0", Classification.Bot, "USER_AGENT_PROGRAM")]
    [InlineData("curl/8.5.0", Classification.Bot, "USER_AGENT_PROGRAM")]
    [InlineData("python-requests/2.32", Classification.Bot, "USER_AGENT_PROGRAM")]
    [InlineData("Mozilla/5.0 (compatible; SomeBot/1.0; +http://example.com)", Classification.Bot, "USER_AGENT_PROGRAM")]
    [InlineData(
        "Mozilla/5.0 (Linux; Android 13; CUBOT KING) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
        Classification.Human, "NO_SIGN_OF_A_MACHINE")]
    [InlineData("Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)", Classification.Bot, "USER_AGENT_PROXY")]
    [InlineData("", Classification.Bot, "NO_USER_AGENT")]
    public void Classify_Click_ByUserAgent(string userAgent, Classification expected, string reason) =>
        Assert.Equal(new(expected, reason), Judge(Click(60) with { UserAgent = userAgent }));

    [Theory]
    [InlineData(Browser, Classification.Human, "NO_SIGN_OF_A_MACHINE")]
    [InlineData("Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)", Classification.Human, "IMAGE_PROXY")]
    [InlineData("Mozilla/5.0", Classification.Suspect, "PRIVACY_PROXY")]
    [InlineData("Wget/1.21", Classification.Bot, "USER_AGENT_PROGRAM")]
    public void Classify_Open_ByUserAgent(string userAgent, Classification expected, string reason) =>
        Assert.Equal(new(expected, reason), Judge(new(EngagementKind.Open, Sent.AddSeconds(0.2), "GET", userAgent, "c", null, false)));

    [Fact]
    public void Classify_Head_IsABot() => Assert.Equal(new(Classification.Bot, "METHOD"), Judge(Click(60) with { Method = "HEAD" }));

    [Theory]
    [InlineData(0.9, Classification.Suspect)]
    [InlineData(-0.1, Classification.Suspect)]
    [InlineData(1.0, Classification.Human)]
    public void Classify_ClickRightAfterSending_IsSuspect(double seconds, Classification expected) =>
        Assert.Equal(expected, Judge(Click(seconds)).Classification);

    [Fact]
    public void Classify_HiddenLink_IsABotAndSoAreItsClientsOtherClicksAround()
    {
        var hidden = Click(60) with { IsHoneypot = true, LinkIndex = null };

        Assert.Equal(new(Classification.Bot, "HONEYPOT"), Judge(hidden));
        Assert.Equal(new(Classification.Bot, "HONEYPOT"), Judge(Click(61), hidden));
        Assert.Equal(Classification.Human, Judge(Click(600), hidden).Classification);
        Assert.Equal(Classification.Human, Judge(Click(61) with { Client = "another" }, hidden).Classification);
    }

    [Fact]
    public void Classify_EveryLinkWithinTheBurst_IsSuspect()
    {
        var (first, second) = (Click(60), Click(61) with { LinkIndex = 1 });

        Assert.Equal(new(Classification.Suspect, "ALL_LINKS"), Judge(first, second));
        Assert.Equal(new(Classification.Suspect, "ALL_LINKS"), Judge(second, first));
        Assert.Equal(Classification.Human, Judge(first, second with { Time = Sent.AddSeconds(70) }).Classification);
        Assert.Equal(Classification.Human, Judge(first, Click(60.5)).Classification);
    }

    [Fact]
    public void Classify_TheOnlyLinkOfAMail_IsAPersons() =>
        Assert.Equal(Classification.Human, EngagementClassifier.Classify(Click(60), Sent, [], 1, Rules).Classification);

    private static Hit Click(double seconds) => new(EngagementKind.Click, Sent.AddSeconds(seconds), "GET", Browser, "c", 0, false);

    private static Verdict Judge(Hit hit, params Hit[] others) => EngagementClassifier.Classify(hit, Sent, others, 2, Rules);
}
