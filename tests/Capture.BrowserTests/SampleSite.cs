using System.Net;
using Lifecycle.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Logging;

namespace Capture.BrowserTests;

/// <summary>
/// Serves samples/site under www.acme.example, with a workspace's script in it, and any other host as a page that links to it.
/// </summary>
public sealed class SampleSite : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly int port;

    private SampleSite(WebApplication app, int port) => (this.app, this.port) = (app, port);

    /// <summary>Address of a page of the company's site.</summary>
    public string Page(string path) => $"http://www.acme.example:{port}{path}";

    /// <summary>Address of a page of another site that links to the company's.</summary>
    public string Elsewhere(string host, string path) => $"http://{host}:{port}/?to={Uri.EscapeDataString(Page(path))}";

    public static async Task<SampleSite> Start(Uri gateway, string key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var port = FreePorts.Find(1)[0];
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.Run(http => Answer(http, $"{gateway}t.js?key={key}"));
        await app.StartAsync();
        return new(app, port);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async Task Answer(HttpContext http, string script)
    {
        var path = http.Request.Path.Value!;
        if (http.Request.Host.Host != "www.acme.example")
        {
            http.Response.ContentType = "text/html";
            await http.Response.WriteAsync(
                $"<title>Elsewhere</title><a id=link href=\"{WebUtility.HtmlEncode(http.Request.Query["to"])}\">Acme</a>");
            return;
        }

        var file = Path.Combine(Repository.Root, "samples/site", path.TrimStart('/'));
        if (!File.Exists(file))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        http.Response.ContentType = new FileExtensionContentTypeProvider().TryGetContentType(file, out var type)
            ? type
            : "application/octet-stream";
        await http.Response.WriteAsync(
            (await File.ReadAllTextAsync(file)).Replace("http://localhost:8080/t.js?key=lp_YOUR_KEY", script, StringComparison.Ordinal));
    }
}
