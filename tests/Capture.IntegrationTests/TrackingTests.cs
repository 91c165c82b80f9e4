using System.Net;
using System.Net.Http.Headers;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

public sealed class TrackingTests(CaptureFixture fixture)
{
    private const string Person = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    private static readonly HttpClient Http = new(new HttpClientHandler { UseCookies = false });

    [Fact]
    public async Task Update_Settings_AreThoseOfTheWorkspaceAlone()
    {
        var (workspace, other) = (fixture.Workspace(), fixture.Workspace());
        var (_, before) = await workspace.Get("/v1/tracking");
        Assert.Equal(
            (395, true, null), (before["cookieDays"]!.GetValue<int>(), before["respectDnt"]!.GetValue<bool>(), before["updateTime"]));

        var (status, put) = await Put(workspace, new
        {
            cookieDomain = "acme.example",
            requireConsent = true,
            numbers = new[] { new { number = "+15550100200", source = "google" } }
        });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(put.ToJsonString(), (await workspace.Get("/v1/tracking")).Body.ToJsonString());
        Assert.Equal(
            ("acme.example", "google"), (put["cookieDomain"]!.GetValue<string>(), put["numbers"]![0]!["source"]!.GetValue<string>()));
        Assert.NotNull(put["updateTime"]);
        Assert.Equal(before.ToJsonString(), (await other.Get("/v1/tracking")).Body.ToJsonString());
    }

    [Fact]
    public async Task Update_Faults_AreNamedAndChangeNothing()
    {
        var workspace = fixture.Workspace();

        var (status, body) = await Put(workspace, new { cookieDays = -1, ownDomains = new[] { "not a domain" } });

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["cookieDays", "ownDomains[0]"], body["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.Forbidden, (await workspace.Send(
            HttpMethod.Put, "/v1/tracking", new StringContent("{}", new MediaTypeHeaderValue("application/json")),
            ["capture:read"])).Status);
        Assert.Null((await workspace.Get("/v1/tracking")).Body["updateTime"]);
    }

    [Fact]
    public async Task Script_AfterAChange_CarriesTheNewSettingsUnderAnotherTag()
    {
        var workspace = fixture.Workspace();
        var (_, before, tag) = await Script(workspace);
        Assert.Contains("\"requireConsent\":false", before, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotModified, (await Script(workspace, tag)).Status);

        await Put(workspace, new { requireConsent = true });

        var (status, after, newTag) = await Script(workspace, tag);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("\"requireConsent\":true", after, StringComparison.Ordinal);
        Assert.NotEqual(tag, newTag);
        Assert.EndsWith("(null);\n", (await Script(null)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Number_OfAVisit_IsTheRulesOrTheStandingOneOrUnchanged()
    {
        var workspace = fixture.Workspace();
        await Put(workspace, new
        {
            defaultNumber = new { number = "+15550100100" },
            numbers = new object[]
            {
                new { number = "+15550100200", displayNumber = "(555) 010-0200", channel = "Organic Search" },
                new { number = "+15550100201", campaign = "spring" }
            },
        });

        Assert.Equal(
            (HttpStatusCode.OK, "+15550100201"), await Number(workspace, "https://acme.example/?utm_source=x&utm_campaign=spring", ""));
        Assert.Equal((HttpStatusCode.OK, "+15550100200"), await Number(workspace, "https://acme.example/", "https://www.google.com/"));
        Assert.Equal((HttpStatusCode.OK, null), await Number(workspace, "https://acme.example/", "https://news.example/"));
        Assert.Equal((HttpStatusCode.NoContent, null), await Number(workspace, "https://acme.example/", "https://www.acme.example/"));
        Assert.Equal((HttpStatusCode.NoContent, null), await Number(workspace, "", new string('x', 5000)));
    }

    [Fact]
    public async Task Call_OfANumberWithARule_ComesFromTheRulesSource()
    {
        var workspace = fixture.Workspace();
        await Put(workspace, new
        {
            numbers = new object[]
            {
                new { number = "+15550100200", source = "google", medium = "cpc", campaign = "spring" },
                new { number = "+15550100201", channel = "Audio" }
            }
        });
        await workspace.Batch(Messages.Page("visitor", "2026-03-02T10:00:00Z", "https://acme.example/?utm_source=bing&utm_medium=cpc"));

        await workspace.Batch(
            Call("c1", "+15550109001", "(555) 010-0200", null), Call("c2", "+15550109002", "5550100201", null),
            Call("c3", "+15550109003", "+15550109999", null), Call("c4", "+15550109004", "+15550100200", "visitor"));

        Assert.Equal(("Paid Search", "google", "spring"), await FirstTouch(workspace, "+15550109001"));
        Assert.Equal(("Audio", null, null), await FirstTouch(workspace, "+15550109002"));
        Assert.Equal((null, null, null), await FirstTouch(workspace, "+15550109003"));
        // The caller's own visit tells more.
        Assert.Equal(("Paid Search", "bing", null), await FirstTouch(workspace, "+15550109004"));
    }

    [Fact]
    public async Task Call_ReportedByAVendor_ComesFromTheNumbersSourceToo()
    {
        var workspace = fixture.Workspace();
        await Put(workspace, new { numbers = new[] { new { number = "+15550100200", source = "radio", medium = "audio" } } });

        var (status, _) = await workspace.Post(
            "/v1/calls", new { callId = "v1", callerNumber = "+15550109001", trackingNumber = "+15550100200" });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(("Audio", "radio", null), await FirstTouch(workspace, "+15550109001"));
    }

    [Fact]
    public async Task Pixel_ByConsentSignalsAndBots_CountsWhatMayBeCounted()
    {
        var workspace = fixture.Workspace();
        await Put(workspace, new { cookieDays = 30, cookieDomain = "acme.example" });

        Assert.Contains("max-age=2592000", await Pixel(workspace, "/1"), StringComparison.Ordinal);
        Assert.Contains(
            "domain=acme.example; path=/; secure; samesite=lax",
            await Pixel(workspace, "/2", ("X-Forwarded-Host", "t.acme.example"), ("X-Forwarded-Proto", "https")), StringComparison.Ordinal);
        Assert.Equal("", await Pixel(workspace, "/3", ("Sec-GPC", "1")));
        Assert.Equal("", await Pixel(workspace, "/4", ("DNT", "1")));
        Assert.Equal("", await Pixel(workspace, "/5", ("Cookie", "lc_consent=0")));
        Assert.Equal("", await Pixel(workspace, "/6", ("Cookie", "lc_id=known")));
        await Pixel(workspace, "/7", ("User-Agent", "Googlebot/2.1"));
        await Put(workspace, new { requireConsent = true, respectDnt = false });
        Assert.Equal("", await Pixel(workspace, "/8"));
        Assert.NotEqual("", await Pixel(workspace, "/9&c=1", ("DNT", "1")));

        var pages = await fixture.Database.Query("select url from activity where workspace_id = $1 order by url", workspace.WorkspaceId);
        Assert.Equal(["https://acme.example/1", "https://acme.example/2", "https://acme.example/6", "https://acme.example/9"], pages.Select(
            row => (string)row[0]!));
        var hits = await fixture.Database.Query(
            "select kind, sum(hits)::bigint from hit_count where workspace_id = $1 group by 1 order by 1", workspace.WorkspaceId);
        Assert.Equal([("bot", 1L), ("consent", 4L)], hits.Select(row => ((string)row[0]!, (long)row[1]!)));
    }

    private static object Call(string id, string caller, string trackingNumber, string? anonymousId) => new
    {
        type = "track",
        @event = "Call Received",
        messageId = id,
        anonymousId,
        timestamp = "2026-03-02T10:05:00Z",
        properties = new { phone = caller, trackingNumber, answered = true },
    };

    private static Task<(HttpStatusCode Status, System.Text.Json.Nodes.JsonNode Body)> Put(CaptureClient workspace, object body) =>
        workspace.Send(HttpMethod.Put, "/v1/tracking", System.Net.Http.Json.JsonContent.Create(body));

    private async Task<(string? Channel, string? Source, string? Campaign)> FirstTouch(CaptureClient workspace, string phone)
    {
        var touch = await fixture.Database.Scalar<string>(
            "select first_touch::text from lead l join lead_identity i on i.workspace_id = l.workspace_id and i.lead_id = l.id where i.workspace_id = $1 and i.value = $2",
            workspace.WorkspaceId, phone);
        var json = touch is null ? null : System.Text.Json.Nodes.JsonNode.Parse(touch);
        string? Part(string name) => (json?[name] ?? json?[char.ToUpperInvariant(name[0]) + name[1..]])?.GetValue<string>();
        return (Part("channel"), Part("source"), Part("campaign"));
    }

    private static async Task<(HttpStatusCode Status, string? Number)> Number(CaptureClient workspace, string url, string referrer)
    {
        var (status, body) = await workspace.Get($"/t/number?u={Uri.EscapeDataString(url)}&r={Uri.EscapeDataString(referrer)}");
        return (status, body["number"]?.GetValue<string>());
    }

    private async Task<(HttpStatusCode Status, string Text, string Tag)> Script(CaptureClient? workspace, string? tag = null)
    {
        using var response = await Answer(workspace, "/t.js", tag is null ? [] : [("If-None-Match", tag)]);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.ETag!.ToString());
    }

    private async Task<string> Pixel(CaptureClient workspace, string path, params (string Name, string Value)[] headers)
    {
        using var response = await Answer(
            workspace, $"/t.gif?u=https://acme.example{path}", [.. headers, ("User-Agent", Person), ("Accept-Language", "en")]);
        Assert.Equal((HttpStatusCode.OK, "image/gif"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        return response.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.Single() : "";
    }

    private async Task<HttpResponseMessage> Answer(CaptureClient? workspace, string path, (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(fixture.Service.Http, path));
        if (workspace is not null)
        {
            request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace.WorkspaceId, "capture:write"));
        }

        foreach (var (name, value) in headers.DistinctBy(header => header.Name))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request);
    }
}
