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
    private readonly List<IAsyncDisposable> parts = [];
    private TestGateway gateway = null!;

    public Uri Gateway => gateway.Address;

    public Chromium Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var broker = Keep(await TestVirtualHost.Create());
        gateway = new TestGateway(await TestDatabase.Create<GatewayDbContext>("gateway"), broker);
        var environment = ServiceEnvironment.For(
            Keep(await TestDatabase.Create<RetentionDbContext>(RetentionDbContext.SchemaName)), broker);
        environment["Retention__PublicBaseUrl"] = Gateway.ToString();
        environment["services__conversion__grpc__0"] = gateway.Nobody;
        var retention = Keep(ServiceProcess.Create("Retention", environment));
        await retention.Start();
        await Keep(gateway).Start(retention);
        Browser = Keep(await Chromium.Start());
    }

    /// <summary>A new workspace and an administrator's key of it.</summary>
    public Task<GatewayClient> NewWorkspace() => gateway.NewWorkspace("admin");

    public async ValueTask DisposeAsync()
    {
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
        var workspace = await fixture.NewWorkspace();
        var customer = (string)(await workspace.Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var survey = (string)(await workspace.Post(
            "/v1/surveys", new { type = "NPS", displayName = "N", question = "Would you recommend us?" }))["id"]!;
        var link = (string)(await workspace.Post($"/v1/surveys/{survey}:createLink", new { customerId = customer }))["url"]!;
        await using var visit = await fixture.Browser.NewVisit(fixture.Gateway);
        var page = await visit.Context.NewPageAsync();
        await page.SetViewportSizeAsync(360, 740);

        await page.GotoAsync(link);
        Assert.Equal("Would you recommend us?", await page.InnerTextAsync("h1"));
        // Nothing lies beyond the screen's side, and a thumb hits every number.
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
        Assert.Equal(
            11, await page.EvaluateAsync<int>(
                "[...document.querySelectorAll('fieldset label')].filter(l => Math.min(l.offsetWidth, l.offsetHeight) >= 44).length"));
        await Answer(page, steps: 9, "Quick and friendly");

        await page.GotoAsync(link);
        await Answer(page, steps: 3, "Not any more");

        var answer = Assert.Single((await workspace.Get($"/v1/surveys/{survey}/answers"))["answers"]!.AsArray())!;
        Assert.Equal((3, "Not any more"), ((int)answer["score"]!, (string)answer["comment"]!));
        Assert.Empty(await visit.Cookies());
    }

    [Fact]
    public async Task Page_OfAnExpiredOrForgedLink_SaysSo()
    {
        var workspace = await fixture.NewWorkspace();
        var customer = (string)(await workspace.Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var survey = (string)(await workspace.Post("/v1/surveys", new { type = "NPS", displayName = "N" }))["id"]!;
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Lifecycle:IdentitySecret", IdentityTokens.Secret)]).Build();
        var options = Options.Create(new RetentionOptions { PublicBaseUrl = fixture.Gateway, LinkDays = 90 });
        Uri Link(int daysAgo) =>
            new SurveyLinks(configuration, options, new ManualTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-daysAgo)))
                .Create(workspace.WorkspaceId, Guid.Parse(survey), Guid.Parse(customer));
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
