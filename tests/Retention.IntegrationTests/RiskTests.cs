using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Risk scores, losses, survival and the renewals ahead.</summary>
public sealed class RiskTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Risk_SignalsOfACustomer_AreExplainedToTheLastPointAndTold()
    {
        var tenant = new Tenant(fixture);
        var id = await Customer(tenant, new { displayName = "A", startTime = "2025-12-01T00:00:00Z" });
        await Signal(tenant, id, new { kind = "USAGE", quantity = 40, occurTime = Tenant.Now.AddDays(-45) });
        await Signal(tenant, id, new { kind = "USAGE", quantity = 10, occurTime = Tenant.Now.AddDays(-5) });
        await Signal(tenant, id, new { kind = "PAYMENT_FAILED", externalId = "p1" });
        await Signal(tenant, id, new { kind = "PAYMENT_FAILED", externalId = "p1" });
        await Signal(tenant, id, new { kind = "PAYMENT_FAILED", externalId = "p2" });

        var risk = await tenant.Get($"/v1/customers/{id}/risk");
        var customer = await tenant.Get($"/v1/customers/{id}");

        Assert.Equal((42.5, true, 0), ((double)risk["score"]!, (bool)risk["atRisk"]!, (int)risk["modelVersion"]!));
        Assert.Equal(42.5, risk["contributions"]!.AsArray().Sum(part => (double)part!["points"]!));
        Assert.Equal(["USAGE 22.5", "PAYMENT 20"], risk["contributions"]!.AsArray().Where(part => (double)part!["points"]! > 0)
            .Select(part => $"{part!["factor"]} {part["points"]}"));
        Assert.Equal(("AT_RISK", 42.5), ((string)customer["state"]!, (double)customer["riskScore"]!));
        Assert.Single((await tenant.Get(
            $"/v1/customers?filter={Uri.EscapeDataString("state = \"AT_RISK\" AND riskScore > 42")}"))["customers"]!.AsArray());
        Assert.Equal(4, (await tenant.Get($"/v1/customers/{id}/signals"))["signals"]!.AsArray().Count);
        await Eventually.True(
            () => Task.FromResult(fixture.Bus.Of<CustomerRiskChanged>().Any(e => e is { Score: 42.5m, AtRisk: true }
                && e.CustomerId == Guid.Parse(id) && e.Reasons[0].StartsWith("10 uses", StringComparison.Ordinal))),
            "CustomerRiskChanged");
    }

    [Fact]
    public async Task Model_PutTwice_IsVersionedAndWeighsAnew()
    {
        var tenant = new Tenant(fixture);
        var id = await Customer(
            tenant,
            new { displayName = "A", renewalDate = DateOnly.FromDateTime(Tenant.Now.UtcDateTime).AddDays(-3).ToString("yyyy-MM-dd") });
        Assert.Equal(10, (double)(await tenant.Get($"/v1/customers/{id}/risk"))["score"]!);

        await Put(
            tenant, new { usage = 30, support = 15, nps = 15, payment = 20, engagement = 10, renewal = 20, threshold = 40 },
            HttpStatusCode.BadRequest);
        await Put(tenant, new { usage = 20, support = 15, nps = 15, payment = 20, engagement = 10, renewal = 20, threshold = 15 });
        var second = await Put(tenant, new { usage = 0, support = 0, nps = 0, payment = 0, engagement = 0, renewal = 100, threshold = 40 });

        Assert.Equal(2, (int)second["version"]!);
        Assert.Equal((100, 2), (
            (double)(await tenant.Get($"/v1/customers/{id}/risk"))["score"]!,
            (int)(await tenant.Get($"/v1/customers/{id}/risk"))["modelVersion"]!));
        Assert.Equal(20, (double)(await tenant.Get("/v1/riskModel?version=1"))["renewal"]!);
        await tenant.Call(HttpMethod.Get, "/v1/riskModel?version=9", expected: HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Job_CustomersOfAKnownWorkspace_AreScoredByThemselves()
    {
        var tenant = new Tenant(fixture);
        await tenant.Publish(new WorkspaceUpdated(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, "A", "UTC", "USD"));
        var id = await Customer(
            tenant,
            new { displayName = "A", renewalDate = DateOnly.FromDateTime(Tenant.Now.UtcDateTime).AddDays(-3).ToString("yyyy-MM-dd") });

        await Eventually.Equal(10d, async () => (double?)(await tenant.Get($"/v1/customers/{id}"))["riskScore"], "the job's score");
    }

    [Fact]
    public async Task ChurnAndSurvival_OfImportedHistory_AreTheWorkedNumbers()
    {
        var tenant = new Tenant(fixture);
        await Import(
            tenant, "/v1/customers:import",
            "externalId,startTime,segment\na,2025-01-01,big\nb,2025-01-01,big\nc,2025-01-01,small\nd,2025-01-01,small\n");
        await Import(
            tenant, "/v1/revenue:import",
            "customerExternalId,externalId,type,amount,recurrence,occurTime,reason,voluntary\na,1,NEW,100,MONTHLY,2025-01-01,,\nb,2,NEW,300,MONTHLY,2025-01-01,,\n"
            + "a,3,CHURN,,,2025-02-10,Price,true\nc,4,CHURN,,,2025-02-11,Price,true\nb,5,CHURN,,,2025-03-01,Card expired,false\n");

        var churn = await tenant.Get("/v1/reports/churn?from=2025-01-01&to=2025-04-01");
        var rows = churn["rows"]!.AsArray();
        Assert.Equal([null, 0.5, 0.5], rows.Select(row => (double?)row!["churnRate"]));
        Assert.Equal(["0 0", "2 0", "0 1"], rows.Select(row => $"{row!["voluntary"]} {row["involuntary"]}"));
        Assert.Equal([null, 0.25, 1], rows.Select(row => (double?)row!["revenueChurnRate"]));
        Assert.Equal(["Price 2 100.00", "Card expired 1 300.00"], churn["reasons"]!.AsArray().Select(
            reason => $"{reason!["reason"]} {reason["customers"]} {reason["mrrLost"]!["amount"]}"));

        var all = Assert.Single((await tenant.Get("/v1/reports/survival?from=2025-01-01&to=2025-02-01&months=3"))["curves"]!.AsArray())!;
        Assert.Equal(("4", "3", 2), ((string)all["customers"]!, (string)all["lost"]!, (int)all["medianMonths"]!));
        // Lost after 40, 41 and 59 days: all in the second month of tenure.
        Assert.Equal([1, 0.25, 0.25], all["points"]!.AsArray().Select(point => Math.Round((double)point!["survival"]!, 12)));
        var grouped =
            (await tenant.Get("/v1/reports/survival?from=2025-01-01&to=2025-02-01&months=3&groupBy=segment"))["curves"]!.AsArray();
        Assert.Equal(["big", "small"], grouped.Select(curve => (string)curve!["group"]!).Order());
        var csv = await tenant.Csv("/v1/reports/survival?from=2025-01-01&to=2025-02-01&months=3");
        Assert.Equal(4, csv.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Renewals_ByHowSoon_CountCustomersAndMoney()
    {
        var tenant = new Tenant(fixture, Tenant.NoonZone);
        var today = tenant.Today;
        foreach (var (days, name) in new[] { (-2, "late"), (0, "today"), (30, "a"), (31, "b"), (61, "c"), (120, "d"), (121, "far") })
        {
            await Customer(tenant, new { displayName = name, renewalDate = today.AddDays(days).ToString("yyyy-MM-dd") });
        }

        var rows = (await tenant.Get("/v1/reports/renewals"))["rows"]!.AsArray();

        Assert.Equal(
            ["OVERDUE 1", "WITHIN_30_DAYS 2", "WITHIN_60_DAYS 1", "WITHIN_90_DAYS 1", "WITHIN_120_DAYS 1"],
            rows.Select(row => $"{row!["horizon"]} {row["customers"]}"));
    }

    private static async Task<string> Customer(Tenant tenant, object body) => (string)(await tenant.Post("/v1/customers", body))["id"]!;

    private static Task<JsonNode> Signal(Tenant tenant, string id, object body) => tenant.Post($"/v1/customers/{id}/signals", body);

    private static Task<JsonNode> Put(Tenant tenant, object model, HttpStatusCode expected = HttpStatusCode.OK) =>
        tenant.Call(HttpMethod.Put, "/v1/riskModel", new { model }, expected);

    private static async Task Import(Tenant tenant, string path, string file)
    {
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"));
        Assert.True((int)answer["rejectedCount"]! == 0, answer.ToJsonString());
    }
}
