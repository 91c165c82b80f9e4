using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>What expansion brings, by rule, kind and customer.</summary>
public sealed class ExpansionReportTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Report_SuggestionsWonLostAndDismissed_AreTheWorkedNumbers()
    {
        var tenant = new Tenant(fixture);
        var (upsell, crossSell) = (await Rule(tenant, "Seats", "UPSELL", "customer.plan = \"basic\"", "100.00"), await Rule(
            tenant, "Analytics", "CROSS_SELL", "customer.segment = \"big\"", "400.00"));
        await Import(
            tenant, "/v1/customers:import",
            "externalId,plan,segment,startTime\na,basic,big,2026-01-01\nb,basic,small,2026-01-01\nc,basic,small,2026-01-01\nd,pro,big,2026-01-01\n");
        await Import(
            tenant, "/v1/revenue:import",
            "customerExternalId,externalId,type,amount,recurrence,occurTime\n"
            + string.Concat("abcd".Select(name => $"{name},{name}1,NEW,50,MONTHLY,2026-01-01\n")));
        await tenant.Post(
            $"/v1/customers/{await Id(tenant, "b")}/revenue",
            new { type = "UPSELL", amount = new { currencyCode = "USD", amount = "30.00" } });
        Assert.Equal("5", (string)(await tenant.Post("/v1/expansionSuggestions:evaluate"))["createdCount"]!);
        // a: both rules; b, c: seats; d: analytics.
        var won = await Open(tenant, upsell, "a");
        var lost = await Open(tenant, upsell, "b");
        await Open(tenant, crossSell, "a");
        await tenant.Post($"/v1/expansionSuggestions/{await Suggestion(tenant, crossSell, "d")}:dismiss", new { reason = "No" });
        await tenant.Call(
            HttpMethod.Post, $"/v1/opportunities/{won}:win", new { amount = new { currencyCode = "USD", amount = "120.00" } },
            server: fixture.Conversion.Grpc);
        await tenant.Call(HttpMethod.Post, $"/v1/opportunities/{lost}:lose", new { reason = "Price" }, server: fixture.Conversion.Grpc);
        await tenant.Post($"/v1/expansionSuggestions/{await Suggestion(tenant, upsell, "a")}:open");

        var report = $"/v1/reports/expansion?from={Tenant.Now.AddDays(-2):yyyy-MM-dd}&to={Tenant.Now.AddDays(2):yyyy-MM-dd}";
        await Eventually.Equal(
            "Seats UPSELL 3 2 0 1 1 0.3333 0.5 300.00 120.00|Analytics CROSS_SELL 2 1 1 0 0 0 - 800.00 0.00",
            () => Rows(tenant, report), "the report by rule");
        Assert.Equal(["UPSELL 2 150.00 120.00", "CROSS_SELL 0 0.00 0.00"], (await tenant.Get(report))["sales"]!.AsArray().Select(
            sale => $"{sale!["kind"]} {sale["entries"]} {sale["revenue"]!["amount"]} {sale["suggestedRevenue"]!["amount"]}"));
        var bySegment = (await tenant.Get($"{report}&groupBy=segment"))["rows"]!.AsArray()
            .Select(row => $"{row!["group"]} {row["kind"]} {row["suggested"]} {row["won"]} {row["lost"]}").Order();
        Assert.Equal(["big CROSS_SELL 2 0 0", "big UPSELL 1 1 0", "small UPSELL 2 0 1"], bySegment);
        var csv = await tenant.Csv(report);
        Assert.Equal(5, csv.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        var asked = Uri.EscapeDataString($"ruleId = \"{upsell}\" AND outcome = \"LOST\" AND segment = \"small\" AND plan = \"basic\"");
        var behind = (await tenant.Get($"/v1/expansionSuggestions?filter={asked}"))["suggestions"]!;
        Assert.Equal(await Id(tenant, "b"), (string)Assert.Single(behind.AsArray())!["customerId"]!);
        Assert.Equal(6, (await tenant.Csv("/v1/expansionSuggestions")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Outcome_EventsInAnyOrder_IsThatOfTheLatestVersion()
    {
        var tenant = new Tenant(fixture);
        var rule = await Rule(tenant, "Seats", "UPSELL", "customer.plan = \"basic\"", "100.00");
        await Import(tenant, "/v1/customers:import", "externalId,plan,startTime\na,basic,2026-01-01\n");
        await tenant.Post("/v1/expansionSuggestions:evaluate");
        var opportunity = Guid.Parse(await Open(tenant, rule, "a"));
        OpportunityChanged Changed(long version, string state) => new(
            Guid.CreateVersion7(), tenant.Id, Tenant.Now, version, opportunity, null, "A", new("USD", 100),
            Guid.CreateVersion7().ToString(), "s", state, null);

        await tenant.Publish(Changed(1_000_002, "LOST"));
        await Eventually.Equal("LOST", async () => (string?)(await Only(tenant))["outcome"], "the loss");
        await tenant.Publish(Changed(1_000_001, "OPEN"));
        await tenant.Publish(Changed(1_000_003, "WON"));
        await Eventually.Equal("WON", async () => (string?)(await Only(tenant))["outcome"], "the later win");
    }

    private static async Task<JsonNode> Only(Tenant tenant) =>
        Assert.Single((await tenant.Get("/v1/expansionSuggestions"))["suggestions"]!.AsArray())!;

    private static async Task<string> Id(Tenant tenant, string externalId) =>
        (string)Assert.Single((await tenant.Get(
            $"/v1/customers?filter={Uri.EscapeDataString($"externalId = \"{externalId}\"")}"))["customers"]!.AsArray())!["id"]!;

    private static async Task<string> Suggestion(Tenant tenant, string rule, string externalId)
    {
        var filter = $"ruleId = \"{rule}\" AND customerId = \"{await Id(tenant, externalId)}\"";
        return (string)Assert.Single(
            (await tenant.Get($"/v1/expansionSuggestions?filter={Uri.EscapeDataString(filter)}"))["suggestions"]!.AsArray())!["id"]!;
    }

    private static async Task<string> Open(Tenant tenant, string rule, string externalId) =>
        (string)(await tenant.Post($"/v1/expansionSuggestions/{await Suggestion(tenant, rule, externalId)}:open"))["opportunityId"]!;

    private static async Task<string> Rule(
        Tenant tenant, string name, string kind, string condition, string amount) => (string)(await tenant.Post(
        "/v1/expansionRules",
        new { rule = new { displayName = name, kind, condition, product = name, amount = new { currencyCode = "USD", amount } } }))["id"]!;

    private static async Task<string> Rows(
        Tenant tenant, string report) => string.Join('|', (await tenant.Get(report))["rows"]!.AsArray().Select(row =>
        $"{row!["displayName"]} {row["kind"]} {row["suggested"]} {row["opened"]} {row["dismissed"]} {row["won"]} {row["lost"]} {Number(row["conversionRate"])} {Number(row["winRate"])} "
        + $"{row["expected"]!["amount"]} {row["revenue"]!["amount"]}"));

    private static string Number(JsonNode? value) =>
        value is null ? "-" : Math.Round((double)value, 4).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task Import(Tenant tenant, string path, string file)
    {
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"));
        Assert.True((int)answer["rejectedCount"]! == 0, answer.ToJsonString());
    }
}
