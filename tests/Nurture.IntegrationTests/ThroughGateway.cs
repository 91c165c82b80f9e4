using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Storage;
using Lifecycle.Gateway.Storage;
using Lifecycle.Nurture.Storage;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>The real gateway before a Nurture and a Capture of their own, a mail server, and a workspace made through it. The other services are down.</summary>
public sealed class ThroughGateway : IAsyncLifetime
{
    private const string AdminKey = "the-administrators-key-of-the-tests";
    private readonly List<IAsyncDisposable> parts = [];
    private HttpClient? client;
    private string key = AdminKey;

    internal TestSmtpServer Mails { get; } = new();

    public TestDatabase Database { get; private set; } = null!;

    public Guid Workspace { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var broker = Kept(await TestVirtualHost.Create());
        parts.Insert(0, Mails);
        Database = Kept(await TestDatabase.Create<NurtureDbContext>("nurture"));
        var captures = Kept(await TestDatabase.Create<CaptureDbContext>("capture"));
        var keys = Kept(await TestDatabase.Create<GatewayDbContext>("gateway"));
        var ports = FreePorts.Find(3);
        var down = $"http://127.0.0.1:{ports[2]}";
        var capture = Kept(ServiceProcess.Create("Capture", ServiceEnvironment.For(captures, broker)));
        var environment = NurtureFixture.Environment(Database, broker, Mails);
        (environment["services__capture__grpc__0"], environment["services__conversion__grpc__0"]) = (capture.Grpc.ToString(), down);
        var nurture = Kept(ServiceProcess.Create("Nurture", environment));
        environment = ServiceEnvironment.For(keys, broker);
        environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
        environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
        environment["LIFECYCLE_ADMIN_KEY"] = AdminKey;
        foreach (var service in new[] { "scoring", "conversion", "retention" })
        {
            environment[$"services__{service}__grpc__0"] = down;
        }

        environment["services__capture__grpc__0"] = capture.Grpc.ToString();
        environment["services__nurture__grpc__0"] = nurture.Grpc.ToString();
        var gateway = Kept(ServiceProcess.Create("Gateway", environment));
        await Task.WhenAll(capture.Start(), nurture.Start(), gateway.Start());
        client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports[0]}") };
        var made = await Ask(HttpMethod.Post, "/v1/workspaces", """{"displayName":"Acme","timeZone":"UTC","currencyCode":"USD"}""");
        Workspace = Guid.Parse((string)made["id"]!);
        key = (string)(await Ask(
            HttpMethod.Post, "/v1/keys",
            $$"""{"workspaceId":"{{Workspace}}","kind":"SECRET","scopes":["nurture:read","nurture:write","capture:read","capture:write","metrics:read"]}"""))["key"]!;
        foreach (var database in new[] { Database, captures })
        {
            await Eventually.Equal(
                1L, () => database.Scalar<long>("select count(*) from workspace where id = $1", Workspace), "the services know the workspace",
                TimeSpan.FromSeconds(120));
        }
    }

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.DisposeAsync();
        }
    }

    /// <summary>An answer as text.</summary>
    public async Task<(int Status, string Media, string Body)> Call(
        HttpMethod method, string path, string? body = null, string media = "application/json", string accept = "application/json", string? requestId = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Accept.ParseAdd(accept);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, media);
        if (requestId is not null)
        {
            request.Headers.Add("Idempotency-Key", requestId);
        }

        using var response = await client!.SendAsync(request);
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync());
    }

    /// <summary>The answer to a call that succeeds.</summary>
    public async Task<JsonNode> Ask(HttpMethod method, string path, string? body = null, string media = "application/json")
    {
        var (status, _, text) = await Call(method, path, body, media);
        Assert.True(status == 200, $"{method} {path}: {status} {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    public Task<JsonNode> Get(string path) => Ask(HttpMethod.Get, path);

    public Task<JsonNode> Post(string path, string body = "{}") => Ask(HttpMethod.Post, path, body);

    /// <summary>The lines of a table.</summary>
    public async Task<string[]> Table(string path, HttpMethod? method = null, string? body = null)
    {
        var (status, media, text) = await Call(method ?? HttpMethod.Get, path, body, accept: "text/csv");
        Assert.True((status, media) == (200, "text/csv"), $"{path}: {status} {media} {text}");
        return text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A lead made in Capture; Nurture hears of it by and by.</summary>
    public async Task<string> NewLead(string email, int employees) => (string)(await Post(
        "/v1/leads", $$$"""{"email":"{{{email}}}","traits":{"firstName":"Ada"},"company":{"name":"Acme","employees":{{{employees}}}}}"""))["id"]!;

    private T Kept<T>(T part)
        where T : IAsyncDisposable
    {
        parts.Add(part);
        return part;
    }
}
