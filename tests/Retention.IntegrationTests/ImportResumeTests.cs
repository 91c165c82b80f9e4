using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Imports with a request id go on where they were broken off.</summary>
public sealed class ImportResumeTests(RetentionFixture fixture)
{
    [Fact]
    public async Task ImportCustomers_BrokenOffAndSentAgain_CountsEachOnce()
    {
        var tenant = new Tenant(fixture);

        var (resumed, again, another) = await ResumedImport.Run(
            fixture.Service.Http, IdentityTokens.Issue(tenant.Id, "UTC", "USD", "admin"), "/v1/customers:import",
            "externalId,displayName,startTime", index => $"c{index},Customer {index},{(index == 3 ? "soon" : "2026-01-01")}", 1_400,
            () => fixture.Database.Scalar<long>("select count(*) from customer where workspace_id = $1", tenant.Id));

        Check(resumed, again, another, 1_399, 5);
    }

    [Fact]
    public async Task ImportRevenue_SameRequestId_KeepsItsAnswerAndMeetsNoImportOfCustomers()
    {
        var tenant = new Tenant(fixture);
        const string Revenue =
            "customerExternalId,externalId,type,amount,occurTime\nc1,r1,UPSELL,10,2026-02-01\nc9,r2,UPSELL,1,2026-02-01\n";
        await Send(tenant, "/v1/customers:import", "externalId,displayName,startTime\nc1,One,2026-01-01\n");

        var (_, first) = await Send(tenant, "/v1/revenue:import", Revenue);
        var (_, again) = await Send(tenant, "/v1/revenue:import", Revenue);
        var (another, _) = await Send(tenant, "/v1/revenue:import", Revenue + "c1,r3,UPSELL,10,2026-02-01\n");

        Check(first, again, another, 1, 3);
        Assert.Equal(10m, await fixture.Database.Scalar<decimal>("select sum(amount) from revenue where workspace_id = $1", tenant.Id));
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> Send(Tenant tenant, string path, string file)
    {
        using var client = new HttpClient { BaseAddress = fixture.Service.Http };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(file, Encoding.UTF8, "text/csv") };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(tenant.Id, "UTC", "USD", "admin"));
        request.Headers.Add("Idempotency-Key", "import-1");
        using var response = await client.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private static void Check(JsonNode resumed, JsonNode again, HttpStatusCode another, int created, int rejectedLine)
    {
        Assert.Equal((created, 0, 0, 1), (
            (int)resumed["created"]!, (int)resumed["updated"]!, (int)resumed["unchanged"]!, (int)resumed["rejectedCount"]!));
        Assert.Equal([rejectedLine], resumed["rejected"]!.AsArray().Select(row => (int)row!["line"]!));
        Assert.Equal(resumed.ToJsonString(), again.ToJsonString());
        Assert.Equal(HttpStatusCode.Conflict, another);
    }
}
