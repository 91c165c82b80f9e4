using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Suggestions by rule, through an opportunity in Conversion, to an entry of the ledger.</summary>
public sealed class ExpansionTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Suggestion_UsageOverPlan_BecomesAnOpportunityAndItsWinACrossSell()
    {
        var tenant = new Tenant(fixture);
        var (heavy, light) = (await Customer(tenant, "Heavy", "basic"), await Customer(tenant, "Light", "basic"));
        await tenant.Post(
            $"/v1/customers/{heavy}/revenue",
            new { type = "NEW", amount = new { currencyCode = "USD", amount = "100.00" }, recurrence = "MONTHLY" });
        await tenant.Post($"/v1/customers/{heavy}/signals", new { kind = "USAGE", quantity = 1500 });
        await tenant.Post($"/v1/customers/{light}/signals", new { kind = "USAGE", quantity = 900 });
        await Rule(tenant, "customer.plan = \"basic\" and usage.last30Days > 1000");

        var first = await tenant.Post("/v1/expansionSuggestions:evaluate");
        var again = await tenant.Post("/v1/expansionSuggestions:evaluate");
        var suggestion = Assert.Single(
            (await tenant.Get($"/v1/expansionSuggestions?filter={Uri.EscapeDataString("state = \"OPEN\"")}"))["suggestions"]!.AsArray())!;
        var opened = await tenant.Post($"/v1/expansionSuggestions/{suggestion["id"]}:open");
        var openedAgain = await tenant.Post($"/v1/expansionSuggestions/{suggestion["id"]}:open");

        Assert.Equal(("2", "1", "0"), ((string)first["customerCount"]!, (string)first["createdCount"]!, (string)again["createdCount"]!));
        Assert.Equal((heavy, "OPENED"), ((string)opened["customerId"]!, (string)opened["state"]!));
        Assert.Equal((string)opened["opportunityId"]!, (string)openedAgain["opportunityId"]!);
        await tenant.Post($"/v1/expansionSuggestions/{suggestion["id"]}:dismiss", new { reason = "Late" }, HttpStatusCode.BadRequest);

        var opportunity = await tenant.Call(
            HttpMethod.Get, $"/v1/opportunities/{opened["opportunityId"]}", server: fixture.Conversion.Grpc);
        Assert.Equal(("Heavy", "Analytics", "500.00"), (
            (string)opportunity["account"]!, (string)opportunity["product"]!, (string)opportunity["amount"]!["amount"]!));
        await tenant.Call(HttpMethod.Post, $"/v1/opportunities/{opened["opportunityId"]}:win", new { }, server: fixture.Conversion.Grpc);
        await Eventually.Equal(
            "NEW CROSS_SELL",
            async () => string.Join(
                ' ', (await tenant.Get($"/v1/customers/{heavy}/revenue"))["revenue"]!.AsArray().Select(entry => (string)entry!["type"]!)),
            "the win in the customer's ledger");
    }

    [Fact]
    public async Task Rule_FaultyCondition_NamesEachFaultAndDismissedStaysAway()
    {
        var tenant = new Tenant(fixture);
        var refused = await tenant.Post(
            "/v1/expansionRules",
            new { rule = new { displayName = "", kind = "UPSELL", condition = "customer.shoeSize > 3", product = "Seats" } },
            HttpStatusCode.BadRequest);
        Assert.Equal(["rule.displayName", "rule.condition"], refused["errors"]!.AsArray().Select(error => (string)error!["field"]!));

        await Customer(tenant, "A", "pro");
        var rule = await Rule(tenant, "customer.plan = \"pro\"");
        await tenant.Post("/v1/expansionSuggestions:evaluate");
        var suggestion = Assert.Single((await tenant.Get("/v1/expansionSuggestions"))["suggestions"]!.AsArray())!;
        var dismissed = await tenant.Post($"/v1/expansionSuggestions/{suggestion["id"]}:dismiss", new { reason = "No budget" });
        await tenant.Post("/v1/expansionSuggestions:evaluate");

        Assert.Equal(("DISMISSED", "No budget"), ((string)dismissed["state"]!, (string)dismissed["dismissReason"]!));
        Assert.Single((await tenant.Get("/v1/expansionSuggestions"))["suggestions"]!.AsArray());
        await tenant.Post($"/v1/expansionSuggestions/{suggestion["id"]}:open", new { }, HttpStatusCode.BadRequest);
        await tenant.Call(HttpMethod.Delete, $"/v1/expansionRules/{rule["id"]}");
        Assert.Empty((await tenant.Get("/v1/expansionRules"))["rules"]!.AsArray());
    }

    private static async Task<string> Customer(Tenant tenant, string name, string plan) =>
        (string)(await tenant.Post("/v1/customers", new { displayName = name, plan, startTime = "2026-01-01T00:00:00Z" }))["id"]!;

    private static Task<JsonNode> Rule(Tenant tenant, string condition) => tenant.Post(
        "/v1/expansionRules",
        new
        {
            rule = new
            {
                displayName = "Rule",
                kind = "CROSS_SELL",
                condition,
                product = "Analytics",
                amount = new { currencyCode = "USD", amount = "500.00" }
            }
        });
}
