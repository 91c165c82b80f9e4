using Lifecycle.Testing;

namespace Capture.BrowserTests;

public sealed class DeliveryTests(TrackedFixture fixture)
{
    private const string Queued =
        "JSON.parse(localStorage.getItem(Object.keys(localStorage).find(name => name.startsWith('lc_queue_lp_'))) || '[]').length";

    [Fact]
    public async Task Messages_WhileTheServerFailsOrTheNetworkIsAway_WaitAndArriveOnce()
    {
        var workspace = await fixture.NewWorkspace();
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var failing = true;
        await visit.Context.RouteAsync(
            "**/v1/batch*", route => failing ? route.FulfillAsync(new() { Status = 503 }) : route.ContinueAsync());
        var page = await visit.Context.NewPageAsync();

        await page.GotoAsync(site.Page("/index.html"));
        await Eventually.True(() => Task.FromResult(visit.Requests.Contains("POST /v1/batch")), "the page view was sent");
        Assert.Empty(await workspace.Activities());
        Assert.Equal(1, await page.EvaluateAsync<int>(Queued));

        // What was not answered for goes with the next page; the network away, it waits. The network goes first, or the page view might try
        // once more.
        await visit.Context.SetOfflineAsync(true);
        failing = false;
        await page.EvaluateAsync("lifecycle('track', 'Trial Started', { plan: 'pro' })");
        Assert.Equal(2, await page.EvaluateAsync<int>(Queued));
        await visit.Context.SetOfflineAsync(false);
        await workspace.Did("PAGE Acme: pumps that last", "TRACK Trial Started");
        await Eventually.Equal(0, () => page.EvaluateAsync<int>(Queued), "the queue is empty");
    }

    [Fact]
    public async Task Calls_BeforeTheScriptAndByMethod_AreAllTaken()
    {
        var workspace = await fixture.NewWorkspace();
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        await visit.Context.AddInitScriptAsync(
            """
            window.lifecycle = function () { (lifecycle.q = lifecycle.q || []).push(arguments); };
            lifecycle('identify', 'u1', { email: 'ada@customer.example' });
            """);
        var page = await visit.Context.NewPageAsync();
        await page.GotoAsync(site.Page("/demo.html"));
        await workspace.Did("PAGE See a demo", "IDENTIFY See a demo");

        await page.EvaluateAsync(
            """
            lifecycle.group('g1', { name: 'Customer Ltd' });
            lifecycle('alias', 'u2');
            lifecycle('page', 'Quiz', { step: 2 });
            document.querySelector('[name=email]').value = 'ada@customer.example';
            lifecycle('form', '#demo', 'contact');
            """);

        await workspace.Did(
            "PAGE See a demo", "IDENTIFY See a demo", "GROUP See a demo", "IDENTIFY alias", "PAGE Quiz", "FORM Form Submitted");
        var lead = (await workspace.Get("/v1/leads"))["leads"]!.AsArray().Single()!;
        Assert.Equal(("ada@customer.example", "Customer Ltd"), ((string?)lead["email"], (string?)lead["company"]!["name"]));
        Assert.Equal(
            ["u1", "u2"],
            (await fixture.Database.Query(
                "select value from lead_identity where workspace_id = $1 and kind = 'user' order by 1", workspace.Id))
                .Select(row => (string)row[0]!));
        Assert.Equal("contact", await fixture.Database.Scalar<string>(
            "select properties ->> 'formType' from activity where workspace_id = $1 and type = 'FORM'", workspace.Id));

        // After a reset it is another visitor.
        await page.EvaluateAsync("lifecycle('reset'); lifecycle('track', 'Game Started')");
        await Eventually.Equal(
            2L, () => fixture.Database.Scalar<long>(
                "select count(*) from visitor where workspace_id = $1 and anonymous_id not like 'user:%'", workspace.Id),
            "two visitors");
    }

    [Fact]
    public async Task Key_GivenByTheTag_LoadsTheSettingsThatBelongToIt()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Put("/v1/tracking", new { requireConsent = true });
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.NewVisit();
        var page = await visit.Context.NewPageAsync();
        await visit.Context.RouteAsync("**/t.js*", route => route.AbortAsync());
        await page.GotoAsync(site.Page("/index.html"));
        await visit.Context.UnrouteAllAsync();

        await page.AddScriptTagAsync(new() { Content = Tag("lp_unknown", "") });
        await page.AddScriptTagAsync(new() { Content = Tag("", workspace.PublishableKey) });
        await Eventually.Equal(
            3, () => Task.FromResult(visit.Requests.Count(request => request == "GET /t.js") - 1), "both loaded, one of them again");

        // Its settings ask for consent first.
        await page.ClickAsync("#accept");
        await workspace.Did("PAGE Acme: pumps that last");
    }

    [Fact]
    public async Task Browser_ThatSaysItIsARobot_IsCountedApart()
    {
        var workspace = await fixture.NewWorkspace();
        await using var site = await fixture.Open(workspace);
        await using var visit = await fixture.Browser.NewVisit(
            fixture.Gateway, userAgent: "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0");

        await (await visit.Context.NewPageAsync()).GotoAsync(site.Page("/index.html"));

        await Eventually.Equal(
            "headlesschrome", async () => await fixture.Database.Scalar<string>(
                "select detail from hit_count where workspace_id = $1 and kind = 'bot'", workspace.Id) ?? "",
            "it is counted as a robot");
        Assert.Empty(await workspace.Activities());
    }

    private string Tag(string inAddress, string inAttribute) =>
        $"document.head.append(Object.assign(document.createElement('script'), {{ src: '{fixture.Gateway}t.js"
        + (inAddress.Length > 0 ? $"?key={inAddress}" : "") + "' }));"
        + (inAttribute.Length > 0 ? $"document.head.lastChild.dataset.key = '{inAttribute}';" : "");
}
