using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

public sealed class CustomerTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Walk_FromWinToAdvocate_KeepsRevenueNpsAndReferral()
    {
        var (tenant, leadId, won) = (new Tenant(fixture), Guid.CreateVersion7(), new DateTimeOffset(2026, 3, 10, 12, 0, 0, TimeSpan.Zero));
        await tenant.Publish(tenant.Captured(leadId, "vp@example.com"));
        await tenant.Publish(tenant.Booked(leadId, 12000, won));
        await tenant.Publish(tenant.BecameCustomer(leadId, won));
        var customer = await tenant.CustomerOf(leadId);
        var id = (string)customer["id"]!;
        await Eventually.Equal(
            "12000.00", async () => (string?)(await tenant.Get($"/v1/customers/{id}"))["totalRevenue"]?["amount"],
            "the booking in the ledger");
        await Eventually.Equal(
            "Example Industries", async () => (string?)(await tenant.Get($"/v1/customers/{id}"))["displayName"], "the name of the company");

        var upsell = new { type = "UPSELL", amount = new { currencyCode = "USD", amount = "3000.00" }, occurTime = won.AddDays(9) };
        await tenant.Post($"/v1/customers/{id}/revenue", upsell);
        var survey = (string)(await tenant.Post("/v1/surveys", new { type = "NPS", displayName = "Onboarding" }))["id"]!;
        var praise = new { customerId = id, score = 10, comment = "Splendid", answerTime = won.AddDays(30) };
        await tenant.Post($"/v1/surveys/{survey}/answers", praise);
        // Advocates are since they are: this year, or the next where it has begun meanwhile.
        var year = Tenant.Now.Year;
        await tenant.Post("/v1/referrals", new { advocateLeadId = leadId, referredEmail = "friend@example.net" });

        Assert.Equal(["NEW", "UPSELL"], (await tenant.Get($"/v1/customers/{id}/revenue"))["revenue"]!.AsArray()
            .Select(entry => (string)entry!["type"]!));
        Assert.Equal(15000, await tenant.Metric("total_sales", "2026-01-01", "2027-01-01", "YEAR"));
        Assert.Equal(0.2, await tenant.Metric("upsell_share", "2026-01-01", "2027-01-01", "YEAR"));
        Assert.Equal(100, await tenant.Metric("nps", "2026-01-01", "2027-01-01", "YEAR"));
        var advocates = await Task.WhenAll(new[] { 0, 1 }.Select(
            point => tenant.Metric("advocates", $"{year}-01-01", $"{year + 2}-01-01", "YEAR", point)));
        Assert.Equal(1, advocates.Sum());
        await Eventually.True(
            () => Task.FromResult(fixture.Bus.Of<AdvocateGained>().Count(e => e.LeadId == leadId) == 1), "AdvocateGained");
    }

    [Fact]
    public async Task Events_TwiceAndOutOfOrder_GiveOneCustomerAndOneEntry()
    {
        var (tenant, leadId) = (new Tenant(fixture), Guid.CreateVersion7());
        ILifecycleEvent[] events = [tenant.BecameCustomer(leadId, Tenant.Now), tenant.Booked(leadId, 500, Tenant.Now), tenant.Captured(
            leadId, "late@example.com")];

        foreach (var e in events.Concat(events.Reverse()))
        {
            await tenant.Publish(e);
        }

        var id = (string)(await tenant.CustomerOf(leadId))["id"]!;
        await Eventually.Equal(
            "Example Industries", async () => (string?)(await tenant.Get($"/v1/customers/{id}"))["displayName"], "the name of the company");
        await Eventually.Equal(1, async () => (await tenant.Get($"/v1/customers/{id}/revenue"))["revenue"]!.AsArray().Count, "the booking");
        Assert.Single((await tenant.Get("/v1/customers"))["customers"]!.AsArray());
    }

    [Fact]
    public async Task Booked_SecondWin_IsAnUpsell()
    {
        var (tenant, leadId) = (new Tenant(fixture), Guid.CreateVersion7());
        await tenant.Publish(tenant.Booked(leadId, 500, Tenant.Now.AddDays(-2)));
        var id = (string)(await tenant.CustomerOf(leadId))["id"]!;
        await tenant.Publish(tenant.Booked(leadId, 200, Tenant.Now.AddDays(-1)));

        await Eventually.Equal(
            "NEW UPSELL",
            async () => string.Join(
                ' ', (await tenant.Get($"/v1/customers/{id}/revenue"))["revenue"]!.AsArray().Select(entry => (string)entry!["type"]!)),
            "both entries");
    }

    [Fact]
    public async Task Mrr_BackfilledLedger_IsTheWorkedWaterfallInBerlin()
    {
        var tenant = new Tenant(fixture, "Europe/Berlin");
        var id = (string)(await tenant.Post(
            "/v1/customers", new { displayName = "A", externalId = "a", startTime = "2026-01-10T00:00:00Z" }))["id"]!;
        // The last evening of March in UTC is April in Berlin's summer time.
        await Revenue(tenant, id, "UPSELL", "600.00", "QUARTERLY", "2026-03-31T22:30:00Z");
        await Revenue(tenant, id, "NEW", "1200.00", "YEARLY", "2026-01-10T00:00:00Z");
        await Revenue(tenant, id, "CONTRACTION", "50.00", "MONTHLY", "2026-05-02T00:00:00Z");
        await tenant.Post($"/v1/customers/{id}:churn", new { reason = "Price", churnTime = "2026-06-15T00:00:00Z" });
        await tenant.Post($"/v1/customers/{id}:reactivate", new { reactivateTime = "2026-07-01T12:00:00Z" });

        var rows = (await tenant.Get("/v1/reports/mrr?from=2026-01-01&to=2026-08-01"))["rows"]!.AsArray();

        string[] Column(string name) => [.. rows.Select(row => (string)row![name]!["amount"]!)];
        Assert.Equal(["0.00", "100.00", "100.00", "100.00", "300.00", "250.00", "0.00"], Column("mrrStart"));
        Assert.Equal(["100.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00"], Column("mrrNew"));
        Assert.Equal(["0.00", "0.00", "0.00", "200.00", "0.00", "0.00", "0.00"], Column("mrrExpansion"));
        Assert.Equal(["0.00", "0.00", "0.00", "0.00", "50.00", "0.00", "0.00"], Column("mrrContraction"));
        Assert.Equal(["0.00", "0.00", "0.00", "0.00", "0.00", "250.00", "0.00"], Column("mrrChurn"));
        Assert.Equal(["0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "250.00"], Column("mrrReactivation"));
        Assert.Equal(1, await tenant.Metric("churn_rate", "2026-06-01", "2026-07-01"));
        Assert.Null(await tenant.Metric("churn_rate", "2026-01-01", "2026-02-01"));
    }

    [Fact]
    public async Task Churn_Twice_IsRefusedAndTellsConversionOnce()
    {
        var tenant = new Tenant(fixture);
        var id = (string)(await tenant.Post("/v1/customers", new { displayName = "A", startTime = "2026-01-10T00:00:00Z" }))["id"]!;
        await tenant.Post($"/v1/customers/{id}:churn", new { reason = "Price" });

        var refused = await tenant.Post($"/v1/customers/{id}:churn", new { reason = "Price" }, HttpStatusCode.BadRequest);

        Assert.Equal("FAILED_PRECONDITION", (string?)refused["code"]);
        await Eventually.True(
            () => Task.FromResult(fixture.Bus.Of<CustomerChurned>().Any(e => e.CustomerId == Guid.Parse(id))), "CustomerChurned");
        Assert.Single(fixture.Bus.Of<CustomerChurned>().DistinctBy(e => e.EventId), e => e.CustomerId == Guid.Parse(id));
    }

    [Fact]
    public async Task AddRevenue_EveryFault_IsNamedAndNothingChanges()
    {
        var tenant = new Tenant(fixture);
        var id = (string)(await tenant.Post("/v1/customers", new { displayName = "A" }))["id"]!;

        var refused = await tenant.Post(
            $"/v1/customers/{id}/revenue",
            new { type = "CHURN", amount = new { currencyCode = "EUR", amount = "-1" }, occurTime = "2226-01-01T00:00:00Z" },
            HttpStatusCode.BadRequest);

        Assert.Equal(["type", "amount.amount", "occurTime"], refused["errors"]!.AsArray().Select(error => (string)error!["field"]!));
        Assert.Empty((await tenant.Get($"/v1/customers/{id}/revenue"))["revenue"]?.AsArray() ?? []);
    }

    [Fact]
    public async Task Get_IdOfAnotherWorkspace_IsNotFound()
    {
        var id = (string)(await new Tenant(fixture).Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var stranger = new Tenant(fixture);

        await stranger.Call(HttpMethod.Get, $"/v1/customers/{id}", expected: HttpStatusCode.NotFound);
        await stranger.Post($"/v1/customers/{id}:churn", new { reason = "x" }, HttpStatusCode.NotFound);
        await stranger.Post(
            $"/v1/customers/{id}/revenue", new { type = "NEW", amount = new { currencyCode = "USD", amount = "1" } },
            HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Import_CustomersAndRevenue_MatchByExternalIdAndNameFaultyLines()
    {
        var tenant = new Tenant(fixture);
        const string Customers =
            "externalId,displayName,startTime,plan\nc1,One,2026-01-01,pro\n,Nobody,soon,pro\nc2,Two,2026-02-01,basic\n";
        const string Revenue =
            "customerExternalId,externalId,type,amount,recurrence,occurTime\nc1,r1,NEW,1200,YEARLY,2026-01-01\nc9,r2,NEW,1,,\nc2,r3,PARTY,x,DAILY,2026-02-01\n";

        var dry = await tenant.Call(HttpMethod.Post, "/v1/customers:import?dryRun=true", Csv(Customers));
        Assert.Equal(2, (int)dry["created"]!);
        Assert.Empty((await tenant.Get("/v1/customers"))["customers"]?.AsArray() ?? []);
        var customers = await tenant.Call(HttpMethod.Post, "/v1/customers:import", Csv(Customers));
        var again = await tenant.Call(HttpMethod.Post, "/v1/customers:import", Csv(Customers));
        var revenue = await tenant.Call(HttpMethod.Post, "/v1/revenue:import", Csv(Revenue));
        var revenueAgain = await tenant.Call(HttpMethod.Post, "/v1/revenue:import", Csv(Revenue));

        Assert.Equal((2, 2), ((int)customers["created"]!, (int)again["unchanged"]!));
        Assert.Equal((3, 2), ((int)customers["rejected"]![0]!["line"]!, customers["rejected"]![0]!["errors"]!.AsArray().Count));
        Assert.Equal((1, 1), ((int)revenue["created"]!, (int)revenueAgain["unchanged"]!));
        Assert.Equal([4, 3], revenue["rejected"]!.AsArray().Select(one => (int)one!["line"]!));
        Assert.Equal(3, revenue["rejected"]![0]!["errors"]!.AsArray().Count);
    }

    private static Task<JsonNode> Revenue(Tenant tenant, string id, string type, string amount, string recurrence, string time) =>
        tenant.Post(
            $"/v1/customers/{id}/revenue", new { type, amount = new { currencyCode = "USD", amount }, recurrence, occurTime = time });

    private static StringContent Csv(string text) => new(text, Encoding.UTF8, "text/csv");
}
