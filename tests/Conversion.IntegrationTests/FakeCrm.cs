using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>
/// The other side of the wire: takes signed webhooks, offers deals by REST, page by page, and collects analytics events. It checks and
/// makes
/// signatures by its own few lines, after the specification.
/// </summary>
public sealed class FakeCrm(int port) : IAsyncDisposable
{
    private static readonly HttpClient Client = new();

    private WebApplication? app;

    public string Address => $"http://127.0.0.1:{port}";

    /// <summary>Webhooks whose signature fitted, with their ids.</summary>
    public ConcurrentQueue<(string Id, JsonNode Body)> Received { get; } = [];

    /// <summary>Analytics events, with the query they came with.</summary>
    public ConcurrentQueue<(string Query, JsonNode Body)> Collected { get; } = [];

    /// <summary>Requests for deals: the query and the header that carries the secret.</summary>
    public ConcurrentQueue<(string Query, string? Key)> Pulled { get; } = [];

    /// <summary>Pages of deals by cursor.</summary>
    public ConcurrentDictionary<string, string> Pages { get; } = [];

    /// <summary>Statuses of the next answers to webhooks; 204 when there is none left.</summary>
    public ConcurrentQueue<int> Statuses { get; } = [];

    public string Secret { get; set; } = "";

    public async Task Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        app = builder.Build();
        app.MapPost("/hook", Hook);
        app.MapPost("/collect", async (HttpContext http) =>
            Collected.Enqueue((http.Request.QueryString.Value!, JsonNode.Parse(await Read(http))!)));
        app.MapGet("/deals", (HttpContext http, string? cursor) =>
        {
            Pulled.Enqueue((Uri.UnescapeDataString(http.Request.QueryString.Value!), http.Request.Headers["X-Key"]));
            return http.Request.Headers["X-Key"] == "s3cret"
                ? Results.Text(Pages.GetValueOrDefault(cursor ?? "", """{"items":[]}"""), "application/json")
                : Results.StatusCode(401);
        });
        await app.StartAsync();
    }

    /// <summary>Sends a webhook as the CRM would; answers status and body.</summary>
    public async Task<(int Status, JsonNode? Body)> Send(Uri service, string path, string body, string? id = null, string? secret = null,
        int secondsAgo = 0)
    {
        id ??= $"crm_{Guid.CreateVersion7():N}";
        var timestamp = (Times.Now.ToUnixTimeSeconds() - secondsAgo).ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post,
            new Uri(service, path))
        { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", Sign(secret ?? Secret, id, timestamp, body));
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length > 0 ? JsonNode.Parse(text) : null);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.DisposeAsync();
        }
    }

    private async Task Hook(HttpContext http)
    {
        var (body, headers) = (await Read(http), http.Request.Headers);
        var expected = Sign(Secret, headers["webhook-id"]!, headers["webhook-timestamp"]!, body);
        if (!headers["webhook-signature"].ToString().Split(' ').Contains(expected))
        {
            http.Response.StatusCode = 401;
            return;
        }

        http.Response.StatusCode = Statuses.TryDequeue(out var status) ? status : 204;
        Received.Enqueue((headers["webhook-id"]!, JsonNode.Parse(body)!));
    }

    private static string Sign(string secret, string id, string timestamp, string body) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(
            Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));

    private static async Task<string> Read(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        return await reader.ReadToEndAsync();
    }
}
