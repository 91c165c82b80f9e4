using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Imports write many rows at once and must count as if rows came one by one.</summary>
public sealed class ImportBatchTests(RetentionFixture fixture)
{
    [Fact]
    public async Task ImportCustomers_TwiceInOneFileAndByLead_IsOneCustomerEach()
    {
        var (tenant, leadId) = (new Tenant(fixture), Guid.CreateVersion7());
        await tenant.Publish(tenant.Captured(leadId, "buyer@example.com"));
        await tenant.Publish(tenant.BecameCustomer(leadId, Tenant.Now));
        var known = (string)(await tenant.CustomerOf(leadId))["id"]!;
        await Eventually.Equal(
            "Example Industries", async () => (string?)(await tenant.Get($"/v1/customers/{known}"))["displayName"], "the lead's profile");

        var answer = await Import(
            tenant, "/v1/customers:import",
            "externalId,displayName,email,plan\nx1,One,,basic\nx1,,,pro\nx1,,,pro\nx2,,Buyer@Example.com,vip\n");

        Assert.Equal((1, 2, 1), ((int)answer["created"]!, (int)answer["updated"]!, (int)answer["unchanged"]!));
        var customers = (await tenant.Get("/v1/customers?orderBy=displayName"))["customers"]!.AsArray();
        Assert.Equal(["x2", "x1"], customers.Select(one => (string)one!["externalId"]!));
        Assert.Equal((known, "vip", "Example Industries"), (
            (string)customers[0]!["id"]!, (string)customers[0]!["plan"]!, (string)customers[0]!["displayName"]!));
        Assert.Equal("pro", (string)customers[1]!["plan"]!);
    }

    [Fact]
    public async Task ImportRevenue_OutOfOrderOverSeveralFiles_GivesTheLedgerOfTheRightOrder()
    {
        var tenant = new Tenant(fixture);
        await Import(tenant, "/v1/customers:import", "externalId,startTime\na,2026-01-01\nb,2026-01-01\n");
        const string Header = "customerExternalId,externalId,type,amount,recurrence,occurTime\n";

        // The contraction comes first and takes nothing, until what it takes from is there.
        await Import(tenant, "/v1/revenue:import", Header + "a,3,CONTRACTION,80,MONTHLY,2026-03-01\nb,4,NEW,1200,YEARLY,2026-02-01\n");
        await Import(tenant, "/v1/revenue:import", Header
            + "a,2,UPSELL,20,MONTHLY,2026-02-01\na,1,NEW,100,MONTHLY,2026-01-05\na,1,NEW,100,MONTHLY,2026-01-05\n");

        var rows = (await tenant.Get("/v1/reports/mrr?from=2026-01-01&to=2026-04-01"))["rows"]!.AsArray();
        Assert.Equal(["100.00", "220.00", "140.00"], rows.Select(row => (string)row!["mrrEnd"]!["amount"]!));
        var customers = (await tenant.Get("/v1/customers?orderBy=displayName"))["customers"]!.AsArray();
        Assert.Equal(["40.00", "100.00"], customers.Select(one => (string)one!["mrr"]!["amount"]!));
        Assert.Equal(["120.00", "1200.00"], customers.Select(one => (string)one!["totalRevenue"]!["amount"]!));
        await Eventually.Equal(
            4, () => Task.FromResult(
                fixture.Bus.Of<RevenueMoved>().Where(e => e.WorkspaceId == tenant.Id).DistinctBy(e => e.EventId).Count()),
            "an event for each entry");
    }

    [Fact]
    public async Task ImportRevenue_Days_AreTheWorkspacesDays()
    {
        var tenant = new Tenant(fixture, "America/Los_Angeles");

        await Import(tenant, "/v1/customers:import", "externalId,startTime\na,2026-01-01\n");
        await Import(
            tenant, "/v1/revenue:import",
            "customerExternalId,externalId,type,amount,recurrence,occurTime\na,1,NEW,100,MONTHLY,2026-02-01\n");

        var customer = (await tenant.Get("/v1/customers"))["customers"]![0]!;
        Assert.Equal("2026-01-01T08:00:00Z", (string)customer["startTime"]!);
        var rows = (await tenant.Get("/v1/reports/mrr?from=2026-01-01&to=2026-03-01"))["rows"]!.AsArray();
        Assert.Equal(["0.00", "100.00"], rows.Select(row => (string)row!["mrrEnd"]!["amount"]!));
    }

    [Fact]
    public async Task ImportCustomers_TheSameFileFourTimesAtOnce_MakesEachCustomerOnce()
    {
        var tenant = new Tenant(fixture);
        var file = "externalId,displayName\n" + string.Concat(
            Enumerable.Range(0, 600).Select(index => string.Create(CultureInfo.InvariantCulture, $"c{index},Customer {index}\n")));

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Import(tenant, "/v1/customers:import", file)));

        Assert.Equal(600, answers.Sum(answer => (int)answer["created"]!));
        Assert.Equal(1800, answers.Sum(answer => (int)answer["unchanged"]!));
        Assert.Equal(600, await fixture.Database.Scalar<long>("select count(*) from customer where workspace_id = $1", tenant.Id));
    }

    private static async Task<JsonNode> Import(Tenant tenant, string path, string file)
    {
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"), HttpStatusCode.OK);
        Assert.Equal(0, (int)answer["rejectedCount"]!);
        return answer;
    }
}
