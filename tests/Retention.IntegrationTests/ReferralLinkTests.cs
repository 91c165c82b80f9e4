using System.Net;
using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Whom a code credits, whatever comes when and how often.</summary>
public sealed class ReferralLinkTests(RetentionFixture fixture)
{
    private const string Page = "https://www.example.com/friends";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Code_SeenBeforeTheProfileAndTwice_CreditsOnce()
    {
        var (tenant, lead) = (new Tenant(fixture), Guid.CreateVersion7());
        var (advocate, _) = await Link(tenant, "FIRST");
        var activity = new ActivityInfo(
            Guid.CreateVersion7(), lead, "TRACK", "Signed Up", Tenant.Now, null, null,
            new Dictionary<string, JsonElement> { ["referral_code"] = JsonSerializer.SerializeToElement("first") });
        var recorded = new ActivitiesRecorded(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, [activity]);
        await tenant.Publish(recorded);
        await tenant.Publish(recorded);
        await tenant.Publish(recorded with { EventId = Guid.CreateVersion7() });
        await Eventually.Equal(1L, () => Count(tenant, "referral_claim"), "the claim", Patience);
        Assert.Equal(0L, await Count(tenant, "referral"));

        await tenant.Publish(tenant.Captured(lead, "lead@new.example"));
        await Eventually.Equal($"{advocate} CAPTURED LEAD", () => Told(tenant, lead), "the referral", Patience);
        await tenant.Publish(Moved(tenant, lead, "SQL", 4));
        await Eventually.Equal($"{advocate} CAPTURED SQL", () => Told(tenant, lead), "the stage", Patience);
        // Steps back and late news do not take back how far it came.
        await tenant.Publish(Moved(tenant, lead, "MQL", 3));
        await tenant.Publish(Moved(tenant, lead, "LEAD", 5));
        await tenant.Publish(tenant.Booked(lead, 750, Tenant.Now));
        await Eventually.Equal($"{advocate} CONVERTED CUSTOMER", () => Told(tenant, lead), "the sale", Patience);
        Assert.Equal(1L, await Count(tenant, "referral"));
    }

    [Fact]
    public async Task TwoCodes_FirstTouchWinsAndTheSecondGetsNothing()
    {
        var (tenant, lead) = (new Tenant(fixture), Guid.CreateVersion7());
        var (first, _) = await Link(tenant, "FIRST");
        await Link(tenant, "SECOND");
        var captured = tenant.Captured(lead, "lead@new.example");

        await tenant.Publish(captured with
        {
            FirstTouch = captured.FirstTouch with { LandingPage = $"{Page}?referralCode=FIRST", Time = Tenant.Now.AddMinutes(-9) },
            LastTouch = captured.LastTouch with { LandingPage = $"{Page}?referralCode=SECOND" },
        });
        await Eventually.Equal($"{first} CAPTURED LEAD", () => Told(tenant, lead), "the referral", Patience);
        await tenant.Publish(Updated(captured, ("referralCode", "SECOND")));
        await Eventually.Equal(2L, () => tenant.Version(lead), "the update", Patience);

        Assert.Equal($"{first} CAPTURED LEAD", await Told(tenant, lead));
        // By hand neither, however the address is written.
        await tenant.Post("/v1/referrals", new { advocateLeadId = first, referredEmail = "LEAD@new.example" }, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task OwnCode_OfOneselfAContactOrAnEarlierLead_CreditsNobody()
    {
        var tenant = new Tenant(fixture);
        var (_, customer) = await Link(tenant, "OWN1");
        await tenant.Post($"/v1/customers/{customer}/contacts", new { displayName = "Kim", email = "kim@customer.example" });
        var (colleague, twin, earlier, control) = (
            Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());

        await tenant.Publish(WithCode(tenant.Captured(colleague, "kim@customer.example"), "OWN1"));
        await tenant.Publish(WithCode(tenant.Captured(twin, "own1@customer.example"), "OWN1"));
        await tenant.Publish(
            WithCode(tenant.Captured(earlier, "earlier@new.example"), "OWN1") with { CreateTime = Tenant.Now.AddDays(-1) });
        await tenant.Publish(WithCode(tenant.Captured(control, "control@new.example"), "OWN1"));

        await Eventually.Equal(4L, () => Count(tenant, "referral_claim"), "all claims", Patience);
        await Eventually.Equal(1L, () => Count(tenant, "referral"), "the control's referral", Patience);
        Assert.EndsWith("CAPTURED LEAD", await Told(tenant, control), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReferralByHand_OfTheSamePersonByAnother_StaysFirst()
    {
        var (tenant, lead) = (new Tenant(fixture), Guid.CreateVersion7());
        var (first, _) = await Link(tenant, "FIRST");
        await Link(tenant, "SECOND");
        await tenant.Post("/v1/referrals", new { advocateLeadId = first, referredEmail = "lead@new.example" });

        await tenant.Publish(WithCode(tenant.Captured(lead, "lead@new.example"), "SECOND"));
        await Eventually.Equal($"{first} CAPTURED LEAD", () => Told(tenant, lead), "the referral", Patience);
        await Eventually.Equal(1L, () => Count(tenant, "referral_claim"), "the claim", Patience);

        Assert.Equal(1L, await Count(tenant, "referral"));
    }

    [Fact]
    public async Task Merge_OfTwoReferredLeads_KeepsTheEarliestAndDeclinesTheOther()
    {
        var (tenant, source, target) = (new Tenant(fixture), Guid.CreateVersion7(), Guid.CreateVersion7());
        var (first, _) = await Link(tenant, "FIRST");
        await Link(tenant, "SECOND");
        await tenant.Publish(WithCode(tenant.Captured(source, "a@new.example"), "FIRST"));
        await Eventually.Equal(1L, () => Count(tenant, "referral"), "the first referral", Patience);
        await tenant.Publish(WithCode(tenant.Captured(target, "b@new.example"), "SECOND"));
        await Eventually.Equal(2L, () => Count(tenant, "referral"), "the second referral", Patience);

        await tenant.Publish(new LeadsMerged(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 5, source, target));

        await Eventually.Equal(1L, () => Count(tenant, "referral where declined"), "the declined one", Patience);
        Assert.Equal($"{first} CAPTURED LEAD", await Told(tenant, target, "CAPTURED"));
        // The advocate and one whom she sent prove to be one person.
        var own = Guid.CreateVersion7();
        await tenant.Publish(WithCode(tenant.Captured(own, "c@new.example"), "FIRST"));
        await Eventually.Equal(3L, () => Count(tenant, "referral"), "her own referral", Patience);
        await tenant.Publish(new LeadsMerged(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 6, own, Guid.Parse(first)));
        await Eventually.Equal(2L, () => Count(tenant, "referral where declined"), "her own, declined", Patience);
    }

    [Fact]
    public async Task Erasure_OfAnAdvocate_EndsTheLinkAndForgetsTheCode()
    {
        var (tenant, lead) = (new Tenant(fixture), Guid.CreateVersion7());
        var (advocate, _) = await Link(tenant, "ROBIN-SMITH");
        await tenant.Publish(WithCode(tenant.Captured(lead, "lead@new.example"), "ROBIN-SMITH"));
        await Eventually.Equal($"{advocate} CAPTURED LEAD", () => Told(tenant, lead), "the referral", Patience);

        await tenant.Publish(new LeadErased(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 9, Guid.Parse(advocate)));
        await tenant.Publish(new LeadErased(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 9, lead));

        var counts = Assert.Single(await fixture.Bus.Until<LeadErasureConfirmed>(
            1, e => e.WorkspaceId == tenant.Id && e.LeadId == Guid.Parse(advocate) && e.Service == "retention", Patience)).Counts;
        Assert.Equal(1L, counts["referralLinks"]);
        await fixture.Bus.Until<LeadErasureConfirmed>(
            1, e => e.WorkspaceId == tenant.Id && e.LeadId == lead && e.Service == "retention", Patience);
        Assert.Equal(0L, await Count(tenant, "referral_claim"));
        Assert.Equal(0L, await Count(tenant, "referral_link where code like '%ROBIN%' or revoke_time is null"));
        // The number stays.
        Assert.Equal($"{advocate} CAPTURED LEAD", await Told(tenant, lead));
    }

    /// <summary>A customer with a link; its lead and customer id.</summary>
    private static async Task<(string LeadId, string CustomerId)> Link(Tenant tenant, string code)
    {
        var lead = Guid.CreateVersion7();
        await tenant.Publish(tenant.Captured(lead, $"{code}@customer.example".ToLowerInvariant()));
        await tenant.Publish(tenant.Booked(lead, 100, Tenant.Now));
        var customer = (string)(await tenant.CustomerOf(lead))["id"]!;
        await Eventually.Equal(1L, () => tenant.Version(lead), "the advocate's profile", Patience);
        await tenant.Call(HttpMethod.Put, "/v1/referralSettings", new { landingPages = new[] { Page } });
        await tenant.Post("/v1/referralLinks", new { advocateLeadId = lead, code });
        return ($"{lead}", customer);
    }

    private static LeadCaptured WithCode(LeadCaptured captured, string code) =>
        captured with { FirstTouch = captured.FirstTouch with { LandingPage = $"{Page}?referralCode={code}&utm_source=advocate" } };

    private static LeadUpdated Updated(LeadCaptured e, (string Name, string Value) trait) => new(
        Guid.CreateVersion7(), e.WorkspaceId, Tenant.Now, 2, e.LeadId, e.Email, null, e.CaptureType, e.CreateTime,
        e.FirstTouch, e.LastTouch, new Dictionary<string, string> { [trait.Name] = trait.Value }, null);

    private static LeadStageChanged Moved(Tenant tenant, Guid lead, string to, long version) =>
        new(Guid.CreateVersion7(), tenant.Id, Tenant.Now, version, lead, "LEAD", to, "MANUAL", "key:test", null, null);

    private Task<long> Count(Tenant tenant, string table) => fixture.Database.Scalar<long>(
        $"select count(*) from {table} {(table.Contains(" where ", StringComparison.Ordinal) ? "and" : "where")} workspace_id = $1",
        tenant.Id)!;

    private static async Task<string> Told(Tenant tenant, Guid lead, string? state = null)
    {
        var filter = $"referredLeadId = \"{lead}\"{(state is null ? "" : $" AND state = {state}")}";
        var one = (await tenant.Get($"/v1/referrals?filter={Uri.EscapeDataString(filter)}"))["referrals"]?.AsArray().SingleOrDefault();
        return $"{one?["advocateLeadId"]} {one?["state"]} {one?["stage"]}";
    }
}
