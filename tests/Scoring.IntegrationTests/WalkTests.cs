using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class WalkTests(ScoringFixture scoring)
{
    [Fact]
    public async Task Lead_WalksToTheForm_QualifiesOnceWithReasons()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        var (activities, form) = Given.Walk(workspace, lead, now);
        await scoring.Bus.Publish(activities);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, form));

        var qualified = Assert.Single(await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead));
        Assert.Equal(Times.Micro(form), qualified.OccurredAt);
        Assert.Equal(77.77m, qualified.Score);
        Assert.StartsWith("Asked for a demo (form demo, ", qualified.Reasons[0].Text, StringComparison.Ordinal);
        Assert.Contains(qualified.Reasons, reason => reason.Text == "Senior title (VP Marketing)");

        // Redis is written after the commit: what came first may be told for a moment longer.
        await Eventually.Equal((30.0, 5.0, "A", "QUALIFIED", true), async () =>
        {
            var score = await scoring.Get($"/v1/scores/{lead}", workspace);
            return (
                (double)score["fit"]!, (double)score["bant"]!, (string)score["grade"]!, (string)score["band"]!, (bool)score["qualified"]!);
        }, "the score says so");

        var explained = await scoring.Get($"/v1/scores/{lead}:explain", workspace);
        var contributions = explained["contributions"]!.AsArray();
        Assert.Equal(
            (decimal)(double)explained["score"]!["total"]!, contributions.Sum(entry => (decimal)(double)(entry!["decayedPoints"] ?? 0.0)!));
        Assert.Equal("Asked for a demo", (string)contributions[0]!["ruleName"]!);
        Assert.Equal(11, contributions.Count);
    }

    [Fact]
    public async Task EmailEngaged_HumanOnly_RaisesTheScore()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
        await scoring.Bus.Until<LeadScoreChanged>(1, e => e.LeadId == lead);

        await scoring.Bus.Publish(Given.Engaged(workspace, lead, now, "CLICK", "BOT"));
        await scoring.Bus.Publish(Given.Engaged(workspace, lead, now, "CLICK", "SUSPECT"));
        await scoring.Bus.Publish(Given.Engaged(workspace, lead, now, "UNSUBSCRIBE"));
        await scoring.Bus.Publish(Given.Engaged(workspace, lead, now, "OPEN"));
        await scoring.Bus.Publish(Given.Engaged(workspace, lead, now, "CLICK"));

        // What waits together is scored together: one change or two.
        await Eventually.True(
            () => Task.FromResult(Changes().Any(change => change.Total == 36m)), "both count, and nothing else", TimeSpan.FromSeconds(90));
        Assert.Equal(Changes().Length, Changes().Select(change => change.Version).Distinct().Count());
        Assert.Equal(36m, Changes().MaxBy(change => change.Version)!.Total);

        LeadScoreChanged[] Changes() => [.. scoring.Bus.Of<LeadScoreChanged>().Where(e => e.LeadId == lead)];
    }

    [Fact]
    public async Task Recycled_Lead_QualifiesAgainOnlyByAnActivity()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now.AddDays(-1));
        var (activities, form) = Given.Walk(workspace, lead, now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, form));
        await scoring.Bus.Publish(activities);
        await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead);

        await scoring.Bus.Publish(Given.Moved(workspace, lead, form.AddMinutes(1), 2, "LEAD", "MQL", "QUALIFIED"));
        await scoring.Bus.Publish(Given.Moved(workspace, lead, form.AddMinutes(30), 3, "MQL", "LEAD", "RECYCLED"));
        await Eventually.Equal(
            false, async () => (bool)(await scoring.Get($"/v1/scores/{lead}", workspace))["qualified"]!, "it qualifies no more");
        await scoring.Bus.Publish(Given.Updated(workspace, lead, form, form.AddMinutes(40), 2, "CEO"));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, form.AddMinutes(20), "/late")));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, form.AddMinutes(60), "/again")));

        var again = await scoring.Bus.Until<LeadQualified>(2, e => e.LeadId == lead);
        Assert.Equal(Times.Micro(form.AddMinutes(60)), again[1].OccurredAt);
        Assert.True(again[1].Version > again[0].Version);
    }

    [Fact]
    public async Task LeadInSalesHands_CrossingTheThreshold_IsNotQualified()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        await scoring.Bus.Publish(Given.Moved(workspace, lead, now.AddDays(-3), 5, "LEAD", "SQL", "MANUAL"));
        await Eventually.Equal(
            1, async () => (await scoring.Database.Query("select 1 from lead where lead_id = $1 and stage = 'SQL'", lead)).Count,
            "stage is known");
        var (activities, form) = Given.Walk(workspace, lead, now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, form));
        await scoring.Bus.Publish(activities);

        await Eventually.True(async () => (double)(await scoring.Get($"/v1/scores/{lead}", workspace))["total"]! > 70, "it is scored");
        Assert.DoesNotContain(scoring.Bus.Of<LeadQualified>(), e => e.LeadId == lead);
        Assert.Empty(await scoring.Database.Query("select 1 from transition where lead_id = $1", lead));
    }

    [Fact]
    public async Task Decay_BelowDemote_DisqualifiesAtTheTimeByFormula()
    {
        var (workspace, lead, start) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now.AddDays(-120));
        await scoring.Bus.Publish(Given.Captured(workspace, lead, start));
        await scoring.Bus.Publish(
            Given.Recorded(workspace, Given.Form(lead, start), Given.Download(lead, start), Given.Page(lead, start, "/pricing")));

        // Fit 30 and need 5 stay; 25 + 10 + 1 + 5 = 41 decay to 5 after 30 · log2(41 / 5) days.
        var ended = Assert.Single(await scoring.Bus.Until<LeadDisqualified>(1, e => e.LeadId == lead));
        Assert.Equal("SCORE_DECAYED", ended.Reason);
        Assert.Equal(40m, ended.Score);
        Assert.Equal(30 * Math.Log2(41.0 / 5), (ended.OccurredAt - start).TotalDays, 6);
        Assert.Single(scoring.Bus.Of<LeadQualified>(), e => e.LeadId == lead);
        Assert.True(ended.Version > scoring.Bus.Of<LeadQualified>().Single(e => e.LeadId == lead).Version);
        await Eventually.Equal(
            false, async () => (bool)(await scoring.Get($"/v1/scores/{lead}", workspace))["qualified"]!, "the score says so");
    }
}
