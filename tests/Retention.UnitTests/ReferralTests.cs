using Lifecycle.Retention.Domain;

namespace Retention.UnitTests;

public sealed class ReferralTests
{
    [Theory]
    [InlineData("https://www.example.com/friends", true)]
    [InlineData("https://WWW.example.com/friends/de?plan=pro", true)]
    [InlineData("https://www.example.com:443/friends", true)]
    [InlineData("https://www.example.com/friendsofmine", false)]
    [InlineData("https://www.example.com/other", false)]
    [InlineData("https://www.example.com/friends/../other", false)]
    [InlineData("http://www.example.com/friends", false)]
    [InlineData("https://www.example.com:8443/friends", false)]
    [InlineData("https://www.example.com.evil.example/friends", false)]
    [InlineData("https://evil.example/friends", false)]
    [InlineData("https://www.example.com@evil.example/friends", false)]
    [InlineData(@"https://evil.example\@www.example.com/friends", false)]
    [InlineData("//evil.example/friends", false)]
    [InlineData("javascript:alert(1)", false)]
    public void Landing_OnlyAtOrBelowAConfiguredPage_IsAllowed(string address, bool allowed) =>
        Assert.Equal(allowed, LandingPages.Parse(address) is { } uri && LandingPages.IsAllowed(uri, ["https://www.example.com/friends"]));

    [Theory]
    [InlineData(
        "https://www.example.com",
        "https://www.example.com/?referralCode=ADA-1&utm_source=advocate&utm_medium=referral&utm_campaign=Friends%20%26%20co")]
    [InlineData(
        "https://www.example.com/a?plan=pro&UTM_source=x&referralcode=OLD#part",
        "https://www.example.com/a?plan=pro&referralCode=ADA-1&utm_source=advocate&utm_medium=referral&utm_campaign=Friends%20%26%20co#part")]
    public void Target_KeepsThePageAndReplacesOwnParameters(string landing, string target) =>
        Assert.Equal(target, LandingPages.Target(LandingPages.Parse(landing)!, "ADA-1", "advocate", "Friends & co").AbsoluteUri);

    [Theory]
    [InlineData(" ada-2026 ", "ADA-2026")]
    [InlineData("abc", null)]
    [InlineData("has space", null)]
    [InlineData("ÄÖÜÄ", null)]
    [InlineData("A23456789012345678901234567890123", null)]
    [InlineData(null, null)]
    public void Code_IsReadInCapitals(string? text, string? code) => Assert.Equal(code, ReferralCodes.Normalize(text));

    [Theory]
    [InlineData("https://www.example.com/?a=1&ReferralCode=ada%2D2026&b=2#x", "ADA-2026")]
    [InlineData("https://www.example.com/referralCode=ada-2026", null)]
    [InlineData("https://www.example.com/?myreferralCode=ada-2026", null)]
    [InlineData("/relative?referralCode=ada-2026", null)]
    [InlineData(null, null)]
    public void Code_OfAnAddress_IsItsParameter(string? address, string? code) => Assert.Equal(code, ReferralCodes.OfAddress(address));

    [Theory]
    [InlineData("referralCode", true)]
    [InlineData("referral_code", true)]
    [InlineData("Referral-Code", true)]
    [InlineData("referralCodes", false)]
    [InlineData("code", false)]
    public void Code_OfTraits_IsFoundByItsName(string name, bool found) =>
        Assert.Equal(found ? "ADA-2026" : null, ReferralCodes.OfTraits(
            new Dictionary<string, string> { ["email"] = "a@b.example", [name] = "ada-2026" }));

    [Theory]
    [InlineData("GET", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "", false)]
    [InlineData("HEAD", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "", true)]
    [InlineData(
        "GET", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "prefetch;prerender", true)]
    [InlineData("GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", true)]
    [InlineData("GET", "curl/8.5.0", "", true)]
    [InlineData("GET", "", "", true)]
    public void Click_OfAProgram_IsTold(string method, string userAgent, string purpose, bool isProgram) =>
        Assert.Equal(isProgram, Visitors.IsProgram(method, userAgent, purpose));
}
