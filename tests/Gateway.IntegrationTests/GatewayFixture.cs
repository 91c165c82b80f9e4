using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using Lifecycle.Gateway.Storage;
using Lifecycle.Testing;

namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>A REST answer, read whole.</summary>
public sealed record Answer(int Status, string Type, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonNode Json => JsonNode.Parse(Body)!;
}

/// <summary>
/// Two replicas of the gateway as processes, on real Postgres and RabbitMQ, before backends that tell what reached them. Retention is down.
/// </summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    public const string AdminKey = "the-administrators-key-of-the-tests";

    private static readonly string[] Services = ["capture", "scoring", "nurture", "conversion", "retention"];

    private readonly List<Backend> backends = [];
    private readonly List<ServiceProcess> processes = [];
    private readonly List<HttpClient> clients = [];
    private TestVirtualHost? broker;

    public TestDatabase Database { get; private set; } = null!;

    public GrpcChannel Channel { get; private set; } = null!;

    /// <summary>The first replica.</summary>
    public HttpClient Http => clients[0];

    public string Workspace { get; private set; } = "";

    /// <summary>Key of the workspace with every right in it.</summary>
    public string Key { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.Create<GatewayDbContext>("gateway");
        broker = await TestVirtualHost.Create();
        backends.AddRange(Services.Select(service => new Backend(service)));
        foreach (var backend in backends.Where(backend => backend.Service != "retention"))
        {
            await backend.Start();
        }

        foreach (var replica in new[] { 0, 1 })
        {
            var ports = FreePorts.Find(2);
            var environment = ServiceEnvironment.For(Database, broker);
            environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
            environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
            environment["LIFECYCLE_ADMIN_KEY"] = AdminKey;
            environment["Gateway__CorsOrigins__0"] = "https://app.example.com";
            environment["Gateway__KeyUseSeconds"] = "1";
            environment["Gateway__KeyCacheSeconds"] = "3600";
            // The backends share this process with the tests: should it stand still for a while, they are not away.
            environment["Gateway__ScorecardSeconds"] = "60";
            environment["Gateway__TargetPollSeconds"] = "1";
            foreach (var backend in backends)
            {
                environment[$"services__{backend.Service}__grpc__0"] = $"http://127.0.0.1:{backend.Port}";
            }

            var process = ServiceProcess.Create("Gateway", environment);
            process.Expect("MetricsService/QueryMetrics failed with Unavailable");
            processes.Add(process);
            await process.Start();
            clients.Add(new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports[0]}") });
            Channel ??= GrpcChannel.ForAddress($"http://127.0.0.1:{ports[1]}");
        }

        (Workspace, Key) = await NewWorkspace("Europe/Berlin", "EUR");
    }

    /// <summary>A workspace and an admin key of it.</summary>
    public async Task<(string Workspace, string Key)> NewWorkspace(string timeZone = "UTC", string currency = "USD")
    {
        var workspace = (string)(await Post("/v1/workspaces",
            $$"""{"displayName":"Acme","timeZone":"{{timeZone}}","currencyCode":"{{currency}}"}""", AdminKey)).Json["id"]!;
        return (workspace, await NewKey(workspace, "admin"));
    }

    public async Task<string> NewKey(string workspace, string scopes, string kind = "SECRET") =>
        (string)(await Post(
            "/v1/keys", $$"""{"workspaceId":"{{workspace}}","kind":"{{kind}}","scopes":["{{scopes}}"]}""", AdminKey)).Json["key"]!;

    public Task<Answer> Get(string path, string? key = null, int replica = 0, Action<HttpRequestMessage>? also = null) =>
        Send(HttpMethod.Get, path, key, null, replica, also);

    public Task<Answer> Post(string path, string json, string? key = null, Action<HttpRequestMessage>? also = null) =>
        Send(HttpMethod.Post, path, key, new StringContent(json, Encoding.UTF8, "application/json"), 0, also);

    public async Task<Answer> Send(
        HttpMethod method, string path, string? key = null, HttpContent? body = null, int replica = 0,
        Action<HttpRequestMessage>? also = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        if (key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        also?.Invoke(request);
        using var response = await clients[replica].SendAsync(request);
        return new(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType ?? "",
            await response.Content.ReadAsStringAsync(),
            response.Headers.ToDictionary(
                header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    public async ValueTask DisposeAsync()
    {
        Channel?.Dispose();
        foreach (var client in clients)
        {
            client.Dispose();
        }

        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        foreach (var backend in backends)
        {
            await backend.DisposeAsync();
        }

        if (broker is not null)
        {
            await broker.DisposeAsync();
        }

        await Database.DisposeAsync();
    }
}

[CollectionDefinition(nameof(GatewayGroup))]
public sealed class GatewayGroup : ICollectionFixture<GatewayFixture>;
