using Lifecycle.Testing;
using Microsoft.Playwright;

namespace Capture.BrowserTests;

public sealed class NumberTests(TrackedFixture fixture)
{
    private static readonly (string, string, string?, string, string?) Standing =
        ("(555) 010-0100", "dial", "tel:+1-555-010-0100", "(555) 010-0100", "tel:+15550100100");

    private static readonly (string, string, string?, string, string?) Swapped =
        ("(555) 010-0200", "dial", "tel:+15550100200", "(555) 010-0200", "tel:+15550100200");

    [Fact]
    public async Task Number_OfTheVisitsSource_StandsInThePagesAndTellsWhereACallCameFrom()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Put("/v1/tracking", new
        {
            defaultNumber = new { number = "+15550100100", displayNumber = "(555) 010-0100" },
            numbers = new[] { new { number = "+15550100200", displayNumber = "(555) 010-0200", source = "google", medium = "cpc" } },
        });
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var page = await visit.Context.NewPageAsync();

        await page.GotoAsync(site.Page("/index.html?utm_source=google&utm_medium=cpc"));
        await Eventually.Equal(Swapped, () => Shown(page), "the number is swapped");

        // It holds for the visit: on the next page, in what an application puts there later, and when the visitor comes back directly.
        await page.ClickAsync("#to-product");
        await page.ClickAsync("#features");
        await Eventually.Equal(
            "Questions? (555) 010-0200", async () => await page.TextContentAsync("#contact") ?? "", "a number added later is swapped");
        await page.GotoAsync(site.Page("/index.html"));
        await Eventually.Equal(Swapped, () => Shown(page), "the number stays");

        // Another source has no number of its own.
        await page.GotoAsync(site.Elsewhere("news.example", "/index.html"));
        await page.ClickAsync("#link");
        await Eventually.Equal(
            "-", async () => (await visit.Context.CookiesAsync()).Single(cookie => cookie.Name == "lc_num").Value,
            "the visit has another source");
        Assert.Equal(Standing, await Shown(page));

        await workspace.Post("/v1/calls", new { callId = "c1", callerNumber = "+15550109001", trackingNumber = "+15550100200" });
        var lead = (await workspace.Get("/v1/leads"))["leads"]!.AsArray().Single()!;
        Assert.Equal(("CALL", "Paid Search", "google"), (
            (string?)lead["captureType"], (string?)lead["firstTouch"]!["channel"], (string?)lead["firstTouch"]!["source"]));
    }

    [Fact]
    public async Task Number_NewCampaignWithinAnApplication_IsChosenAnew()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Put("/v1/tracking", new
        {
            defaultNumber = new { number = "+15550100100", displayNumber = "(555) 010-0100" },
            numbers = new[]
            {
                new { number = "+15550100200", displayNumber = "(555) 010-0200", source = "google", medium = "cpc" },
                new { number = "+15550100300", displayNumber = "(555) 010-0300", source = "bing", medium = "cpc" },
            },
        });
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var page = await visit.Context.NewPageAsync();

        await page.GotoAsync(site.Page("/index.html?utm_source=google&utm_medium=cpc"));
        await Eventually.Equal(Swapped, () => Shown(page), "the number of the first campaign is shown");
        await page.EvaluateAsync("history.pushState(null, '', '/index.html?step=2')");
        await page.EvaluateAsync("history.pushState(null, '', '/index.html?utm_source=bing&utm_medium=cpc')");
        await Eventually.Equal(
            ("(555) 010-0300", "dial", "tel:+15550100300", "(555) 010-0300", "tel:+15550100300"), () => Shown(page),
            "that of the second one stands in its place");

        // A campaign without a number of its own.
        await page.EvaluateAsync("history.pushState(null, '', '/index.html?utm_source=news&utm_medium=email')");
        await Eventually.Equal(
            ("(555) 010-0100", "dial", "tel:+15550100100", "(555) 010-0100", "tel:+15550100100"), () => Shown(page),
            "the default number is back");

        await page.EvaluateAsync("history.pushState(null, '', '/index.html?msclkid=a1')");
        await Eventually.Equal(
            ("(555) 010-0300", "dial", "tel:+15550100300", "(555) 010-0300", "tel:+15550100300"), () => Shown(page),
            "a click id alone tells the second one, too");
    }

    [Fact]
    public async Task Number_WithoutRules_AsksNothing()
    {
        var workspace = await fixture.NewWorkspace();
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var page = await visit.Context.NewPageAsync();

        await page.GotoAsync(site.Page("/index.html?utm_source=google&utm_medium=cpc"));
        await workspace.Did("PAGE Acme: pumps that last");

        await Eventually.Equal(
            "GET /t.js, POST /v1/batch", () => Task.FromResult(string.Join(", ", visit.Requests)), "nothing else was asked for");
        Assert.Equal(Standing, await Shown(page));
    }

    private static async Task<(string, string, string?, string, string?)> Shown(IPage page) => (
        await page.InnerTextAsync("#phone"), await page.InnerTextAsync("#phone-link"), await page.GetAttributeAsync("#phone-link", "href"),
        await page.InnerTextAsync("#phone-marked"), await page.GetAttributeAsync("#phone-marked", "href"));
}
