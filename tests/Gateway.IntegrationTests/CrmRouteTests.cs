namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>A CRM's webhook carries no key: its signature is checked behind the gateway. What goes out by CSV needs one.</summary>
[Collection(nameof(GatewayGroup))]
public sealed class CrmRouteTests(GatewayFixture gateway)
{
    [Fact]
    public async Task Inbound_WithoutKey_ReachesTheServiceAsItWasSent()
    {
        var answer = await gateway.Post("/v1/crm/abc/inbound", """{"type": "deal.updated"}""");

        Assert.Equal((200, 24), (answer.Status, (int)answer.Json["length"]!));
        Assert.Null(answer.Json["workspace"]);
    }

    [Fact]
    public async Task OfflineConversions_WithAndWithoutKey_AreForwardedOrRefused()
    {
        Assert.Equal(401, (await gateway.Get("/v1/exports/offlineConversions?from=2026-03-01&to=2026-04-01")).Status);
        var answer = await gateway.Get("/v1/exports/offlineConversions?from=2026-03-01&to=2026-04-01", gateway.Key);

        Assert.Equal((200, gateway.Workspace), (answer.Status, (string?)answer.Json["workspace"]));
    }
}
