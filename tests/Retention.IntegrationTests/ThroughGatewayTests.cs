using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Retention.IntegrationTests;

/// <summary>What a client does with Retention, by REST through the gateway.</summary>
public sealed class ThroughGatewayTests(GatewaySuite suite)
{
    [Fact]
    public async Task Customer_KeptSoldToCorrectedLostAndBack_ByRest()
    {
        var workspace = await suite.NewWorkspace();
        var customer = await workspace.Post(
            "/v1/customers",
            new { displayName = "Example Industries", externalId = "c-1", plan = "basic", startTime = "2026-01-10T00:00:00Z" });
        var path = $"/v1/customers/{customer["id"]}";
        await workspace.Post("/v1/customers", new { displayName = "Twin", externalId = "c-1" }, HttpStatusCode.Conflict);
        Assert.Equal("pro", (string)(await workspace.Call(HttpMethod.Patch, path, new { plan = "pro" }))["plan"]!);
        await workspace.Post($"{path}/contacts", new { displayName = "Kim", email = "kim@example.org", role = "Buyer" });
        Assert.Single((await workspace.Get($"{path}/contacts"))["contacts"]!.AsArray());

        await workspace.Post(
            $"{path}/revenue", new { type = "NEW", amount = Usd("1200.00"), recurrence = "YEARLY", occurTime = "2026-01-10T00:00:00Z" });
        var upsell = await workspace.Post(
            $"{path}/revenue", new { type = "UPSELL", amount = Usd("50.00"), recurrence = "MONTHLY", occurTime = "2026-02-10T00:00:00Z" });
        var bad = await workspace.Post($"{path}/revenue", new { type = "UPSELL", amount = Usd("-1.00") }, HttpStatusCode.BadRequest);
        Assert.Equal("INVALID_ARGUMENT", (string)bad["code"]!);
        await workspace.Post($"/v1/revenue/{upsell["id"]}:correct", new
        {
            reason = "Typed wrong",
            replacement = new { type = "UPSELL", amount = Usd("25.00"), recurrence = "MONTHLY", occurTime = "2026-02-10T00:00:00Z" },
        });
        Assert.Equal("125.00", (string)(await workspace.Get(path))["mrr"]!["amount"]!);
        var imported = await workspace.Post(
            "/v1/customers:import", new StringContent(
                "externalId,displayName,startTime\nc-2,Second,2026-01-20T00:00:00Z\nc-3,Third,yesterday\n", Encoding.UTF8, "text/csv"));
        Assert.Equal((1, 1), ((int)imported["created"]!, imported["rejected"]!.AsArray().Count));

        Assert.Equal("CHURNED", (string)(await workspace.Post(
            $"{path}:churn", new { reason = "Price", churnTime = "2026-03-10T00:00:00Z" }))["state"]!);
        Assert.NotEqual(
            "CHURNED", (string)(await workspace.Post($"{path}:reactivate", new { reactivateTime = "2026-04-10T00:00:00Z" }))["state"]!);
        Assert.Equal(404, await workspace.Status($"/v1/customers/{Guid.CreateVersion7()}"));
        var rows = (await workspace.Get("/v1/reports/mrr?from=2026-01-01&to=2026-04-01"))["rows"]!.AsArray();
        Assert.Equal(["100.00", "125.00", "0.00"], rows.Select(row => (string)row!["mrrEnd"]!["amount"]!));
        Assert.Equal("25.00", (string)rows[1]!["mrrExpansion"]!["amount"]!);
    }

    [Fact]
    public async Task Survey_AnsweredOnThePublicPageAndFollowedUp_ByRest()
    {
        var workspace = await suite.NewWorkspace();
        var customer = (string)(await workspace.Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var survey = (string)(await workspace.Post("/v1/surveys", new { type = "NPS", displayName = "N", question = "Would you?" }))["id"]!;
        var link = new Uri((string)(await workspace.Post($"/v1/surveys/{survey}:createLink", new { customerId = customer }))["url"]!);
        using var browser = new HttpClient();

        Assert.Contains("Would you?", await browser.GetStringAsync(link), StringComparison.Ordinal);
        using var form = new FormUrlEncodedContent([new("score", "3"), new("comment", "Delivery came too late")]);
        using var answered = await browser.PostAsync(link, form);

        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        Assert.Equal(3, (int)Assert.Single((await workspace.Get($"/v1/surveys/{survey}/answers"))["answers"]!.AsArray())!["score"]!);
        var task = Assert.Single((await workspace.Get("/v1/surveyTasks"))["tasks"]!.AsArray())!;
        Assert.Equal("DONE", (string)(await workspace.Post($"/v1/surveyTasks/{task["id"]}:complete", new { note = "Called." }))["state"]!);
        await workspace.Post("/v1/surveyThemes", new { displayName = "Delivery", keywords = new[] { "deliver*" } });
        Assert.Single((await workspace.Get("/v1/surveyAnswers?query=late"))["answers"]!.AsArray());
        Assert.Equal(-100, (double)(await workspace.Get($"/v1/reports/nps?{Period()}&granularity=YEAR"))["rows"]!.AsArray()
            .Single(row => row!["nps"] is not null)!["nps"]!);
    }

    [Fact]
    public async Task AdvocatesLoyaltyRiskAndExpansion_ByRest()
    {
        var workspace = await suite.NewWorkspace();
        var customer = (string)(await workspace.Post("/v1/customers", new { displayName = "A", plan = "basic" }))["id"]!;
        var review = await workspace.Post(
            "/v1/advocacy", new { customerId = customer, kind = "REVIEW", status = "PUBLISHED", consent = true, title = "Good" });
        Assert.False((bool)(await workspace.Call(HttpMethod.Patch, $"/v1/advocacy/{review["id"]}", new { consent = false }))["usable"]!);
        Assert.Equal(1, (int)(await workspace.Call(
            HttpMethod.Put, "/v1/advocateRule", new { minReferrals = 2, referralState = "CONVERTED" }))["version"]!);

        var club = (string)(await workspace.Post(
            "/v1/loyaltyPrograms", new { displayName = "Club", tiers = new[] { new { name = "VIP", minPoints = 100 } } }))["id"]!;
        Assert.Equal("VIP", (string)(await workspace.Post(
            $"/v1/loyaltyPrograms/{club}:addPoints", new { customerId = customer, points = 100 }))["tier"]!);
        Assert.Single((await workspace.Get($"/v1/loyaltyPrograms/{club}/members"))["members"]!.AsArray());

        await workspace.Post($"/v1/customers/{customer}/signals", new { kind = "PAYMENT_FAILED" });
        // One of two failed payments: half of 20.
        Assert.Equal(10, (double)(await workspace.Get($"/v1/customers/{customer}/risk"))["score"]!);

        var rule = await workspace.Post(
            "/v1/expansionRules",
            new { rule = new { displayName = "Up", kind = "UPSELL", condition = "customer.plan = \"basic\"", product = "Pro" } });
        Assert.NotNull(rule["id"]);
        await workspace.Post("/v1/expansionSuggestions:evaluate");
        var suggestion = await workspace.One("/v1/expansionSuggestions", "suggestions", "the suggestion");
        Assert.Equal(
            "DISMISSED",
            (string)(await workspace.Post($"/v1/expansionSuggestions/{suggestion["id"]}:dismiss", new { reason = "Not now" }))["state"]!);
    }

    [Theory]
    [InlineData("cohorts", "")]
    [InlineData("mrr", "")]
    [InlineData("churn", "")]
    [InlineData("survival", "")]
    [InlineData("renewals", "")]
    [InlineData("nps", "")]
    [InlineData("surveyThemes", "")]
    [InlineData("customerCampaigns", "")]
    [InlineData("advocacy", "&groupBy=segment")]
    public async Task Report_OfAnyKind_IsJsonAndCsv(string report, string query)
    {
        var workspace = await suite.NewWorkspace();
        await workspace.Post("/v1/customers", new { displayName = "A", segment = "Mid-market" });
        var path = report == "renewals" ? "/v1/reports/renewals" : $"/v1/reports/{report}?{Period()}{query}";

        var json = await workspace.Get(path);
        var csv = await workspace.Csv(path);

        Assert.IsType<JsonObject>(json);
        Assert.DoesNotContain("<", csv, StringComparison.Ordinal);
        if (report != "renewals")
        {
            Assert.Equal(400, await workspace.Status($"/v1/reports/{report}?from=x&to=y"));
        }
    }

    private static string Period() =>
        $"from={GatewayWorkspace.Now.AddDays(-40):yyyy-MM-dd}&to={GatewayWorkspace.Now.AddDays(2):yyyy-MM-dd}";

    private static object Usd(string amount) => new { currencyCode = "USD", amount };
}
