using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>The report on advocates, by worked numbers.</summary>
public sealed class AdvocacyReportTests(RetentionFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Report_WorkedExample_BySegmentProgramAndAdvocate()
    {
        var tenant = new Tenant(fixture);
        var (ada, adasCustomer) = await Customer(tenant, "ada", "Mid-market");
        var (bob, bobsCustomer) = await Customer(tenant, "bob", "Enterprise");
        await tenant.Call(HttpMethod.Put, "/v1/referralSettings", new { landingPages = new[] { "https://www.example.com/friends" } });
        var link = await tenant.Post("/v1/referralLinks", new { advocateLeadId = ada, code = "ADA-1", program = "friends" });
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        browser.DefaultRequestHeaders.TryAddWithoutValidation(
            "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36");
        for (var click = 0; click < 3; click++)
        {
            using var answer = await browser.GetAsync(new Uri(fixture.Service.Http, new Uri((string)link["url"]!).PathAndQuery));
            Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        }

        // Ada's link brings two, of whom one buys for 400.00 and 100.00; Bob names somebody by hand who never comes, and publishes two
        // things.
        var (buyer, looker) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var lead in new[] { buyer, looker })
        {
            var captured = tenant.Captured(lead, $"{lead:N}@new.example");
            await tenant.Publish(captured with
            {
                FirstTouch = captured.FirstTouch with { LandingPage = "https://www.example.com/friends?referralCode=ADA-1" }
            });
        }

        await tenant.Publish(tenant.Booked(buyer, 400, Tenant.Now));
        await tenant.Publish(tenant.Booked(buyer, 100, Tenant.Now));
        await tenant.Post("/v1/referrals", new { advocateLeadId = bob, referredEmail = "nobody@new.example" });
        await tenant.Post("/v1/advocacy", new { customerId = bobsCustomer, kind = "CASE_STUDY", status = "PUBLISHED", consent = true });
        await tenant.Post("/v1/advocacy", new { customerId = bobsCustomer, kind = "REVIEW", status = "PUBLISHED", consent = true });
        await tenant.Post("/v1/advocacy", new { customerId = bobsCustomer, kind = "REVIEW" });
        var club = (string)(await tenant.Post("/v1/loyaltyPrograms", new { displayName = "Club" }))["id"]!;
        await tenant.Post($"/v1/loyaltyPrograms/{club}:addPoints", new { customerId = adasCustomer, points = 100 });
        await tenant.Post($"/v1/loyaltyPrograms/{club}:addPoints", new { customerId = adasCustomer, points = -30 });
        var period = $"from={Tenant.Now.AddDays(-2):yyyy-MM-dd}&to={Tenant.Now.AddDays(2):yyyy-MM-dd}";

        await Eventually.Equal(
            "Mid-market clicks 3 referrals 0 1 1 leads 2 customers 1 revenue 500.00 published 0 0 | "
            + "Enterprise clicks 0 referrals 1 0 0 leads 0 customers 0 revenue 0.00 published 1 1",
            async () => Text(await tenant.Get($"/v1/reports/advocacy?{period}&groupBy=segment")), "the report by segment", Patience);
        Assert.StartsWith(
            "friends clicks 3 referrals 0 1 1", Text(await tenant.Get($"/v1/reports/advocacy?{period}&groupBy=program")),
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"{ada} clicks 3", Text(await tenant.Get($"/v1/reports/advocacy?{period}&groupBy=advocate")), StringComparison.Ordinal);
        var all = await tenant.Get($"/v1/reports/advocacy?{period}");
        Assert.Equal(" clicks 3 referrals 1 1 1 leads 2 customers 1 revenue 500.00 published 1 1", Text(all));
        var program = Assert.Single(all["loyaltyPrograms"]!.AsArray())!;
        Assert.Equal(
            ("Club", "1", "1", "1", 1.0, "100", "30"),
            ((string)program["displayName"]!, (string)program["members"]!, (string)program["joined"]!, (string)program["activeMembers"]!,
                (double)program["activeShare"]!, (string)program["pointsGiven"]!, (string)program["pointsRedeemed"]!));
        Assert.Contains("Mid-market", await tenant.Csv($"/v1/reports/advocacy?{period}&groupBy=segment"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_OfNothing_SaysSoAndFaultsAreNamed()
    {
        var tenant = new Tenant(fixture);

        var report = await tenant.Get("/v1/reports/advocacy?from=2026-01-01&to=2026-02-01&groupBy=plan");
        var refused = await tenant.Call(
            HttpMethod.Get, "/v1/reports/advocacy?from=2026-01-01&to=2026-02-01&groupBy=colour", expected: HttpStatusCode.BadRequest);

        Assert.Empty(report["rows"]!.AsArray());
        Assert.NotEqual("", (string)report["note"]!);
        Assert.Equal("groupBy", (string)refused["errors"]![0]!["field"]!);
    }

    private static async Task<(Guid LeadId, string CustomerId)> Customer(Tenant tenant, string name, string segment)
    {
        var lead = Guid.CreateVersion7();
        await tenant.Publish(tenant.Captured(lead, $"{name}@customer.example"));
        await Eventually.Equal(1L, () => tenant.Version(lead), "the profile", Patience);
        var customer = await tenant.Post(
            "/v1/customers", new { leadId = lead, displayName = name, segment, startTime = Tenant.Now.AddDays(-90) });
        return (lead, (string)customer["id"]!);
    }

    private static string Text(JsonNode report) => string.Join(" | ", report["rows"]!.AsArray().Select(row =>
        $"{row!["group"]} clicks {row["clicks"]} referrals {row["referralsOpen"]} {row["referralsCaptured"]} {row["referralsConverted"]} leads {row["leads"]} "
        + $"customers {row["customers"]} revenue {row["revenue"]!["amount"]} published {row["caseStudies"]} {row["reviews"]}"));
}
