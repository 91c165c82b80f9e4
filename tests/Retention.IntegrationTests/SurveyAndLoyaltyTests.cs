using System.Net;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

public sealed class SurveyAndLoyaltyTests(RetentionFixture fixture)
{
    [Fact]
    public async Task AnswerPage_OverALink_RecordsOneAnswerThatTheNextReplaces()
    {
        var tenant = new Tenant(fixture);
        var customer = (string)(await tenant.Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var survey = (string)(await tenant.Post(
            "/v1/surveys", new { type = "NPS", displayName = "N", question = "Would you <recommend> us?" }))["id"]!;
        var link = new Uri((string)(await tenant.Post($"/v1/surveys/{survey}:createLink", new { customerId = customer }))["url"]!);
        using var browser = new HttpClient { BaseAddress = fixture.Service.Http };

        var page = await browser.GetStringAsync(link.PathAndQuery);
        var nothing = await browser.PostAsync(link.PathAndQuery, new FormUrlEncodedContent([]));
        var outside = await browser.PostAsync(link.PathAndQuery, Form("11", ""));
        var first = await browser.PostAsync(link.PathAndQuery, Form("4", "Slow"));
        var second = await browser.PostAsync(link.PathAndQuery, Form("9", "Better"));
        // The last but one sign is another, whatever it was.
        var sound = link.PathAndQuery;
        var forged = await browser.GetAsync($"{sound[..^2]}{(sound[^2] == 'A' ? 'B' : 'A')}{sound[^1]}");

        Assert.Contains("Would you &lt;recommend&gt; us?", page, StringComparison.Ordinal);
        Assert.Equal(11, page.Split("type=\"radio\"").Length - 1);
        Assert.Equal(
            [HttpStatusCode.BadRequest, HttpStatusCode.BadRequest, HttpStatusCode.OK, HttpStatusCode.OK],
            new[] { nothing, outside, first, second }.Select(answer => answer.StatusCode));
        Assert.Equal(HttpStatusCode.NotFound, forged.StatusCode);
        var answer = Assert.Single((await tenant.Get($"/v1/surveys/{survey}/answers"))["answers"]!.AsArray());
        Assert.Equal((9, "Better"), ((int)answer!["score"]!, (string)answer["comment"]!));
    }

    [Fact]
    public async Task Answer_OutsideTheScale_IsRefusedByType()
    {
        var tenant = new Tenant(fixture);
        var customer = (string)(await tenant.Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var survey = (string)(await tenant.Post("/v1/surveys", new { type = "CSAT", displayName = "C" }))["id"]!;

        var refused = await tenant.Post(
            $"/v1/surveys/{survey}/answers", new { customerId = customer, score = 6 }, HttpStatusCode.BadRequest);

        Assert.Equal("score", (string?)refused["errors"]![0]!["field"]);
        Assert.Contains("1 to 5", (string)refused["errors"]![0]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nps_WorkedExample_Is30AndNothingWithoutAnswers()
    {
        var tenant = new Tenant(fixture);
        var survey = (string)(await tenant.Post("/v1/surveys", new { type = "NPS", displayName = "N" }))["id"]!;
        foreach (var (score, index) in new[] { 10, 10, 9, 9, 9, 8, 7, 7, 6, 0 }.Select((score, index) => (score, index)))
        {
            var customer = (string)(await tenant.Post("/v1/customers", new { displayName = $"C{index}" }))["id"]!;
            await tenant.Post($"/v1/surveys/{survey}/answers", new { customerId = customer, score, answerTime = "2026-03-15T12:00:00Z" });
        }

        var rows = (await tenant.Get("/v1/reports/nps?from=2026-03-01&to=2026-05-01"))["rows"]!;

        Assert.Equal(("5", "3", "2", 30d), (
            (string)rows[0]!["promoters"]!, (string)rows[0]!["passives"]!, (string)rows[0]!["detractors"]!, (double)rows[0]!["nps"]!));
        Assert.Null(rows[1]!["nps"]);
    }

    [Fact]
    public async Task Loyalty_Points_MoveThroughTiersAndNeverBelowZero()
    {
        var tenant = new Tenant(fixture);
        var customer = (string)(await tenant.Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var program = (string)(await tenant.Post("/v1/loyaltyPrograms", new
        {
            displayName = "Club",
            tiers = new[] { new { name = "VIP", minPoints = 100 }, new { name = "Member", minPoints = 0 } }
        }))["id"]!;

        var member = await tenant.Post(
            $"/v1/loyaltyPrograms/{program}:addPoints", new { customerId = customer, points = 60, reason = "Webinar" });
        var vip = await tenant.Post($"/v1/loyaltyPrograms/{program}:addPoints", new { customerId = customer, points = 60 });
        await tenant.Post(
            $"/v1/loyaltyPrograms/{program}:addPoints", new { customerId = customer, points = -500 }, HttpStatusCode.BadRequest);

        Assert.Equal(("Member", "VIP"), ((string)member["tier"]!, (string)vip["tier"]!));
        var members = (await tenant.Get($"/v1/loyaltyPrograms/{program}/members"))["members"]!.AsArray();
        Assert.Equal("120", (string)Assert.Single(members)!["balance"]!);
        Assert.Equal("1", (string?)(await tenant.Get($"/v1/loyaltyPrograms/{program}"))["memberCount"]);
    }

    [Fact]
    public async Task Erased_Lead_LeavesNumbersOnly()
    {
        var (tenant, leadId) = (new Tenant(fixture), Guid.CreateVersion7());
        await tenant.Publish(tenant.Captured(leadId, "gone@example.com"));
        await tenant.Publish(tenant.Booked(leadId, 500, Tenant.Now));
        var customer = (string)(await tenant.CustomerOf(leadId))["id"]!;
        await Eventually.Equal(1L, () => tenant.Version(leadId), "the profile");
        var survey = (string)(await tenant.Post("/v1/surveys", new { type = "NPS", displayName = "N" }))["id"]!;
        await tenant.Post($"/v1/surveys/{survey}/answers", new { customerId = customer, score = 3, comment = "My name is Robin" });

        await tenant.Publish(new LeadErased(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 9, leadId));

        await Eventually.Equal(
            "Erased", async () => (string?)(await tenant.Get($"/v1/customers/{customer}"))["displayName"], "the erasure");
        var confirmed = Assert.Single(
            await fixture.Bus.Until<LeadErasureConfirmed>(1, e => e.LeadId == leadId && e.Service == "retention"));
        Assert.Equal(("retention", 1L, 1L, 1L), (
            confirmed.Service, confirmed.Counts["customers"], confirmed.Counts["comments"], confirmed.Counts["profiles"]));
        var answer = Assert.Single((await tenant.Get($"/v1/surveys/{survey}/answers"))["answers"]!.AsArray());
        Assert.Equal("", (string?)answer!["comment"]);
        Assert.Equal(3, (int)answer["score"]!);
        Assert.Empty(await fixture.Database.Query(
            "select 1 from lead_profile where workspace_id = $1 and (email is not null or name is not null)", tenant.Id));
        // What was under way when the person was erased brings nothing back.
        await tenant.Publish(tenant.Captured(leadId, "gone@example.com") with { Version = 10 });
        await tenant.Publish(tenant.Captured(Guid.CreateVersion7(), "other@example.com"));
        await Eventually.True(
            async () => (await fixture.Database.Query(
                "select 1 from lead_profile where workspace_id = $1 and email = 'other@example.com'", tenant.Id)).Count == 1,
            "the next lead");
        Assert.Empty(
            await fixture.Database.Query("select 1 from lead_profile where workspace_id = $1 and email = 'gone@example.com'", tenant.Id));
    }

    [Fact]
    public async Task Merged_TwoCustomers_BecomeOneWithBothLedgers()
    {
        var (tenant, source, target) = (new Tenant(fixture), Guid.CreateVersion7(), Guid.CreateVersion7());
        await tenant.Publish(tenant.Booked(source, 100, Tenant.Now.AddDays(-3)));
        await tenant.Publish(tenant.Booked(target, 200, Tenant.Now.AddDays(-2)));
        await tenant.CustomerOf(source);
        await tenant.CustomerOf(target);

        await tenant.Publish(new LeadsMerged(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 2, source, target));

        await Eventually.Equal(
            "300.00", async () => (string?)(await tenant.CustomerOf(target))["totalRevenue"]?["amount"], "both ledgers in one");
        Assert.Single((await tenant.Get("/v1/customers"))["customers"]!.AsArray());
        // What is said of the source afterwards concerns the target.
        await tenant.Publish(tenant.Booked(source, 50, Tenant.Now));
        await Eventually.Equal(
            "350.00", async () => (string?)(await tenant.CustomerOf(target))["totalRevenue"]?["amount"], "a late booking of the source");
    }

    [Fact]
    public async Task Referral_OfALead_IsFollowedToTheSale()
    {
        var (tenant, advocate, friend) = (new Tenant(fixture), Guid.CreateVersion7(), Guid.CreateVersion7());
        await tenant.Publish(tenant.Booked(advocate, 100, Tenant.Now));
        await tenant.CustomerOf(advocate);
        await tenant.Post("/v1/referrals", new { advocateLeadId = advocate, referredEmail = " Friend@Example.net " });
        await tenant.Post(
            "/v1/referrals", new { advocateLeadId = advocate, referredEmail = "friend@example.net" }, HttpStatusCode.Conflict);

        await tenant.Publish(tenant.Captured(friend, "friend@example.net", "Referral"));
        await Eventually.Equal("CAPTURED", () => State(tenant), "the referred lead");
        await tenant.Publish(tenant.Booked(friend, 100, Tenant.Now));
        await Eventually.Equal("CONVERTED", () => State(tenant), "the referred sale");
    }

    private static async Task<string?> State(Tenant tenant) => (string?)(await tenant.Get("/v1/referrals"))["referrals"]![0]!["state"];

    private static FormUrlEncodedContent Form(string score, string comment) => new([new("score", score), new("comment", comment)]);
}
