using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Lists in the order asked for, page by page.</summary>
public sealed class ListOrderTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private readonly TestWorkspace workspace = new(fixture);

    [Theory]
    [InlineData("/v1/pipelines", "displayName")]
    [InlineData("/v1/salesTeams", "priority")]
    [InlineData("/v1/crmConnections", "createTime")]
    [InlineData("/v1/analyticsExport/deliveries", "createTime")]
    [InlineData("/v1/analyticsExport/offlineExports", "createTime")]
    public async Task List_OfNothing_TakesItsOrdersAndNoOther(string path, string order)
    {
        await workspace.Get($"{path}?orderBy={order}%20desc");
        var refused = await workspace.Get($"{path}?orderBy=colour", HttpStatusCode.BadRequest);

        Assert.Equal("orderBy", Assert.Single(refused["errors"]!.AsArray())!["field"]!.GetValue<string>());
    }

    [Fact]
    public async Task SalesTeams_ByPriorityAndByName_AreSortedOverPages()
    {
        foreach (var (name, priority) in new[] { ("Delta", 2), ("Alpha", 3), ("Charlie", 1), ("Bravo", 2) })
        {
            await workspace.Post("/v1/salesTeams", new { displayName = name, priority, members = new[] { new { owner = "ann" } } });
        }

        Assert.Equal(["Charlie", "Delta", "Bravo", "Alpha"], await Read("/v1/salesTeams", ""));
        Assert.Equal(["Alpha", "Bravo", "Delta", "Charlie"], await Read("/v1/salesTeams", "priority desc"));
        Assert.Equal(["Alpha", "Bravo", "Charlie", "Delta"], await Read("/v1/salesTeams", "displayName"));
    }

    [Fact]
    public async Task CrmConnections_ByName_AreSortedOverPages()
    {
        var ids = new Dictionary<string, string>();
        foreach (var name in new[] { "Charlie", "Alpha", "Bravo" })
        {
            var made = await workspace.Post("/v1/crmConnections", new { displayName = name });
            ids[name] = made["id"]!.GetValue<string>();
        }

        Assert.Equal(["Charlie", "Alpha", "Bravo"], await Read("/v1/crmConnections", ""));
        Assert.Equal(["Charlie", "Bravo", "Alpha"], await Read("/v1/crmConnections", "displayName desc"));
        var below = $"/v1/crmConnections/{ids["Alpha"]}";
        Assert.Empty(await Read($"{below}/deliveries", "createTime"));
        Assert.Empty(await Read($"{below}/receipts", "receiveTime"));
    }

    private Task<List<string>> Read(string path, string orderBy) => PagedList.Read(
        async asked => (JsonNode)await workspace.Get(asked), path, orderBy, row => row["displayName"]!.GetValue<string>());
}
