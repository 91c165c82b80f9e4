using System.Text.Json.Nodes;
using Capture.BrowserTests;
using Lifecycle.Capture.Storage;
using Lifecycle.Gateway.Storage;
using Lifecycle.Testing;

[assembly: AssemblyFixture(typeof(TrackedFixture))]

namespace Capture.BrowserTests;

/// <summary>
/// Capture behind the gateway as processes on real servers, and a browser. The other services are down: nothing here asks them.
/// </summary>
public sealed class TrackedFixture : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> parts = [];
    private TestGateway gateway = null!;

    public Uri Gateway => gateway.Address;

    /// <summary>Capture's own database, for asserting what is stored.</summary>
    public TestDatabase Database { get; private set; } = null!;

    public Chromium Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = Keep(await TestDatabase.Create<CaptureDbContext>("capture"));
        var broker = Keep(await TestVirtualHost.Create());
        var environment = ServiceEnvironment.For(Database, broker);
        environment["Capture__ScriptCacheSeconds"] = "0";
        var capture = Keep(ServiceProcess.Create("Capture", environment));
        await capture.Start();
        gateway = Keep(new TestGateway(await TestDatabase.Create<GatewayDbContext>("gateway"), broker));
        await gateway.Start(capture);
        Browser = Keep(await Chromium.Start());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.DisposeAsync();
        }
    }

    /// <summary>A workspace with an administrator's and a publishable key.</summary>
    public async Task<Workspace> NewWorkspace()
    {
        var client = await gateway.NewWorkspace("admin");
        return new(this, client, await gateway.NewKey(client.WorkspaceId, "PUBLISHABLE", "capture:write"));
    }

    /// <summary>The sample site with the workspace's script in its pages.</summary>
    public Task<SampleSite> Open(Workspace workspace) => SampleSite.Start(Gateway, workspace.PublishableKey);

    /// <inheritdoc cref="Chromium.NewVisit"/>
    public Task<Visit> NewVisit(string? state = null) => Browser.NewVisit(Gateway, state);

    private T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        parts.Add(part);
        return part;
    }
}

/// <summary>A workspace of one test's own.</summary>
public sealed class Workspace(TrackedFixture fixture, GatewayClient client, string publishableKey)
{
    public Guid Id => client.WorkspaceId;

    public string PublishableKey => publishableKey;

    public Task<JsonNode> Get(string path) => client.Get(path);

    public Task<JsonNode> Post(string path, object body) => client.Post(path, body);

    public Task<JsonNode> Put(string path, object body) => client.Put(path, body);

    /// <summary>Type and name of each activity in order of time.</summary>
    public async Task<string[]> Activities() =>
        [.. (await fixture.Database.Query("select type || ' ' || name from activity where workspace_id = $1 order by time, id", Id))
            .Select(row => (string)row[0]!)];

    /// <summary>Waits until these activities are there, and no other.</summary>
    public Task Did(params string[] activities) =>
        Eventually.Equal(string.Join('\n', activities), async () => string.Join('\n', await Activities()), "the activities are recorded");
}
