using System.Text.Json.Nodes;
using Lifecycle.Testing;
using Microsoft.Playwright;

namespace Capture.BrowserTests;

public sealed class JourneyTests(TrackedFixture fixture)
{
    [Fact]
    public async Task Visits_FromTwoSourcesWithAForm_MakeTheLeadWithItsJourney()
    {
        var workspace = await fixture.NewWorkspace();
        await using var site = await fixture.Open(workspace);
        var state = await FirstVisit(workspace, site);
        await SecondVisit(workspace, site, state);

        await workspace.Did(
            "PAGE Acme: pumps that last", "PAGE Acme pump", "PAGE Features", "PAGE Features", "DOWNLOAD Content Downloaded",
            "TRACK Outbound Link Clicked", "PAGE See a demo", "FORM Form Submitted", "PAGE Thank you");
        var lead = (await workspace.Get("/v1/leads?filter=email=ada@customer.example"))["leads"]!.AsArray().Single()!;
        Assert.Equal(("FORM", "demo"), (Text(lead["captureType"]), Text(lead["formType"])));
        Assert.Equal(("VP Engineering", "pumps", "Customer Ltd"), (
            Text(lead["traits"]!["title"]), Text(lead["traits"]!["interest"]), Text(lead["company"]!["name"])));
        Assert.DoesNotContain("never", lead.ToJsonString(), StringComparison.Ordinal);
        var journey = await workspace.Get($"/v1/leads/{lead["id"]}/journey");
        Assert.Equal(
            [("Paid Search", "google", "cpc", "spring"), ("Referral", "news.example", "referral", "")],
            journey["touches"]!.AsArray().Select(
                touch => (Text(touch!["channel"]), Text(touch["source"]), Text(touch["medium"]), Text(touch["campaign"]))));
        Assert.Equal(
            [
                (site.Page("/index.html?utm_source=google&utm_medium=cpc&utm_campaign=spring"), 4, 6),
                (site.Page("/demo.html"), 2, 3),
            ],
            journey["sessions"]!.AsArray().Select(session =>
                (Text(session!["touch"]!["landingPage"]), session["pageViews"]!.GetValue<int>(),
                    session["activityCount"]!.GetValue<int>())));
        Assert.Equal(Text(journey["touches"]![0]!["time"]), Text(lead["firstTouch"]!["time"]));

        var forms = await fixture.Database.Query(
            "select properties::text from activity where workspace_id = $1 and type = 'FORM'", workspace.Id);
        var form = JsonNode.Parse((string)forms.Single()[0]!)!;
        Assert.Equal(["company", "email", "interest", "title"], form["fields"]!.AsObject().Select(field => field.Key).Order());
        Assert.Equal(("demo", "demo"), (Text(form["formId"]), Text(form["formType"])));
        var routes = await fixture.Database.Query(
            "select url from activity where workspace_id = $1 and name = 'Features' order by time", workspace.Id);
        Assert.Equal([site.Page("/product/features"), site.Page("/product/features#/specs")], routes.Select(row => (string)row[0]!));
    }

    // Two days ago: the browser's clock says so, and the store takes the time as it is.
    private async Task<string> FirstVisit(Workspace workspace, SampleSite site)
    {
        await using var visit = await fixture.NewVisit();
        await visit.Context.Clock.InstallAsync(new() { TimeDate = TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2) });
        var page = await visit.Context.NewPageAsync();
        await page.GotoAsync(site.Page("/index.html?utm_source=google&utm_medium=cpc&utm_campaign=spring"));
        await workspace.Did("PAGE Acme: pumps that last");
        await page.ClickAsync("#to-product");
        await workspace.Did("PAGE Acme: pumps that last", "PAGE Acme pump");

        // Neither the same address again nor a place within the page is a view.
        await page.ClickAsync("#sort");
        await page.ClickAsync("#top");
        await page.ClickAsync("#features");
        await Eventually.Equal(3, async () => (await workspace.Activities()).Length, "the view by path is recorded");
        await page.ClickAsync("#specs");
        await Eventually.Equal(4, async () => (await workspace.Activities()).Length, "the view by route is recorded");
        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("#prices"));
        Assert.Equal("prices.csv", download.SuggestedFilename);
        await page.ClickAsync("#partner");
        await Eventually.Equal(6, async () => (await workspace.Activities()).Length, "what was clicked before leaving is recorded");
        Assert.Equal(["lc_id"], await visit.Cookies());
        var cookie = (await visit.Context.CookiesAsync()).Single();
        Assert.Equal((".acme.example", SameSiteAttribute.Lax, false), (cookie.Domain, cookie.SameSite, cookie.Secure));
        return await visit.Context.StorageStateAsync();
    }

    private async Task SecondVisit(Workspace workspace, SampleSite site, string state)
    {
        await using var visit = await fixture.NewVisit(state);
        var page = await visit.Context.NewPageAsync();
        await page.GotoAsync(site.Elsewhere("news.example", "/demo.html"));
        await page.ClickAsync("#link");
        await page.FillAsync("[name=email]", "Ada@Customer.example");
        await page.FillAsync("[name=title]", "VP Engineering");
        await page.FillAsync("[name=company]", "Customer Ltd");
        foreach (var secret in new[] { "secret", "payment", "note" })
        {
            await page.FillAsync($"[name={secret}]", "never");
        }

        await page.ClickAsync("#send");
        // Not by WaitForURLAsync: an event of loading that comes between its look and its listening is waited for in vain.
        await Eventually.True(
            () => Task.FromResult(new Uri(page.Url).AbsolutePath.EndsWith("/thanks.html", StringComparison.Ordinal)), "thanks are said");
        await Eventually.Equal(9, async () => (await workspace.Activities()).Length, "the form and both pages are recorded");
    }

    private static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";
}
