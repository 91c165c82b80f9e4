using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Who becomes an advocate, and what may be used of what customers say in public.</summary>
public sealed class AdvocateRuleTests(RetentionFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Advocacy_PublishedWithConsent_MakesAnAdvocateOnceAndIsUnusableWithoutConsent()
    {
        var tenant = new Tenant(fixture);
        var (lead, customer) = await Customer(tenant);
        await tenant.Post("/v1/advocacy", new { customerId = customer, kind = "REVIEW", status = "PUBLISHED" }, HttpStatusCode.BadRequest);
        var review = await tenant.Post(
            "/v1/advocacy",
            new { customerId = customer, kind = "REVIEW", status = "REQUESTED", title = "Five stars", url = "https://reviews.example/1" });
        var path = $"/v1/advocacy/{review["id"]}";
        Assert.Equal(0L, await Advocates(tenant));
        await tenant.Call(HttpMethod.Patch, path, new { status = "PUBLISHED" }, HttpStatusCode.BadRequest);
        Assert.Equal("REQUESTED", (string)(await tenant.Get(path))["status"]!);

        var published = await tenant.Call(HttpMethod.Patch, path, new { status = "PUBLISHED", consent = true });
        Assert.True((bool)published["usable"]!);
        Assert.NotNull(published["consentTime"]);
        Assert.NotNull(published["publishTime"]);
        var gained = Assert.Single(await fixture.Bus.Until<AdvocateGained>(1, e => e.WorkspaceId == tenant.Id, Patience));
        Assert.Equal((lead, "REVIEW"), (gained.LeadId, gained.Kind));

        var withdrawn = await tenant.Call(HttpMethod.Patch, path, new { consent = false });
        Assert.Equal(("WITHDRAWN", false), ((string)withdrawn["status"]!, (bool)withdrawn["usable"]!));
        Assert.NotNull(withdrawn["consentWithdrawTime"]);
        Assert.Empty(await List(tenant, "usable = true"));
        Assert.Single(await List(tenant, "kind = \"REVIEW\" AND status = \"WITHDRAWN\""));
        await tenant.Call(HttpMethod.Patch, path, new { consent = true, status = "PUBLISHED" });
        Assert.Single(await List(tenant, "usable = true"));
        Assert.Contains("Five stars", await tenant.Csv("/v1/advocacy"), StringComparison.Ordinal);
        Assert.Equal(1L, await Advocates(tenant));

        await tenant.Call(HttpMethod.Delete, path);
        await tenant.Call(HttpMethod.Get, path, expected: HttpStatusCode.NotFound);
        await tenant.Call(HttpMethod.Delete, path, expected: HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Rule_TwoSuccessfulReferrals_CountsOnlyThoseThatBought()
    {
        var tenant = new Tenant(fixture);
        await tenant.Announce();
        var (lead, _) = await Customer(tenant);
        await tenant.Call(HttpMethod.Put, "/v1/advocateRule", new { minReferrals = 2, referralState = "CONVERTED", minAdvocacy = 0 });
        var (first, second, third) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var friend in new[] { first, second, third })
        {
            await tenant.Publish(tenant.Captured(friend, $"{friend:N}@new.example"));
            await tenant.Post("/v1/referrals", new { advocateLeadId = lead, referredEmail = $"{friend:N}@new.example" });
        }

        await tenant.Publish(tenant.Booked(first, 100, Tenant.Now));
        await tenant.CustomerOf(first);
        Assert.Equal(0L, await Advocates(tenant));
        await tenant.Publish(tenant.Booked(second, 100, Tenant.Now));
        var gained = Assert.Single(await fixture.Bus.Until<AdvocateGained>(1, e => e.WorkspaceId == tenant.Id, Patience));
        Assert.Equal((lead, "REFERRAL"), (gained.LeadId, gained.Kind));
        await tenant.Publish(tenant.Booked(third, 100, Tenant.Now));
        await tenant.CustomerOf(third);
        await Eventually.Equal(
            3L, () => fixture.Database.Scalar<long>("select count(*) from referral where workspace_id = $1 and converted", tenant.Id),
            "all bought", Patience);
        Assert.Single(fixture.Bus.Of<AdvocateGained>(), e => e.WorkspaceId == tenant.Id);
    }

    [Fact]
    public async Task Rule_PromoterWithAReview_NeedsTheNewestAnswerToPraise()
    {
        var tenant = new Tenant(fixture);
        await tenant.Announce();
        var (lead, customer) = await Customer(tenant);
        var (_, other) = await Customer(tenant);
        var rule = await tenant.Call(
            HttpMethod.Put, "/v1/advocateRule",
            new { minAdvocacy = 1, advocacyKinds = new[] { "REVIEW", "CASE_STUDY" }, needsPromoter = true });
        Assert.Equal(1, (int)rule["version"]!);
        var survey = (string)(await tenant.Post("/v1/surveys", new { type = "NPS", displayName = "N" }))["id"]!;
        foreach (var id in new[] { customer, other })
        {
            await tenant.Post("/v1/advocacy", new { customerId = id, kind = "REVIEW", status = "PUBLISHED", consent = true });
        }

        // A promoter whose newest answer is not one (told first: the rule looks at any moment); a passive who comes round.
        await tenant.Post($"/v1/surveys/{survey}/answers", new { customerId = other, score = 8, answerTime = Tenant.Now.AddDays(-10) });
        await tenant.Post($"/v1/surveys/{survey}/answers", new { customerId = other, score = 10, answerTime = Tenant.Now.AddDays(-20) });
        await tenant.Post($"/v1/surveys/{survey}/answers", new { customerId = customer, score = 7, answerTime = Tenant.Now.AddDays(-10) });
        await tenant.Post($"/v1/surveys/{survey}/answers", new { customerId = customer, score = 9 });

        var gained = Assert.Single(await fixture.Bus.Until<AdvocateGained>(1, e => e.WorkspaceId == tenant.Id, Patience));
        Assert.Equal((lead, "REVIEW"), (gained.LeadId, gained.Kind));
        Assert.Equal(1L, await Advocates(tenant));

        // Another rule makes advocates of whom the first left out; who is one stays one.
        var next = await tenant.Call(HttpMethod.Put, "/v1/advocateRule", new { minAdvocacy = 1 });
        Assert.Equal((2, false), ((int)next["version"]!, (bool)next["needsPromoter"]!));
        await Eventually.Equal(2L, () => Advocates(tenant), "the second advocate", Patience);
    }

    [Fact]
    public async Task Rule_WithFaults_IsRefusedWithAllAndTheUsualOneHolds()
    {
        var tenant = new Tenant(fixture);

        var problem = await tenant.Call(
            HttpMethod.Put, "/v1/advocateRule", new { minReferrals = -1, minAdvocacy = 2000, referralState = "DECLINED" },
            HttpStatusCode.BadRequest);
        var none = await tenant.Call(HttpMethod.Put, "/v1/advocateRule", new { }, HttpStatusCode.BadRequest);

        Assert.Equal(["minAdvocacy", "minReferrals", "referralState"], problem["errors"]!.AsArray()
            .Select(error => (string)error!["field"]!).Order(StringComparer.Ordinal));
        Assert.Equal("minReferrals", (string)none["errors"]![0]!["field"]!);
        var rule = await tenant.Get("/v1/advocateRule");
        Assert.Equal((0, 1, "OPEN", 1), (
            (int)rule["version"]!, (int)rule["minReferrals"]!, (string)rule["referralState"]!, (int)rule["minAdvocacy"]!));
    }

    [Fact]
    public async Task Erasure_OfACustomersPerson_TakesItsAdvocacyOutOfUse()
    {
        var tenant = new Tenant(fixture);
        var (lead, customer) = await Customer(tenant);
        var id = (string)(await tenant.Post(
            "/v1/advocacy",
            new { customerId = customer, kind = "TESTIMONIAL", status = "PUBLISHED", consent = true, title = "Robin says" }))["id"]!;

        await tenant.Publish(new LeadErased(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 9, lead));

        var confirmed = Assert.Single(await fixture.Bus.Until<LeadErasureConfirmed>(
            1, e => e.WorkspaceId == tenant.Id && e.LeadId == lead && e.Service == "retention", Patience));
        Assert.Equal(1L, confirmed.Counts["advocacy"]);
        var left = await tenant.Get($"/v1/advocacy/{id}");
        Assert.Equal(("WITHDRAWN", "", false), ((string)left["status"]!, (string)left["title"]!, (bool)left["usable"]!));
    }

    private static async Task<(Guid LeadId, string CustomerId)> Customer(Tenant tenant)
    {
        var lead = Guid.CreateVersion7();
        await tenant.Publish(tenant.Captured(lead, $"{lead:N}@customer.example"));
        await tenant.Publish(tenant.Booked(lead, 100, Tenant.Now.AddDays(-30)));
        var customer = (string)(await tenant.CustomerOf(lead))["id"]!;
        await Eventually.Equal(1L, () => tenant.Version(lead), "the profile", Patience);
        return (lead, customer);
    }

    private static async Task<JsonArray> List(Tenant tenant, string filter) =>
        (await tenant.Get($"/v1/advocacy?filter={Uri.EscapeDataString(filter)}"))["advocacy"]?.AsArray() ?? [];

    private Task<long> Advocates(Tenant tenant) =>
        fixture.Database.Scalar<long>("select count(*) from lead_profile where workspace_id = $1 and advocate", tenant.Id);
}
