using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Capture.BrowserTests;

/// <summary>Debian's Chromium, driven by Playwright. Every host under .example is this machine.</summary>
public sealed class Chromium : IAsyncDisposable
{
    /// <summary>What a person's browser says; Chromium without a window would say that it is one, and be counted as a robot.</summary>
    private const string UserAgent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    private readonly IPlaywright playwright;
    private readonly IBrowser browser;

    private Chromium(IPlaywright playwright, IBrowser browser) => (this.playwright, this.browser) = (playwright, browser);

    public static async Task<Chromium> Start()
    {
        var playwright = await Playwright.CreateAsync();
        return new(playwright, await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            // The whole browser is told who it is: what a page sends on its way out knows nothing of its context's settings.
            Args = [$"--user-agent={UserAgent}", "--accept-lang=en-US", "--no-sandbox", "--host-resolver-rules=MAP *.example 127.0.0.1",
                "--disable-blink-features=AutomationControlled"],
        }));
    }

    /// <summary>A visitor's browser: a profile of its own that goes on from <paramref name="state"/>.</summary>
    /// <param name="gateway">Its requests are noted.</param>
    /// <param name="state">Cookies and storage of an earlier visit.</param>
    /// <param name="userAgent">Who it says it is; null: a person's browser.</param>
    public async Task<Visit> NewVisit(Uri gateway, string? state = null, string? userAgent = null) =>
        new(await browser.NewContextAsync(new() { StorageState = state, UserAgent = userAgent }), gateway);

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }
}

/// <summary>One visitor's browser.</summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> requests = [];

    public Visit(IBrowserContext context, Uri gateway)
    {
        Context = context;
        context.Request += (_, request) =>
        {
            if (request.Url.StartsWith(gateway.ToString(), StringComparison.Ordinal))
            {
                requests.Enqueue($"{request.Method} {new Uri(request.Url).AbsolutePath}");
            }
        };
    }

    public IBrowserContext Context { get; }

    /// <summary>What the pages asked of the gateway.</summary>
    public IReadOnlyCollection<string> Requests => requests;

    /// <summary>Names of the cookies that were set.</summary>
    public async Task<string[]> Cookies() =>
        [.. (await Context.CookiesAsync()).Select(cookie => cookie.Name).Order(StringComparer.Ordinal)];

    public ValueTask DisposeAsync() => Context.DisposeAsync();
}
