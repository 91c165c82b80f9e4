using System.Net;
using System.Text.Json.Nodes;

namespace Retention.IntegrationTests;

/// <summary>From a click on an advocate's link to revenue, through the gateway, with Capture and Conversion beside.</summary>
public sealed class ReferralJourneyTests(GatewaySuite suite)
{
    private const string Browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    private const string Crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

    [Fact]
    public async Task Link_ClickedCapturedAndWon_CreditsTheAdvocateAndShowsAsSource()
    {
        var workspace = await suite.NewWorkspace();
        var (advocate, customer) = await workspace.Customer("ada@customer.example", "1000.00");
        await workspace.Call(HttpMethod.Put, "/v1/referralSettings", new { landingPages = new[] { "https://www.example.com/friends" } });
        var link = await workspace.Post(
            "/v1/referralLinks", new { customerId = (string)customer["id"]!, code = "ada-2026", program = "friends" });
        Assert.Equal(("ADA-2026", advocate), ((string)link["code"]!, (string)link["advocateLeadId"]!));
        var url = new Uri((string)link["url"]!);

        // Two people and a crawler follow it.
        const string Target =
            "https://www.example.com/friends?referralCode=ADA-2026&utm_source=advocate&utm_medium=referral&utm_campaign=friends";
        Assert.Equal((302, Target), await suite.Follow(url, Browser));
        Assert.Equal((302, Target), await suite.Follow(url, Browser));
        Assert.Equal((302, Target), await suite.Follow(url, Crawler));
        Assert.Equal((302, Target), await suite.Follow(url, Browser, HttpMethod.Head));
        Assert.Equal(404, (await suite.Follow(new Uri(url + "X"), Browser)).Status);

        // One of them asks for a demo, two others bring the code by themselves: in a form's field, in a trait.
        await Visit(workspace, "a1", Target, "friend@new.example", new { email = "friend@new.example" });
        await Visit(
            workspace, "a2", "https://www.example.com/demo", "second@new.example",
            new { email = "second@new.example", referralCode = "ada-2026" });
        await workspace.Post("/v1/identify", new
        {
            messageId = $"{workspace.Id}-i",
            userId = "u3",
            traits = new { email = "third@new.example", referralCode = "Ada-2026" },
            timestamp = GatewayWorkspace.Now
        });
        // The advocate does not send herself, nor does her link bring whom nobody sent.
        await Visit(workspace, "a4", Target, "ada@customer.example", new { email = "ada@customer.example" });
        await Visit(workspace, "a5", "https://www.example.com/demo", "alone@new.example", new { email = "alone@new.example" });

        var friend = (string)(await workspace.LeadOf("friend@new.example"))["id"]!;
        await GatewayWorkspace.Until(3, async () => (await Referrals(workspace)).Count, "three referrals");
        await workspace.Win(friend, "5000.00");
        await GatewayWorkspace.Until("CONVERTED CUSTOMER 5000.00", () => Told(workspace, friend), "the sale");
        await workspace.LeadOf("alone@new.example");
        // Whoever sent somebody is an advocate by the usual rule.
        await GatewayWorkspace.Until(
            "ADVOCATE", async () => (string?)(await workspace.Get($"/v1/leads/{advocate}/stage"))["current"], "the advocate's stage");

        var told = await workspace.Get($"/v1/referralLinks/{link["id"]}");
        Assert.Equal(
            ("2", "2", "3", "1", "5000.00"),
            ((string)told["clicks"]!, (string)told["botClicks"]!, (string)told["leads"]!, (string)told["customers"]!,
                (string)told["revenue"]!["amount"]!));
        var referrals = await Referrals(workspace);
        Assert.All(referrals, referral => Assert.Equal(
            (advocate, "friends"), ((string)referral!["advocateLeadId"]!, (string)referral["program"]!)));
        Assert.Equal(["CAPTURED", "CAPTURED", "CONVERTED"], referrals.Select(referral => (string)referral!["state"]!).Order());

        // Capture and Conversion show the source by the touch.
        var (from, to) = ($"{GatewayWorkspace.Now.AddDays(-1):yyyy-MM-dd}", $"{GatewayWorkspace.Now.AddDays(2):yyyy-MM-dd}");
        var lead = await workspace.Get($"/v1/leads/{friend}");
        Assert.Equal(
            ("Referral", "advocate", "referral", "friends"),
            ((string)lead["firstTouch"]!["channel"]!, (string)lead["firstTouch"]!["source"]!, (string)lead["firstTouch"]!["medium"]!,
                (string)lead["firstTouch"]!["campaign"]!));
        await GatewayWorkspace.Until(
            "1 5000.00",
            async () =>
            {
                var rows = (await workspace.Get($"/v1/reports/source?from={from}&to={to}&groupBy=campaign"))["rows"]?.AsArray() ?? [];
                var row = rows.SingleOrDefault(one => (string?)one!["group"]!["campaign"] == "friends");
                return $"{row?["customers"]} {row?["revenue"]?["amount"]}";
            },
            "the campaign's revenue");
    }

    [Fact]
    public async Task Link_LeadingElsewhere_IsRefusedAndARevokedOneCountsNothing()
    {
        var workspace = await suite.NewWorkspace();
        var (advocate, _) = await workspace.Customer("ada@customer.example", "1000.00");
        await workspace.Post("/v1/referralLinks", new { advocateLeadId = advocate }, HttpStatusCode.BadRequest);
        await workspace.Call(
            HttpMethod.Put, "/v1/referralSettings",
            new { landingPages = new[] { "https://www.example.com/friends", "https://www.example.com/events" } });

        foreach (var page in new[]
        {
            "https://evil.example/friends", "https://www.example.com@evil.example/friends",
            "https://www.example.com/friendsX", "javascript:alert(1)"
        })
        {
            var refused = await workspace.Post(
                "/v1/referralLinks", new { advocateLeadId = advocate, landingPage = page }, HttpStatusCode.BadRequest);
            Assert.Equal("landingPage", (string)refused["errors"]![0]!["field"]!);
        }

        var link = await workspace.Post(
            "/v1/referralLinks",
            new { advocateLeadId = advocate, code = "MINE", landingPage = "https://www.example.com/events/may?seat=1" });
        await workspace.Post("/v1/referralLinks", new { advocateLeadId = advocate, code = "mine" }, HttpStatusCode.Conflict);
        var url = new Uri((string)link["url"]!);
        Assert.Equal(
            "https://www.example.com/events/may?seat=1&referralCode=MINE&utm_source=advocate&utm_medium=referral&utm_campaign=referrals",
            (await suite.Follow(url, Browser)).Location);
        // A page that is configured no more is left for the first of those that are.
        await workspace.Call(
            HttpMethod.Put, "/v1/referralSettings", new { landingPages = new[] { "https://www.example.org/hello" }, utmSource = "friend" });
        Assert.Equal(
            "https://www.example.org/hello?referralCode=MINE&utm_source=friend&utm_medium=referral&utm_campaign=referrals",
            (await suite.Follow(url, Browser)).Location);

        var revoked = await workspace.Post($"/v1/referralLinks/{link["id"]}:revoke");
        Assert.NotNull(revoked["revokeTime"]);
        Assert.Equal((302, "https://www.example.org/hello"), await suite.Follow(url, Browser));
        Assert.Equal("2", (string)(await workspace.Get($"/v1/referralLinks/{link["id"]}"))["clicks"]!);
        Assert.Empty((await workspace.Get("/v1/referralLinks?filter=revoked%20%3D%20false"))["referralLinks"]?.AsArray() ?? []);
        Assert.Contains("MINE", await workspace.Csv("/v1/referralLinks"), StringComparison.Ordinal);
    }

    private static async Task Visit(
        GatewayWorkspace workspace, string anonymousId, string url, string email, object fields) => await workspace.Post("/v1/batch", new
        {
            batch = new object[]
            {
                new
                {
                    type = "page", messageId = $"{workspace.Id}-{anonymousId}-1", anonymousId = $"{workspace.Id}-{anonymousId}",
                    timestamp = GatewayWorkspace.Now,
                    context = new { page = new { url }, userAgent = Browser },
                },
                new
                {
                    type = "track", messageId = $"{workspace.Id}-{anonymousId}-2", anonymousId = $"{workspace.Id}-{anonymousId}",
                    timestamp = GatewayWorkspace.Now, @event = "Form Submitted",
                    properties = new { formId = "demo", formType = "demo", fields },
                    context = new { page = new { url }, userAgent = Browser },
                },
            },
        });

    private static async Task<JsonArray> Referrals(GatewayWorkspace workspace) =>
        (await workspace.Get("/v1/referrals"))["referrals"]?.AsArray() ?? [];

    private static async Task<string> Told(GatewayWorkspace workspace, string leadId)
    {
        var one = (await workspace.Get($"/v1/referrals?filter={Uri.EscapeDataString($"referredLeadId = \"{leadId}\"")}"))["referrals"]
            ?.AsArray().SingleOrDefault();
        return $"{one?["state"]} {one?["stage"]} {one?["revenue"]?["amount"]}";
    }
}
