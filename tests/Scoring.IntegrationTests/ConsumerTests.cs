using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class ConsumerTests(ScoringFixture scoring)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Events_AnyOrderEachTwice_GiveTheSameLedger(int seed)
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        var (activities, form) = Given.Walk(workspace, lead, now);
        ILifecycleEvent[] events =
        [
            Given.Captured(workspace, lead, form, title: "Intern"),
            Given.Updated(workspace, lead, form, form.AddMinutes(1), 2, "Manager"),
            Given.Updated(workspace, lead, form, form.AddMinutes(2), 3, "VP Marketing"),
            activities,
            Given.Recorded(workspace, Given.Page(lead, form.AddMinutes(3), "/pricing"), activities.Activities[0]),
            Given.Engaged(workspace, lead, form.AddMinutes(4), "OPEN"),
            Given.Moved(workspace, lead, form, 1, "VISITOR", "LEAD", "CAPTURED"),
        ];
        var deliveries = events.Concat(events).Concat(events.Select(Again)).ToArray();
        new Random(seed).Shuffle(deliveries);
        foreach (var e in deliveries)
        {
            await scoring.Bus.Publish(e);
        }

        // Fit 30, need 5, behaviour 42.77 at the form + pricing 6 + open 1, less decay of minutes.
        await Eventually.Equal(9L, async () => (long)(await scoring.Database.Query(
            "select count(*) from ledger where lead_id = $1 and activity_id <> $2 and rule_id <> 'fit-manager-title'",
            lead, Guid.Empty))[0][0]! - 3,
            "all activities count");
        await Eventually.Equal("fit-midsize-company fit-senior-title", async () => string.Join(' ', (await scoring.Database.Query(
            "select rule_id from ledger where lead_id = $1 and activity_id = $2 order by 1", lead, Guid.Empty))
            .Select(row => (string)row[0]!)), "profile rules");
        await Eventually.Equal(
            84.76, async () => Math.Round((double)(await scoring.Get($"/v1/scores/{lead}", workspace))["total"]!, 1) switch
            {
                84.7 or 84.8 => 84.76,
                var other => other,
            }, "the score");
        Assert.Single(await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead));
    }

    [Fact]
    public async Task LeadUpdated_AfterANewModel_LeavesPointsWhereTheyBegan()
    {
        var (workspace, lead, known) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now.AddDays(-100));
        await scoring.Bus.Publish(Given.Captured(workspace, lead, known));
        await scoring.Bus.Until<LeadScoreChanged>(1, e => e.LeadId == lead);
        await scoring.Call(
            HttpMethod.Put, "/v1/scoring/model", workspace,
            """
            {"rules":[{"id":"vp","name":"VP","category":"FIT","points":40,"condition":"lead.title contains 'VP'","halfLife":"100d"},
                      {"id":"ceo","name":"CEO","category":"FIT","points":10,"condition":"lead.title contains 'CEO'","halfLife":"100d"}],
             "thresholds":{"mql":90,"hot":95,"demote":5},"bands":[{"name":"ALL","min":0}]}
            """);
        await Eventually.Equal(20.0, Total, "the new model counts, since the lead is known");

        // Something else changes: the title has been known all the time.
        await scoring.Bus.Publish(Given.Updated(workspace, lead, known, known.AddDays(99), 2, "VP, CEO"));
        await Eventually.Equal(
            "ceo vp", async () => string.Join(' ', (await Entries()).Select(entry => entry.Rule).Order(StringComparer.Ordinal)),
            "both rules hold");
        var entries = (await Entries()).ToDictionary(entry => entry.Rule, entry => entry.Time);
        Assert.Equal((known, known.AddDays(99)), (entries["vp"], entries["ceo"]));

        async Task<double> Total() => Math.Round((double)(await scoring.Get($"/v1/scores/{lead}", workspace))["total"]!);

        async Task<(string Rule, DateTimeOffset Time)[]> Entries() =>
        [
            .. (await scoring.Get($"/v1/scores/{lead}:explain", workspace))["contributions"]!.AsArray()
                .Select(entry => ((string)entry!["ruleId"]!, DateTimeOffset.Parse((string)entry["time"]!, null))),
        ];
    }

    [Fact]
    public async Task LeadsMerged_BeforeAndAfterActivities_CountsForTheTarget()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now);
        var (source, target) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await scoring.Bus.Publish(Given.Captured(workspace, source, now.AddHours(-2), title: "CEO"));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Form(source, now.AddHours(-2), "contact")));
        await scoring.Bus.Publish(Given.Captured(workspace, target, now.AddHours(-1), title: null, employees: null));
        await Eventually.True(
            async () => (double)(await scoring.Get($"/v1/scores/{source}", workspace))["total"]! > 44, "the source is scored");

        var merged = Given.Merged(workspace, source, target, now);
        await scoring.Bus.Publish(merged);
        await scoring.Bus.Publish(merged with { EventId = Guid.CreateVersion7() });
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Download(source, now)));

        await Eventually.Equal(
            25.0, async () => Math.Round((double)(await scoring.Get($"/v1/scores/{target}", workspace))["total"]!), "the target has both");
        await Eventually.Equal(
            target.ToString(), async () => (string)(await scoring.Get($"/v1/scores/{source}", workspace))["leadId"]!,
            "the source's id stands for the target");
        Assert.Single((await scoring.Get("/v1/scores:top", workspace))["scores"]!.AsArray());

        // So it does once that one is merged, too, and in every other answer.
        var last = Guid.CreateVersion7();
        await scoring.Bus.Publish(Given.Captured(workspace, last, now, title: null, employees: null));
        await scoring.Bus.Publish(Given.Merged(workspace, target, last, now));
        await scoring.Post($"/v1/scores/{source}:adjust", workspace, """{"points":3,"reason":"Called"}""");
        await Eventually.Equal(
            last.ToString(), async () => (string)(await scoring.Get($"/v1/scores/{source}", workspace))["leadId"]!,
            "the id stands for the last of them");
        Assert.Equal(last.ToString(), (string)(await scoring.Get($"/v1/scores/{source}:explain", workspace))["score"]!["leadId"]!);
        Assert.Single((await scoring.Get($"/v1/scores/{source}/adjustments", workspace))["adjustments"]!.AsArray());
        Assert.NotNull((await scoring.Get($"/v1/scores/{source}/qualifications", workspace))["qualifications"]);
        var unknown = Guid.CreateVersion7();
        var batch = await scoring.Post("/v1/scores:batchGet", workspace, $$"""{"leadIds":["{{source}}","{{unknown}}","{{last}}"]}""");
        Assert.Equal([last, last], batch["scores"]!.AsArray().Select(score => Guid.Parse((string)score!["leadId"]!)));
        Assert.Equal(unknown.ToString(), (string)Assert.Single(batch["missingLeadIds"]!.AsArray())!);
    }

    [Fact]
    public async Task LeadErased_BeforeItsOtherEvents_KeepsCountsAndNothingOfThePerson()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now);
        var (early, late) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var lead in new[] { early, late })
        {
            var (activities, form) = Given.Walk(workspace, lead, now);
            var erased = Given.Erased(workspace, lead, now);
            if (lead == early)
            {
                await scoring.Bus.Publish(erased);
                await Eventually.Equal(1, async () => (await scoring.Database.Query(
                    "select 1 from lead where lead_id = $1 and erase_time is not null", lead)).Count, "erased");
            }

            await scoring.Bus.Publish(activities);
            await scoring.Bus.Publish(Given.Captured(workspace, lead, form));
            if (lead == late)
            {
                await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead);
                await scoring.Bus.Publish(erased);
            }

            await Eventually.Equal(1, async () => (await scoring.Database.Query(
                "select 1 from lead where lead_id = $1 and erase_time is not null and channel = 'Paid Search' and profile is null",
                lead)).Count, "erased");
            await Eventually.Equal(System.Net.HttpStatusCode.NotFound,
                async () => (await scoring.Call(HttpMethod.Get, $"/v1/scores/{lead}", workspace)).Status, "the score is gone");
            Assert.Empty(await scoring.Database.Query("select 1 from activity where lead_id = $1", lead));
            Assert.Empty(await scoring.Database.Query("select 1 from ledger where lead_id = $1 and evidence <> '{}'", lead));
            Assert.Empty(await scoring.Database.Query("select 1 from transition where lead_id = $1 and reasons <> '[]'", lead));
            var confirmed = Assert.Single(await scoring.Bus.Until<LeadErasureConfirmed>(1, e => e.LeadId == lead));
            Assert.Equal(("scoring", lead == late), (confirmed.Service, confirmed.Counts["activities"] > 0));

            // Asked again, it confirms again.
            await scoring.Bus.Publish(Given.Erased(workspace, lead, now));
            await scoring.Bus.Until<LeadErasureConfirmed>(2, e => e.LeadId == lead);
        }

        var day = DateOnly.FromDateTime(now.UtcDateTime);
        var metrics = await scoring.Get(
            $"/v1/metrics/scoring?from={day.AddDays(-1):yyyy-MM-dd}&to={day.AddDays(1):yyyy-MM-dd}&granularity=YEAR&metrics=qualified_leads",
            workspace);
        Assert.Equal(1.0, metrics["series"]![0]!["points"]!.AsArray().Sum(point => (double)point!["value"]!));
        Assert.Empty((await scoring.Get("/v1/scores:top", workspace))["scores"]?.AsArray() ?? []);
    }

    private static ILifecycleEvent Again(ILifecycleEvent e) => e switch
    {
        LeadCaptured captured => captured with { EventId = Guid.CreateVersion7() },
        LeadUpdated updated => updated with { EventId = Guid.CreateVersion7() },
        ActivitiesRecorded recorded => recorded with { EventId = Guid.CreateVersion7() },
        EmailEngaged engaged => engaged with { EventId = Guid.CreateVersion7() },
        LeadStageChanged moved => moved with { EventId = Guid.CreateVersion7() },
        _ => e,
    };
}
