using System.Text.Json.Nodes;
using Lifecycle.Capture.Storage;
using Lifecycle.Gateway.Storage;
using Lifecycle.Nurture.Storage;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>
/// The real gateway before a Nurture and a Capture of their own, a mail server, and a workspace made through it. The other services are
/// down.
/// </summary>
public sealed class ThroughGateway : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> parts = [];
    private GatewayClient client = null!;

    internal TestSmtpServer Mails { get; } = new();

    public TestDatabase Database { get; private set; } = null!;

    public Guid Workspace => client.WorkspaceId;

    public async ValueTask InitializeAsync()
    {
        var broker = Kept(await TestVirtualHost.Create());
        parts.Insert(0, Mails);
        Database = Kept(await TestDatabase.Create<NurtureDbContext>("nurture"));
        var captures = Kept(await TestDatabase.Create<CaptureDbContext>("capture"));
        var gateway = new TestGateway(await TestDatabase.Create<GatewayDbContext>("gateway"), broker);
        var capture = Kept(ServiceProcess.Create("Capture", ServiceEnvironment.For(captures, broker)));
        var environment = NurtureFixture.Environment(Database, broker, Mails);
        (environment["services__capture__grpc__0"], environment["services__conversion__grpc__0"]) = (
            capture.Grpc.ToString(), gateway.Nobody);
        var nurture = Kept(ServiceProcess.Create("Nurture", environment));
        await Task.WhenAll(capture.Start(), nurture.Start(), Kept(gateway).Start(capture, nurture));
        client = await gateway.NewWorkspace("nurture:read", "nurture:write", "capture:read", "capture:write", "metrics:read");
        foreach (var database in new[] { Database, captures })
        {
            await Eventually.Equal(
                1L, () => database.Scalar<long>("select count(*) from workspace where id = $1", Workspace),
                "the services know the workspace", TimeSpan.FromSeconds(120));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.DisposeAsync();
        }
    }

    /// <summary>Any answer.</summary>
    public Task<RestAnswer> Call(
        HttpMethod method, string path, string? body = null, string media = "application/json", string accept = "application/json",
        string? requestId = null) =>
        client.Call(method, path, body, media, accept, requestId);

    /// <summary>The answer to a call that succeeds.</summary>
    public Task<JsonNode> Ask(HttpMethod method, string path, string? body = null, string media = "application/json") =>
        client.Ask(method, path, body, media);

    public Task<JsonNode> Get(string path) => client.Get(path);

    public Task<JsonNode> Post(string path, string body = "{}") => client.Post(path, body);

    /// <summary>The lines of a table.</summary>
    public async Task<string[]> Table(string path, HttpMethod? method = null, string? body = null) =>
        (await client.Csv(path, method, body)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A lead made in Capture; Nurture hears of it by and by.</summary>
    public async Task<string> NewLead(string email, int employees) => (string)(await Post(
        "/v1/leads",
        $$$"""{"email":"{{{email}}}","traits":{"firstName":"Ada"},"company":{"name":"Acme","employees":{{{employees}}}}}"""))["id"]!;

    private T Kept<T>(T part)
        where T : IAsyncDisposable
    {
        parts.Add(part);
        return part;
    }
}
