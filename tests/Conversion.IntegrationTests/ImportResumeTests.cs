using System.Net;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>An import of deals with a request id goes on where it was broken off.</summary>
public sealed class ImportResumeTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    [Fact]
    public async Task Import_BrokenOffAndSentAgain_CountsEachDealOnce()
    {
        var workspace = Guid.CreateVersion7();

        var (resumed, again, another) = await ResumedImport.Run(
            Fixture.Service.Http, IdentityTokens.Issue(workspace, "UTC", "USD", "admin"),
            "/v1/opportunities:import", "externalId,name,stage",
            index => index % 500 == 7 ? $"D{index},Deal {index},Dreaming" : $"D{index},Deal {index},", 2_000,
            () => Fixture.Database.Scalar<long>("select count(*) from opportunity where workspace_id = $1", workspace));

        Assert.Equal((1_996, 0, 0, 4), (
            Count(resumed, "created"), Count(resumed, "updated"), Count(resumed, "unchanged"), Count(resumed, "rejectedCount")));
        Assert.Equal([9, 509, 1009, 1509], resumed["rejected"]!.AsArray().Select(row => row!["line"]!.GetValue<int>()));
        Assert.Equal(resumed.ToJsonString(), again.ToJsonString());
        Assert.Equal(HttpStatusCode.Conflict, another);
        Assert.Equal(1_996L, await Fixture.Database.Scalar<long>("select count(*) from opportunity where workspace_id = $1", workspace));
    }

    private static int Count(System.Text.Json.Nodes.JsonNode answer, string what) => answer[what]!.GetValue<int>();
}
