using System.Text.Json.Nodes;
using Lifecycle.Gateway.Storage;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>The real gateway before the fixture's Scoring, and a workspace made through it. The other services are down.</summary>
internal sealed class ThroughGateway : IAsyncDisposable
{
    private readonly TestGateway gateway;
    private readonly GatewayClient client;

    private ThroughGateway(TestGateway gateway, GatewayClient client) => (this.gateway, this.client) = (gateway, client);

    public Guid Workspace => client.WorkspaceId;

    public static async Task<ThroughGateway> Start(ScoringFixture scoring)
    {
        var gateway = new TestGateway(await TestDatabase.Create<GatewayDbContext>("gateway"), scoring.Broker);
        await gateway.Start(scoring.Service);
        var client = await gateway.NewWorkspace("scoring:read", "scoring:write");
        await Eventually.Equal(
            1L, () => scoring.Database.Scalar<long>("select count(*) from workspace where id = $1", client.WorkspaceId),
            "Scoring knows the workspace");
        return new(gateway, client);
    }

    public async Task<(int Status, JsonNode Body)> Call(HttpMethod method, string path, string? json = null, string? requestId = null)
    {
        var answer = await client.Call(method, path, json, requestId: requestId);
        return (answer.Status, answer.Json);
    }

    /// <summary>The answer to a call that succeeds.</summary>
    public Task<JsonNode> Ask(HttpMethod method, string path, string? json = null) => client.Ask(method, path, json);

    public Task<JsonNode> Get(string path) => client.Get(path);

    public ValueTask DisposeAsync() => gateway.DisposeAsync();
}
