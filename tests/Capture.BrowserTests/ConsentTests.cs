using Lifecycle.Testing;

namespace Capture.BrowserTests;

public sealed class ConsentTests(TrackedFixture fixture)
{
    private const string Storage = "JSON.stringify([document.cookie, localStorage.length, sessionStorage.length])";

    [Fact]
    public async Task Consent_Required_NothingIsStoredOrSentBeforeItAndAllIsTakenBackAfter()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Put("/v1/tracking", new { requireConsent = true });
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var page = await visit.Context.NewPageAsync();

        await page.GotoAsync(site.Page("/index.html?utm_source=google&utm_medium=cpc"));
        await page.EvaluateAsync(
            "lifecycle('identify', 'u1', { email: 'ada@customer.example' }); lifecycle('alias', 'u2'); lifecycle('flush')");
        await page.GotoAsync(site.Page("/product.html"));

        Assert.Equal(["GET /t.js", "GET /t.js"], visit.Requests);
        Assert.Equal("[\"\",0,0]", await page.EvaluateAsync<string>(Storage));
        Assert.Empty(await workspace.Activities());

        // The page on which it is given counts, with where the visitor came from.
        await page.GotoAsync(site.Page("/index.html?utm_source=bing&utm_medium=cpc"));
        await page.ClickAsync("#accept");
        await workspace.Did("PAGE Acme: pumps that last");
        Assert.Equal(["lc_consent", "lc_id"], await visit.Cookies());
        Assert.Equal(
            "bing", (await fixture.Database.Query("select source from session where workspace_id = $1", workspace.Id)).Single()[0]);

        await page.ClickAsync("#refuse");
        await page.EvaluateAsync("lifecycle('track', 'Trial Started'); lifecycle('flush')");
        await page.GotoAsync(site.Page("/product.html"));
        Assert.Equal("[\"\",0,0]", await page.EvaluateAsync<string>(Storage));
        Assert.Empty(await visit.Cookies());
        Assert.Equal(1, visit.Requests.Count(request => request == "POST /v1/batch"));
    }

    [Fact]
    public async Task Refusal_WhereConsentIsNotRequired_IsRememberedAndNothingElse()
    {
        var workspace = await fixture.NewWorkspace();
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var page = await visit.Context.NewPageAsync();
        await page.GotoAsync(site.Page("/index.html"));
        await workspace.Did("PAGE Acme: pumps that last");

        await page.ClickAsync("#refuse");
        await page.GotoAsync(site.Page("/product.html"));

        Assert.Equal(["lc_consent"], await visit.Cookies());
        Assert.Equal("[\"lc_consent=0\",0,0]", await page.EvaluateAsync<string>(Storage));
        Assert.Equal(1, visit.Requests.Count(request => request == "POST /v1/batch"));
    }

    [Fact]
    public async Task Refusal_WhileAnswersAreOnTheirWay_LeavesNothingBehind()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Put("/v1/tracking", new { numbers = new[] { new { number = "+15550100200", source = "google" } } });
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var refused = new TaskCompletionSource();
        foreach (var asked in new[] { "**/v1/batch*", "**/t/number*" })
        {
            await visit.Context.RouteAsync(asked, async route =>
            {
                await refused.Task;
                await route.FulfillAsync(new()
                {
                    Status = 200,
                    Headers = new Dictionary<string, string> { ["Access-Control-Allow-Origin"] = "*" },
                    Body = "{}"
                });
            });
        }

        // What the script does with an answer it does at once; the next task comes after that.
        await visit.Context.AddInitScriptAsync(
            """
            window.answers = 0;
            const original = window.fetch;
            window.fetch = (...given) => {
              const answer = original(...given);
              answer.then(response => response.clone().text()).then(() => setTimeout(() => setTimeout(() => window.answers++)));
              return answer;
            };
            """);
        var page = await visit.Context.NewPageAsync();
        await page.GotoAsync(site.Page("/index.html?utm_source=google&utm_medium=cpc"));
        await Eventually.True(
            () => Task.FromResult(visit.Requests.Contains("POST /v1/batch") && visit.Requests.Contains("GET /t/number")),
            "both are asked for");

        await page.ClickAsync("#refuse");
        refused.SetResult();
        await Eventually.Equal(2, () => page.EvaluateAsync<int>("window.answers"), "both are answered");

        Assert.Equal("[\"lc_consent=0\",0,0]", await page.EvaluateAsync<string>(Storage));
    }

    [Theory]
    [InlineData("globalPrivacyControl", "true", true)]
    [InlineData("globalPrivacyControl", "true", false)]
    [InlineData("doNotTrack", "'1'", true)]
    public async Task Signal_OfTheBrowser_NothingIsStoredOrSent(string property, string value, bool respectDnt)
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Put("/v1/tracking", new { respectDnt, numbers = new[] { new { number = "+15550100200", channel = "Direct" } } });
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        await visit.Context.AddInitScriptAsync($"Object.defineProperty(Navigator.prototype, '{property}', {{ get: () => {value} }})");
        var page = await visit.Context.NewPageAsync();

        await page.GotoAsync(site.Page("/index.html"));
        await page.EvaluateAsync(
            "lifecycle('consent', { analytics: true }); lifecycle('identify', 'u1'); lifecycle.track('Trial Started'); lifecycle('flush')");
        await page.ClickAsync("#to-product");
        await page.ClickAsync("#features");

        Assert.Equal(["GET /t.js", "GET /t.js"], visit.Requests);
        Assert.Equal("[\"\",0,0]", await page.EvaluateAsync<string>(Storage));
    }

    [Fact]
    public async Task DoNotTrack_NotRespected_Counts()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Put("/v1/tracking", new { respectDnt = false });
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        await visit.Context.AddInitScriptAsync("Object.defineProperty(Navigator.prototype, 'doNotTrack', { get: () => '1' })");

        await (await visit.Context.NewPageAsync()).GotoAsync(site.Page("/index.html"));

        await workspace.Did("PAGE Acme: pumps that last");
    }
}
