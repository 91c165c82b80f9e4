using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Currencies, proration and corrections of the revenue ledger; contracts and contacts of customers.</summary>
public sealed class LedgerTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Revenue_InAnotherCurrency_TakesTheNewestRateAtOrBeforeItsDay()
    {
        var tenant = new Tenant(fixture);
        var id = await Customer(tenant);
        var refused = await Add(
            tenant, id, new { type = "NEW", amount = Money("EUR", "100.00"), recurrence = "MONTHLY", occurTime = "2026-02-10T12:00:00Z" },
            HttpStatusCode.BadRequest);
        Assert.Equal("amount.currencyCode", (string)refused["errors"]![0]!["field"]!);
        Assert.Contains("PUT /v1/currencyRates", (string)refused["errors"]![0]!["message"]!, StringComparison.Ordinal);

        await Rates(tenant, ("2026-01-01", "1.10"), ("2026-02-10", "1.25"), ("2026-02-11", "9"));
        var added = await Add(
            tenant, id, new { type = "NEW", amount = Money("EUR", "100.00"), recurrence = "MONTHLY", occurTime = "2026-02-10T12:00:00Z" });
        await Rates(tenant, ("2026-02-10", "7"));

        Assert.Equal(("100.00", "EUR"), ((string)added["amount"]!["amount"]!, (string)added["amount"]!["currencyCode"]!));
        Assert.Equal(("125.00", "USD"), ((string)added["workspaceAmount"]!["amount"]!, (string)added["workspaceAmount"]!["currencyCode"]!));
        Assert.Equal("125.00", (string)(await tenant.Get($"/v1/customers/{id}"))["mrr"]!["amount"]!);
        Assert.Equal(
            ["2026-02-11 9", "2026-02-10 7", "2026-01-01 1.1"],
            (await tenant.Get("/v1/currencyRates"))["rates"]!.AsArray().Select(rate => $"{rate!["date"]} {rate["rate"]}"));
        await Add(
            tenant, id, new { type = "UPSELL", amount = Money("EUR", "1.00"), occurTime = "2025-12-31T12:00:00Z" },
            HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Booking_WithoutARate_WaitsForOneAndIsBookedOnce()
    {
        var (tenant, leadId, id) = (new Tenant(fixture), Guid.CreateVersion7(), Guid.CreateVersion7());
        await tenant.Publish(new WorkspaceUpdated(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, "A", "UTC", "USD"));
        await Eventually.Equal(
            1L, () => fixture.Database.Scalar<long>("select count(*) from workspace where id = $1", tenant.Id), "the workspace");
        var booked =
            tenant.Booked(leadId, 200, new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)) with { OpportunityId = id, Amount = new("GBP", 200) };
        await tenant.Publish(booked);
        await Eventually.Equal(
            1L, () => fixture.Database.Scalar<long>("select count(*) from held_booking where workspace_id = $1", tenant.Id),
            "the booking waits");

        var put = await tenant.Call(
            HttpMethod.Put, "/v1/currencyRates", new { rows = new[] { new { date = "2026-01-01", currencyCode = "GBP", rate = "1.5" } } });
        await tenant.Publish(booked with { EventId = Guid.CreateVersion7() });

        Assert.Equal((1, 0), ((int)put["bookedCount"]!, (int)put["waitingCount"]!));
        Assert.Equal(300, await tenant.Metric("total_sales", "2026-03-01", "2026-04-01"));
        Assert.Equal("300.00", (string)(await tenant.CustomerOf(leadId))["totalRevenue"]!["amount"]!);
    }

    [Fact]
    public async Task Correction_OfAnEarlyEntry_ReadsAsIfItHadBeenRightAtFirst()
    {
        var tenant = new Tenant(fixture);
        var id = await Customer(tenant);
        var wrong = await Add(
            tenant, id, new { type = "NEW", amount = Money("USD", "1000.00"), recurrence = "MONTHLY", occurTime = "2026-01-05T00:00:00Z" });
        await Add(tenant, id,
            new { type = "CONTRACTION", amount = Money("USD", "300.00"), recurrence = "MONTHLY", occurTime = "2026-02-05T00:00:00Z" });

        var corrected = await tenant.Post(
            $"/v1/revenue/{wrong["id"]}:correct", new { reason = "A typing error", replacement = new { amount = Money("USD", "100.00") } });
        var again = await tenant.Post($"/v1/revenue/{wrong["id"]}:correct", new { reason = "Twice" }, HttpStatusCode.BadRequest);
        await tenant.Post($"/v1/revenue/{corrected["reversal"]!["id"]}:correct", new { reason = "Back" }, HttpStatusCode.BadRequest);

        Assert.Equal("FAILED_PRECONDITION", (string)again["code"]!);
        Assert.Equal(("-1000.00", (string)wrong["id"]!), (
            (string)corrected["reversal"]!["amount"]!["amount"]!, (string)corrected["reversal"]!["reversesId"]!));
        var rows = (await tenant.Get("/v1/reports/mrr?from=2026-01-01&to=2026-03-01"))["rows"]!.AsArray();
        Assert.Equal(["100.00", "0.00"], rows.Select(row => (string)row!["mrrEnd"]!["amount"]!));
        Assert.Equal("100.00", (string)(await tenant.Get($"/v1/customers/{id}"))["totalRevenue"]!["amount"]!);
        Assert.Equal(100, await tenant.Metric("total_sales", "2026-01-01", "2026-02-01"));
        Assert.Equal(
            ["NEW 1000.00", "NEW -1000.00", "NEW 100.00", "CONTRACTION 300.00"],
            (await tenant.Get($"/v1/customers/{id}/revenue"))["revenue"]!.AsArray()
                .Select(entry => $"{entry!["type"]} {entry["amount"]!["amount"]}"));
    }

    [Fact]
    public async Task Proration_OfHalfAYear_GivesTheMonthOfTheWholePrice()
    {
        var tenant = new Tenant(fixture);
        var id = await Customer(tenant);

        var added = await Add(tenant, id, new
        {
            type = "UPSELL",
            amount = Money("USD", "600.00"),
            recurrence = "YEARLY",
            occurTime = "2026-07-01T00:00:00Z",
            prorationStart = "2026-07-01",
            prorationEnd = "2027-01-01"
        });
        var refused = await Add(tenant, id, new
        {
            type = "UPSELL",
            amount = Money("USD", "600.00"),
            recurrence = "MONTHLY",
            occurTime = "2026-07-01T00:00:00Z",
            prorationStart = "2026-07-01",
            prorationEnd = "2027-01-01"
        }, HttpStatusCode.BadRequest);

        Assert.Equal("99.184783", (string)added["mrrChange"]!["amount"]!);
        Assert.Equal("prorationEnd", (string)refused["errors"]![0]!["field"]!);
    }

    [Fact]
    public async Task Contract_RenewedBeforeItsEnd_MovesTheRenewalOn()
    {
        var tenant = new Tenant(fixture);
        var customer = await tenant.Post(
            "/v1/customers",
            new { displayName = "A", startTime = "2025-12-01T00:00:00Z", owner = "sam", contractStart = "2025-12-15", termMonths = 12 });
        var id = (string)customer["id"]!;
        var due = DateOnly.ParseExact((string)customer["renewalDate"]!, "yyyy-MM-dd");
        Assert.Equal((12, 15), (due.Month, due.Day));

        await tenant.Call(HttpMethod.Patch, $"/v1/customers/{id}", new { renewalDate = "2026-12-15" });
        await Add(tenant, id,
            new { type = "RENEWAL", amount = Money("USD", "1200.00"), recurrence = "YEARLY", occurTime = "2026-11-01T00:00:00Z" });

        var renewed = await tenant.Get($"/v1/customers/{id}");
        Assert.Equal(("2027-12-15", "sam", 12), ((string)renewed["renewalDate"]!, (string)renewed["owner"]!, (int)renewed["termMonths"]!));
    }

    [Fact]
    public async Task Contacts_OfAMergedAndThenErasedPerson_FollowAndGo()
    {
        var (tenant, source, target) = (new Tenant(fixture), Guid.CreateVersion7(), Guid.CreateVersion7());
        var id = await Customer(tenant);
        await tenant.Publish(tenant.Captured(source, "user@example.com"));
        await Eventually.Equal(
            1L, () => fixture.Database.Scalar<long>(
                "select count(*) from lead_profile where workspace_id = $1 and email is not null", tenant.Id),
            "the profile");
        await tenant.Post($"/v1/customers/{id}/contacts", new { email = "User@example.com", role = "champion" });
        await tenant.Post(
            $"/v1/customers/{id}/contacts", new { email = "billing@example.com", displayName = "Accounts", role = "billing" });
        async Task<string?> Champion() =>
            (string?)(await Contacts(tenant, id)).Single(contact => (string)contact!["role"]! == "champion")!["leadId"];
        Assert.Equal(source.ToString(), await Champion());

        await tenant.Publish(new LeadsMerged(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 2, source, target));
        await Eventually.Equal(target.ToString(), Champion, "the merge");
        await tenant.Publish(new LeadErased(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 3, target));

        await Eventually.Equal(1, async () => (await Contacts(tenant, id)).Count, "the erasure");
        Assert.Equal("billing", (string)(await Contacts(tenant, id))[0]!["role"]!);
    }

    [Fact]
    public async Task Merge_OfTwoCustomers_AddsTheirLedgersAndMonths()
    {
        var (tenant, source, target) = (new Tenant(fixture), Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var (lead, amount, month) in new[] { (source, "100.00", 1), (target, "40.00", 2) })
        {
            var id = (string)(await tenant.Post(
                "/v1/customers", new { displayName = "A", leadId = lead, startTime = $"2026-0{month}-01T00:00:00Z" }))["id"]!;
            await Add(tenant, id,
                new { type = "NEW", amount = Money("USD", amount), recurrence = "MONTHLY", occurTime = $"2026-0{month}-01T00:00:00Z" });
        }

        Assert.Equal("2", (string)(await Report(tenant))[1]!["customersEnd"]!);
        await tenant.Publish(new LeadsMerged(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 2, source, target));

        await Eventually.Equal("1", async () => (string?)(await Report(tenant))[1]!["customersEnd"], "one customer is left");
        var rows = await Report(tenant);
        Assert.Equal(("100.00", "40.00", "140.00"), (
            (string)rows[0]!["mrrNew"]!["amount"]!, (string)rows[1]!["mrrExpansion"]!["amount"]!, (string)rows[1]!["mrrEnd"]!["amount"]!));
    }

    private static async Task<JsonArray> Report(Tenant tenant) =>
        (await tenant.Get("/v1/reports/mrr?from=2026-01-01&to=2026-03-01"))["rows"]!.AsArray();

    private static async Task<JsonArray> Contacts(Tenant tenant, string id) =>
        (await tenant.Get($"/v1/customers/{id}/contacts"))["contacts"]!.AsArray();

    private static async Task<string> Customer(Tenant tenant) =>
        (string)(await tenant.Post("/v1/customers", new { displayName = "A", startTime = "2025-12-01T00:00:00Z" }))["id"]!;

    private static object Money(string currencyCode, string amount) => new { currencyCode, amount };

    private static Task<JsonNode> Add(Tenant tenant, string id, object body, HttpStatusCode expected = HttpStatusCode.OK) =>
        tenant.Post($"/v1/customers/{id}/revenue", body, expected);

    private static Task<JsonNode> Rates(Tenant tenant, params (string Date, string Rate)[] rows) =>
        tenant.Call(
            HttpMethod.Put, "/v1/currencyRates",
            new { rows = rows.Select(row => new { date = row.Date, currencyCode = "EUR", rate = row.Rate }) });
}
