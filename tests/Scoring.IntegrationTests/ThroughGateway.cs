using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Gateway.Storage;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>The real gateway before the fixture's Scoring, and a workspace made through it. The other services are down.</summary>
internal sealed class ThroughGateway : IAsyncDisposable
{
    private const string AdminKey = "the-administrators-key-of-the-tests";
    private readonly TestDatabase database;
    private readonly ServiceProcess gateway;
    private readonly HttpClient client;
    private string key = AdminKey;

    private ThroughGateway(TestDatabase database, ServiceProcess gateway, Uri address) =>
        (this.database, this.gateway, client) = (database, gateway, new() { BaseAddress = address });

    public Guid Workspace { get; private set; }

    public static async Task<ThroughGateway> Start(ScoringFixture scoring)
    {
        var database = await TestDatabase.Create<GatewayDbContext>("gateway");
        var ports = FreePorts.Find(3);
        var environment = ServiceEnvironment.For(database, scoring.Broker);
        environment["GATEWAY_HTTP_PORT"] = $"{ports[0]}";
        environment["GATEWAY_GRPC_PORT"] = $"{ports[1]}";
        environment["LIFECYCLE_ADMIN_KEY"] = AdminKey;
        foreach (var service in new[] { "capture", "nurture", "conversion", "retention" })
        {
            environment[$"services__{service}__grpc__0"] = $"http://127.0.0.1:{ports[2]}";
        }

        environment["services__scoring__grpc__0"] = scoring.Service.Grpc.ToString();
        var gateway = ServiceProcess.Create("Gateway", environment);
        await gateway.Start();
        var through = new ThroughGateway(database, gateway, new Uri($"http://127.0.0.1:{ports[0]}"));
        var made = await through.Ask(HttpMethod.Post, "/v1/workspaces", """{"displayName":"Acme","timeZone":"UTC","currencyCode":"USD"}""");
        through.Workspace = Guid.Parse((string)made["id"]!);
        through.key = (string)(await through.Ask(
            HttpMethod.Post, "/v1/keys", $$"""{"workspaceId":"{{through.Workspace}}","kind":"SECRET","scopes":["scoring:read","scoring:write"]}"""))["key"]!;
        await Eventually.Equal(
            1L, () => scoring.Database.Scalar<long>("select count(*) from workspace where id = $1", through.Workspace), "Scoring knows the workspace");
        return through;
    }

    public async Task<(int Status, JsonNode Body)> Call(HttpMethod method, string path, string? json = null, string? requestId = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        if (requestId is not null)
        {
            request.Headers.Add("Idempotency-Key", requestId);
        }

        using var response = await client.SendAsync(request);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    /// <summary>The answer to a call that succeeds.</summary>
    public async Task<JsonNode> Ask(HttpMethod method, string path, string? json = null)
    {
        var (status, body) = await Call(method, path, json);
        Assert.True(status == 200, $"{method} {path}: {status} {body}");
        return body;
    }

    public Task<JsonNode> Get(string path) => Ask(HttpMethod.Get, path);

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await gateway.DisposeAsync();
        await database.DisposeAsync();
    }
}
