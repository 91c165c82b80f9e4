using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Gateway.Storage;
using Lifecycle.Retention;
using Lifecycle.Retention.Features.AnswerByLink;
using Lifecycle.Retention.Storage;
using Lifecycle.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Playwright;

namespace Capture.BrowserTests;

/// <summary>Retention behind the gateway, and a browser.</summary>
public sealed class SurveyedFixture : IAsyncLifetime
{
    private const string AdminKey = "the-administrators-key-of-the-tests";

    private readonly List<IAsyncDisposable> parts = [];
    private readonly HttpClient http = new();

    public Uri Gateway { get; private set; } = null!;

    public Chromium Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var broker = Keep(await TestVirtualHost.Create());
        var ports = FreePorts.Find(3);
        Gateway = new Uri($"http://127.0.0.1:{ports[0]}");
        var environment = ServiceEnvironment.For(Keep(await TestDatabase.Create<RetentionDbContext>(RetentionDbContext.SchemaName)), broker);
        environment["Retention__PublicBaseUrl"] = Gateway.ToString();
        environment["services__conversion__grpc__0"] = $"http://127.0.0.1:{ports[2]}";
        var retention = Keep(ServiceProcess.Create("Retention", environment));
        await retention.Start();

        environment = ServiceEnvironment.For(Keep(await TestDatabase.Create<GatewayDbContext>("gateway")), broker);
        environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
        environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
        environment["LIFECYCLE_ADMIN_KEY"] = AdminKey;
        foreach (var service in new[] { "capture", "scoring", "nurture", "conversion" })
        {
            environment[$"services__{service}__grpc__0"] = $"http://127.0.0.1:{ports[2]}";
        }

        environment["services__retention__grpc__0"] = retention.Grpc.ToString();
        await Keep(ServiceProcess.Create("Gateway", environment)).Start();
        Browser = Keep(await Chromium.Start());
    }

    /// <summary>A new workspace and an administrator's key of it.</summary>
    public async Task<(Guid Id, string Key)> NewWorkspace()
    {
        var id = (string)(await Send(HttpMethod.Post, "/v1/workspaces", AdminKey, new { displayName = "Acme", timeZone = "UTC", currencyCode = "USD" }))["id"]!;
        return (Guid.Parse(id), (string)(await Send(HttpMethod.Post, "/v1/keys", AdminKey, new { workspaceId = id, kind = "SECRET", scopes = new[] { "admin" } }))["key"]!);
    }

    public async Task<JsonNode> Send(HttpMethod method, string path, string key, object? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Gateway, path)) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{method} {path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.DisposeAsync();
        }
    }

    private T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        parts.Add(part);
        return part;
    }
}

/// <summary>The page on which customers answer a survey, on a telephone's screen and by keyboard alone.</summary>
public sealed class SurveyPageTests(SurveyedFixture fixture) : IClassFixture<SurveyedFixture>
{
    [Fact]
    public async Task Page_OnAPhoneByKeyboardAlone_TakesTheAnswerAndItsChange()
    {
        var (_, key) = await fixture.NewWorkspace();
        var customer = (string)(await fixture.Send(HttpMethod.Post, "/v1/customers", key, new { displayName = "A" }))["id"]!;
        var survey = (string)(await fixture.Send(HttpMethod.Post, "/v1/surveys", key, new { type = "NPS", displayName = "N", question = "Would you recommend us?" }))["id"]!;
        var link = (string)(await fixture.Send(HttpMethod.Post, $"/v1/surveys/{survey}:createLink", key, new { customerId = customer }))["url"]!;
        await using var visit = await fixture.Browser.NewVisit(fixture.Gateway);
        var page = await visit.Context.NewPageAsync();
        await page.SetViewportSizeAsync(360, 740);

        await page.GotoAsync(link);
        Assert.Equal("Would you recommend us?", await page.InnerTextAsync("h1"));
        // Nothing lies beyond the screen's side, and a thumb hits every number.
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
        Assert.Equal(
            11, await page.EvaluateAsync<int>("[...document.querySelectorAll('fieldset label')].filter(l => Math.min(l.offsetWidth, l.offsetHeight) >= 44).length"));
        await Answer(page, steps: 9, "Quick and friendly");

        await page.GotoAsync(link);
        await Answer(page, steps: 3, "Not any more");

        var answer = Assert.Single((await fixture.Send(HttpMethod.Get, $"/v1/surveys/{survey}/answers", key))["answers"]!.AsArray())!;
        Assert.Equal((3, "Not any more"), ((int)answer["score"]!, (string)answer["comment"]!));
        Assert.Empty(await visit.Cookies());
    }

    [Fact]
    public async Task Page_OfAnExpiredOrForgedLink_SaysSo()
    {
        var (workspace, key) = await fixture.NewWorkspace();
        var customer = (string)(await fixture.Send(HttpMethod.Post, "/v1/customers", key, new { displayName = "A" }))["id"]!;
        var survey = (string)(await fixture.Send(HttpMethod.Post, "/v1/surveys", key, new { type = "NPS", displayName = "N" }))["id"]!;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Lifecycle:IdentitySecret", IdentityTokens.Secret)]).Build();
        var options = Options.Create(new RetentionOptions { PublicBaseUrl = fixture.Gateway, LinkDays = 90 });
        Uri Link(int daysAgo) => new SurveyLinks(configuration, options, new ManualTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-daysAgo)))
            .Create(workspace, Guid.Parse(survey), Guid.Parse(customer));
        await using var visit = await fixture.Browser.NewVisit(fixture.Gateway);
        var page = await visit.Context.NewPageAsync();

        Assert.Equal(200, (await page.GotoAsync(Link(80).ToString()))!.Status);
        foreach (var url in new[] { Link(100).ToString(), Link(80).ToString()[..^3] + "AAA" })
        {
            Assert.Equal(404, (await page.GotoAsync(url))!.Status);
            Assert.Equal("This link is no longer good", await page.InnerTextAsync("h1"));
            Assert.Equal(0, await page.Locator("form").CountAsync());
        }
    }

    /// <summary>Tab to the numbers, arrows to one of them, Tab to the reason, Tab to the button, Enter.</summary>
    private static async Task Answer(IPage page, int steps, string comment)
    {
        await page.Keyboard.PressAsync("Tab");
        for (var step = 0; step < steps; step++)
        {
            await page.Keyboard.PressAsync("ArrowRight");
        }

        Assert.Equal($"{steps}", await page.EvaluateAsync<string>("document.querySelector('input:checked').value"));
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("comment", await page.EvaluateAsync<string>("document.activeElement.id"));
        await page.Keyboard.TypeAsync(comment);
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("BUTTON", await page.EvaluateAsync<string>("document.activeElement.tagName"));
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Thank you", new() { Timeout = 60_000 });
    }
}
