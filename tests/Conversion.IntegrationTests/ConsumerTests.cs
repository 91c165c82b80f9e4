using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Events that come twice, out of order, about strangers, about merged and erased leads.</summary>
public sealed class ConsumerTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private readonly TestWorkspace workspace = new(fixture);

    [Fact]
    public async Task Events_BeforeTheLeadIsCaptured_AreHeldAndThenAppliedInOrder()
    {
        var lead = Guid.CreateVersion7();
        await workspace.Bus.Publish(new AdvocateGained(Guid.CreateVersion7(), workspace.Id, Times.March(7), 1, lead, "REVIEW"));
        await workspace.Bus.Publish(
            new CustomerChurned(Guid.CreateVersion7(), workspace.Id, Times.March(8), 2, Guid.CreateVersion7(), lead, "Price"));
        await workspace.Bus.Publish(new RevenueMoved(
            Guid.CreateVersion7(), workspace.Id, Times.March(6), 1, Guid.CreateVersion7(), lead, "NEW", new("USD", 10), "MONTHLY"));
        await workspace.Bus.Publish(workspace.Qualified(lead, Times.March(3)));
        await Eventually.Equal(
            4L, () => Fixture.Database.Scalar<long>("select count(*) from held_event where lead_id = $1", lead), "four events are held");

        await workspace.Bus.Publish(workspace.Captured(lead, Times.March(1)));
        await workspace.UntilStage(lead, "CHURNED");

        Assert.Equal(
            [
                "VISITOR>LEAD:CAPTURED", "LEAD>MQL:QUALIFIED", "MQL>CUSTOMER:IMPORTED", "CUSTOMER>ADVOCATE:ADVOCATED",
                "ADVOCATE>CHURNED:CHURNED",
            ],
            await workspace.History(lead));
        Assert.Equal(0L, await Fixture.Database.Scalar<long>("select count(*) from held_event where lead_id = $1", lead));
    }

    [Fact]
    public async Task Consumers_EveryEventTwice_ChangeTheLedgerOnce()
    {
        var lead = Guid.CreateVersion7();
        ILifecycleEvent[] events =
        [
            workspace.Captured(lead, Times.March(1)),
            workspace.Qualified(lead, Times.March(2)),
            workspace.Disqualified(lead, Times.March(3)),
            workspace.Spend(new DateOnly(2026, 3, 1), 100),
            new RevenueMoved(
                Guid.CreateVersion7(), workspace.Id, Times.March(4), 1, Guid.CreateVersion7(), lead, "NEW", new("USD", 10), "MONTHLY"),
            new AdvocateGained(Guid.CreateVersion7(), workspace.Id, Times.March(5), 1, lead, "REVIEW"),
            new CustomerChurned(Guid.CreateVersion7(), workspace.Id, Times.March(6), 2, Guid.CreateVersion7(), lead, "Price"),
        ];
        string[] stages = ["LEAD", "MQL", "LEAD", "LEAD", "CUSTOMER", "ADVOCATE", "CHURNED"];
        foreach (var (e, stage) in events.Zip(stages))
        {
            await workspace.Bus.Publish(e);
            await workspace.UntilStage(lead, stage);
            await workspace.Bus.Publish(e);
        }

        var marker = await workspace.Lead(Times.March(1));
        foreach (var e in events)
        {
            await workspace.Bus.Publish(e);
        }

        await workspace.Qualify(marker, Times.March(2));
        await Eventually.Equal(100m, () => Spent(), "spend is there");
        Assert.Equal(
            [
                "VISITOR>LEAD:CAPTURED", "LEAD>MQL:QUALIFIED", "MQL>LEAD:SCORE_DECAYED", "LEAD>CUSTOMER:IMPORTED",
                "CUSTOMER>ADVOCATE:ADVOCATED",
                "ADVOCATE>CHURNED:CHURNED",
            ],
            await workspace.History(lead));
        Assert.Equal([1, 2, 3, 4, 5, 6], (await workspace.Published(lead)).Select(change => change.Version));
    }

    [Fact]
    public async Task Spend_SameKeyAgain_IsReplacedByTheHigherVersionOnly()
    {
        var day = new DateOnly(2026, 3, 1);
        await workspace.Bus.Publish(workspace.Spend(day, 250, version: 2));
        await Eventually.Equal(250m, () => Spent(), "spend is there");
        await workspace.Bus.Publish(workspace.Spend(day, 100, version: 1));
        await workspace.Bus.Publish(workspace.Spend(day, 40, campaign: "other"));

        await Eventually.Equal(290m, () => Spent(), "the stale row changed nothing");
    }

    [Fact]
    public async Task Merge_SourceIsFurther_TargetTakesItsPlaceAndBelongings()
    {
        var (source, target) = (await workspace.Lead(Times.March(1)), await workspace.Lead(Times.March(2)));
        await workspace.Qualify(source, Times.March(3));
        var deal = await workspace.Post("/v1/opportunities", new { leadId = source, createTime = Times.March(5) });
        var merged = new LeadsMerged(Guid.CreateVersion7(), workspace.Id, Times.March(10), 5, source, target);
        await workspace.Bus.Publish(merged);
        await workspace.UntilStage(target, "OPPORTUNITY");
        await workspace.Bus.Publish(merged);

        Assert.Equal(target.ToString(), (await workspace.Get($"/v1/opportunities/{deal["id"]}"))["leadId"]!.GetValue<string>());
        Assert.Equal(["VISITOR>LEAD:CAPTURED", "LEAD>OPPORTUNITY:MERGED"], await workspace.History(target));
        await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { closeTime = Times.March(12) });
        Assert.Equal("CUSTOMER", await workspace.Stage(source));
        Assert.Equal(1, await workspace.Metric("new_customers", new(2026, 1, 1), new(2027, 1, 1)));
        Assert.Equal(1, await workspace.Metric("mqls", new(2026, 1, 1), new(2027, 1, 1)));
    }

    [Fact]
    public async Task Merge_BeforeEitherIsCaptured_EndsTheSame()
    {
        var (source, target) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await workspace.Bus.Publish(new LeadsMerged(Guid.CreateVersion7(), workspace.Id, Times.March(10), 5, source, target));
        await Eventually.Equal(
            target, () => Fixture.Database.Scalar<Guid>("select merged_into from lead where lead_id = $1", source), "the merge is noted");
        await workspace.Bus.Publish(workspace.Qualified(source, Times.March(3)));
        await workspace.Bus.Publish(workspace.Captured(source, Times.March(1)));
        await workspace.Bus.Publish(workspace.Captured(target, Times.March(2), version: 2));

        await workspace.UntilStage(target, "MQL");
        Assert.Equal(2, (await workspace.History(source)).Length);
    }

    [Fact]
    public async Task Erase_Lead_ForgetsThePersonAndKeepsTheCounts()
    {
        var lead = await workspace.Lead(Times.March(1));
        var handoff = await workspace.Qualify(lead, Times.March(2));
        await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { owner = "ann", acceptTime = Times.March(3) });
        var deal = await workspace.Post("/v1/opportunities", new { leadId = lead, name = "Jane's deal", createTime = Times.March(5) });
        var erased = new LeadErased(Guid.CreateVersion7(), workspace.Id, Times.March(10), 9, lead);
        await workspace.Bus.Publish(erased);
        await workspace.Bus.Publish(erased);
        await Eventually.Equal(
            "Erased", async () => (await workspace.Get($"/v1/opportunities/{deal["id"]}"))["name"]!.GetValue<string>(), "the name is gone");

        var confirmed = Assert.Single(await Fixture.Bus.Until<LeadErasureConfirmed>(1, e => e.LeadId == lead));
        Assert.Equal(("conversion", 9L, 1L, 1L), (
            confirmed.Service, confirmed.Version, confirmed.Counts["leads"], confirmed.Counts["opportunities"]));
        Assert.Equal(0L, await Fixture.Database.Scalar<long>(
            "select count(*) from lead where lead_id = $1 and (email is not null or landing_page is not null)", lead));
        Assert.Empty((await workspace.Handoff(lead))["reasons"]!.AsArray());
        Assert.Equal(1, await workspace.Metric("mqls", new(2026, 1, 1), new(2027, 1, 1)));
        // A profile that comes late brings nothing back.
        await workspace.Bus.Publish(workspace.Captured(lead, Times.March(1), version: 20));
        await workspace.Qualify(await workspace.Lead(Times.March(1)), Times.March(2));
        Assert.Equal(0L, await Fixture.Database.Scalar<long>("select count(*) from lead where lead_id = $1 and email is not null", lead));
    }

    private Task<decimal> Spent() =>
        Fixture.Database.Scalar<decimal>("select coalesce(sum(amount), 0) from spend where workspace_id = $1", workspace.Id);
}
