using System.Net;
using Lifecycle.Contracts;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>A lead's way from capture to advocate, and the ways back.</summary>
public sealed class WalkTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private readonly TestWorkspace workspace = new(fixture);

    [Fact]
    public async Task Lead_FromCaptureToAdvocate_IsToldOncePerChangeInOrder()
    {
        var lead = await workspace.Lead(Times.March(1));
        Fixture.Capture.Know(
            lead, FakeCapture.Touch("Paid Search", Times.March(1), "google", "spring"),
            FakeCapture.Touch("Organic Social", Times.March(3), "linkedin"));
        var handoff = await workspace.Qualify(lead, Times.March(3));
        Assert.Equal("OPEN", handoff["state"]!.GetValue<string>());
        Assert.Equal("Asked for a demo", handoff["reasons"]![0]!["text"]!.GetValue<string>());

        var accepted = await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { owner = "ann", acceptTime = Times.March(4) });
        Assert.Equal(("ACCEPTED", "ann"), (accepted["state"]!.GetValue<string>(), accepted["owner"]!.GetValue<string>()));
        var opportunity = await workspace.Post("/v1/opportunities", new
        {
            leadId = lead,
            name = "Acme",
            amount = new { currencyCode = "USD", amount = "12000.00" },
            createTime = Times.March(5),
        });
        Assert.Equal(("OPEN", "Prospecting"), (opportunity["state"]!.GetValue<string>(), opportunity["stage"]!.GetValue<string>()));
        var won = await workspace.Post($"/v1/opportunities/{opportunity["id"]}:win", new { closeTime = Times.March(20) });
        Assert.Equal("WON", won["state"]!.GetValue<string>());
        await workspace.Bus.Publish(new AdvocateGained(Guid.CreateVersion7(), workspace.Id, Times.March(25), 1, lead, "REFERRAL"));
        await workspace.UntilStage(lead, "ADVOCATE");

        Assert.Equal(
            [
                "VISITOR>LEAD:CAPTURED", "LEAD>MQL:QUALIFIED", "MQL>SQL:ACCEPTED", "SQL>OPPORTUNITY:OPPORTUNITY_OPENED",
                "OPPORTUNITY>CUSTOMER:WON",
                "CUSTOMER>ADVOCATE:ADVOCATED",
            ],
            await workspace.History(lead));
        var published = await workspace.Published(lead);
        Assert.Equal([1, 2, 3, 4, 5, 6], published.Select(change => change.Version));
        Assert.All(published, change => Assert.Equal("spring", change.FirstTouch?.Campaign));
        Assert.Equal(72.5m, published[1].Score);
        var booked = (await workspace.Bus.Until<RevenueBooked>(1, e => e.LeadId == lead))[0];
        Assert.Equal((new MoneyInfo("USD", 12000), Times.March(20)), (booked.Amount, booked.CloseTime));
    }

    [Fact]
    public async Task Return_OpenHandoff_RecyclesTheLeadAndTellsMarketing()
    {
        var lead = await workspace.Lead(Times.March(1));
        var handoff = await workspace.Qualify(lead, Times.March(2));

        await workspace.Post($"/v1/handoffs/{handoff["id"]}:return", new { reason = "BORED" }, HttpStatusCode.BadRequest);
        var returned = await workspace.Post(
            $"/v1/handoffs/{handoff["id"]}:return", new { reason = "NO_BUDGET", note = "Next year", returnTime = Times.March(3) });

        Assert.Equal(("RETURNED", "NO_BUDGET"), (returned["state"]!.GetValue<string>(), returned["returnReason"]!.GetValue<string>()));
        Assert.Equal("MQL>LEAD:RECYCLED", (await workspace.History(lead))[^1]);
        Assert.Equal("NO_BUDGET", (await workspace.Bus.Until<LeadReturned>(1, e => e.LeadId == lead))[0].Reason);
        // Qualified by what it did before it was handed back: overtaken. By what it did since: MQL again.
        await workspace.Bus.Publish(workspace.Qualified(lead, Times.March(2, 13), version: 3));
        await workspace.Qualify(lead, Times.March(9), version: 4);
        Assert.Equal(4, (await workspace.History(lead)).Length);
    }

    [Fact]
    public async Task Accept_AfterTheScoreDecayed_IsRefused()
    {
        var lead = await workspace.Lead(Times.March(1));
        var handoff = await workspace.Qualify(lead, Times.March(2));
        await workspace.Bus.Publish(workspace.Disqualified(lead, Times.March(9)));
        await workspace.UntilStage(lead, "LEAD");

        Assert.Equal("EXPIRED", (await workspace.Handoff(lead))["state"]!.GetValue<string>());
        var problem = await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { }, HttpStatusCode.BadRequest);
        Assert.Equal("FAILED_PRECONDITION", problem["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Decay_AfterSalesAccepted_ChangesNothing()
    {
        var lead = await workspace.Lead(Times.March(1));
        var handoff = await workspace.Qualify(lead, Times.March(2));
        await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { acceptTime = Times.March(3) });
        await workspace.Bus.Publish(workspace.Disqualified(lead, Times.March(9)));
        await workspace.Bus.Publish(workspace.Qualified(lead, Times.March(10), version: 4));
        var marker = await workspace.Lead(Times.March(1));
        await workspace.Qualify(marker, Times.March(11));

        Assert.Equal("SQL", await workspace.Stage(lead));
    }

    [Fact]
    public async Task Lose_LastOpenDeal_TakesTheLeadBackToWhereSalesHadIt()
    {
        var accepted = await workspace.Lead(Times.March(1));
        var handoff = await workspace.Qualify(accepted, Times.March(2));
        await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { acceptTime = Times.March(3) });
        var direct = await workspace.Lead(Times.March(1));

        foreach (var lead in new[] { accepted, direct })
        {
            var first = await workspace.Post("/v1/opportunities", new { leadId = lead, createTime = Times.March(5) });
            var second = await workspace.Post("/v1/opportunities", new { leadId = lead, createTime = Times.March(6) });
            await workspace.Post($"/v1/opportunities/{first["id"]}:lose", new { reason = "Price", closeTime = Times.March(8) });
            Assert.Equal("OPPORTUNITY", await workspace.Stage(lead));
            await workspace.Post($"/v1/opportunities/{second["id"]}:lose", new { reason = "Price", closeTime = Times.March(9) });
        }

        Assert.Equal(("SQL", "LEAD"), (await workspace.Stage(accepted), await workspace.Stage(direct)));
        Assert.Equal("OPPORTUNITY>SQL:LOST", (await workspace.History(accepted))[^1]);
    }

    [Fact]
    public async Task Churn_ThenReactivation_EndsAsCustomerInWhateverOrder()
    {
        var (inOrder, reversed) = (await workspace.Lead(Times.March(1)), await workspace.Lead(Times.March(1)));
        foreach (var lead in new[] { inOrder, reversed })
        {
            await workspace.Post($"/v1/leads/{lead}/stage:move", new { to = "CUSTOMER", reason = "IMPORTED", moveTime = Times.March(2) });
        }

        CustomerChurned Churned(Guid lead) =>
            new(Guid.CreateVersion7(), workspace.Id, Times.March(5), 2, Guid.CreateVersion7(), lead, "Price");
        RevenueMoved Back(Guid lead) =>
            new(
                Guid.CreateVersion7(), workspace.Id, Times.March(9), 3, Guid.CreateVersion7(), lead, "REACTIVATION",
                new("USD", 10), "MONTHLY");
        await workspace.Bus.Publish(Churned(inOrder));
        await workspace.UntilStage(inOrder, "CHURNED");
        await workspace.Bus.Publish(Back(inOrder));
        await workspace.UntilStage(inOrder, "CUSTOMER");
        await workspace.Bus.Publish(Back(reversed));
        await Testing.Eventually.Equal(3L, async () => await Fixture.Database.Scalar<long>(
            "select retention_version from lead where lead_id = $1", reversed), "the reactivation is noted");
        await workspace.Bus.Publish(Churned(reversed));
        var marker = await workspace.Lead(Times.March(1));
        await workspace.Post($"/v1/leads/{marker}/stage:move", new { to = "CUSTOMER" });
        await workspace.Bus.Publish(Churned(marker));
        await workspace.UntilStage(marker, "CHURNED");

        Assert.Equal("CUSTOMER", await workspace.Stage(reversed));
    }
}
