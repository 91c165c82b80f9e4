using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Capture.BrowserTests;
using Lifecycle.Capture.Storage;
using Lifecycle.Gateway.Storage;
using Lifecycle.Testing;

[assembly: AssemblyFixture(typeof(TrackedFixture))]

namespace Capture.BrowserTests;

/// <summary>Capture behind the gateway as processes on real servers, and a browser. The other services are down: nothing here asks them.</summary>
public sealed class TrackedFixture : IAsyncLifetime
{
    private const string AdminKey = "the-administrators-key-of-the-tests";

    private readonly List<IAsyncDisposable> parts = [];
    private readonly HttpClient http = new();

    public Uri Gateway { get; private set; } = null!;

    /// <summary>Capture's own database, for asserting what is stored.</summary>
    public TestDatabase Database { get; private set; } = null!;

    public Chromium Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = Keep(await TestDatabase.Create<CaptureDbContext>("capture"));
        var gatewayDatabase = Keep(await TestDatabase.Create<GatewayDbContext>("gateway"));
        var broker = Keep(await TestVirtualHost.Create());
        var environment = ServiceEnvironment.For(Database, broker);
        environment["Capture__ScriptCacheSeconds"] = "0";
        var capture = Keep(ServiceProcess.Create("Capture", environment));
        await capture.Start();

        var ports = FreePorts.Find(3);
        environment = ServiceEnvironment.For(gatewayDatabase, broker);
        environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
        environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
        environment["LIFECYCLE_ADMIN_KEY"] = AdminKey;
        foreach (var service in new[] { "scoring", "nurture", "conversion", "retention" })
        {
            environment[$"services__{service}__grpc__0"] = $"http://127.0.0.1:{ports[2]}";
        }

        environment["services__capture__grpc__0"] = capture.Grpc.ToString();
        await Keep(ServiceProcess.Create("Gateway", environment)).Start();
        Gateway = new Uri($"http://127.0.0.1:{ports[0]}");
        Browser = Keep(await Chromium.Start());
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.DisposeAsync();
        }
    }

    /// <summary>A workspace with an administrator's and a publishable key.</summary>
    public async Task<Workspace> NewWorkspace()
    {
        var id = (string)(await Send(HttpMethod.Post, "/v1/workspaces", AdminKey, new { displayName = "Acme", timeZone = "UTC", currencyCode = "USD" }))["id"]!;
        var keys = new List<string>();
        foreach (var (kind, scope) in new[] { ("SECRET", "admin"), ("PUBLISHABLE", "capture:write") })
        {
            keys.Add((string)(await Send(HttpMethod.Post, "/v1/keys", AdminKey, new { workspaceId = id, kind, scopes = new[] { scope } }))["key"]!);
        }

        return new(this, Guid.Parse(id), keys[0], keys[1]);
    }

    /// <summary>The sample site with the workspace's script in its pages.</summary>
    public Task<SampleSite> Open(Workspace workspace) => SampleSite.Start(Gateway, workspace.PublishableKey);

    /// <inheritdoc cref="Chromium.NewVisit"/>
    public Task<Visit> NewVisit(string? state = null) => Browser.NewVisit(Gateway, state);

    internal async Task<JsonNode> Send(HttpMethod method, string path, string key, object? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(Gateway, path)) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{method} {path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    private T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        parts.Add(part);
        return part;
    }
}

/// <summary>A workspace of one test's own.</summary>
public sealed class Workspace(TrackedFixture fixture, Guid id, string key, string publishableKey)
{
    public Guid Id => id;

    public string PublishableKey => publishableKey;

    public Task<JsonNode> Get(string path) => fixture.Send(HttpMethod.Get, path, key, null);

    public Task<JsonNode> Post(string path, object body) => fixture.Send(HttpMethod.Post, path, key, body);

    public Task<JsonNode> Put(string path, object body) => fixture.Send(HttpMethod.Put, path, key, body);

    /// <summary>Type and name of each activity in order of time.</summary>
    public async Task<string[]> Activities() =>
        [.. (await fixture.Database.Query("select type || ' ' || name from activity where workspace_id = $1 order by time, id", id)).Select(row => (string)row[0]!)];

    /// <summary>Waits until these activities are there, and no other.</summary>
    public Task Did(params string[] activities) =>
        Eventually.Equal(string.Join('\n', activities), async () => string.Join('\n', await Activities()), "the activities are recorded");
}
