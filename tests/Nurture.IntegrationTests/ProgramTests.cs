using System.Net;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>How leads enter, pass and leave programs.</summary>
public sealed class ProgramTests(NurtureFixture fixture)
{
    [Fact]
    public async Task Events_TwiceAndInAnyOrder_EnrollOnceWithTheNewestProfile()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var program = await workspace.NewWelcome();
        var (lead, address) = (Guid.CreateVersion7(), Address());
        var (captured, updated) = (workspace.Captured(lead, "old." + address), workspace.Updated(lead, address, "Grace", 2));
        var moved = workspace.Moved(lead, "VISITOR", "LEAD", "CAPTURED", 1);

        await workspace.Publish(moved);
        await workspace.Publish(updated);
        // Each kind of event has a queue of its own: without this the older one could be handled, and its mail be sent, first.
        await Eventually.Equal(
            1L, () => fixture.Database.Scalar<long>("select count(*) from lead where lead_id = $1 and profile_version = 2", lead),
            "the newest profile is known");
        foreach (var e in new ILifecycleEvent[] { captured, updated, captured, moved })
        {
            await workspace.Publish(e);
        }

        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(address).Count), "the mail to the newest address");
        Assert.Equal("Welcome, Grace", fixture.Mails.To(address)[0].Subject);
        var enrollments = (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray();
        Assert.Equal(
            (1, "LEAD_CAPTURED"),
            (Assert.Single(enrollments)!["occurrence"]!.GetValue<int>(), enrollments[0]!["trigger"]!.GetValue<string>()));
        Assert.Equal([1d], await workspace.MetricToday("new_leads"));
    }

    [Fact]
    public async Task Backfill_OfOldLeads_MailsNobody()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewWelcome();
        var (old, fresh) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (oldAddress, freshAddress) = (Address(), Address());

        await workspace.Publish(workspace.Captured(old, oldAddress, TestWorkspace.Now.AddDays(-30)));
        await workspace.Publish(workspace.Captured(fresh, freshAddress));

        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(freshAddress).Count), "the fresh lead's mail");
        Assert.Empty(fixture.Mails.To(oldAddress));
        Assert.Equal("1", (await workspace.Get($"/v1/programs/{program}/report"))["entered"]!.GetValue<string>());
    }

    [Fact]
    public async Task Recycled_Lead_EntersAgainAndCountsAsReopenedOnceItEngages()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Win back","entryTriggers":[{"stageChanged":{"to":"LEAD","reason":"RECYCLED"}}],"reentry":"AFTER_EXIT",
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{await workspace.NewEmail()}}}"}}]}
            """);
        var (lead, address) = (Guid.CreateVersion7(), Address());
        var start = TestWorkspace.Now.AddMinutes(-10);
        await workspace.Publish(workspace.Captured(lead, address, start));
        await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 2, start));

        var recycled = workspace.Moved(lead, "MQL", "LEAD", "RECYCLED", 3, start.AddMinutes(1));
        await workspace.Publish(recycled);
        await workspace.Publish(recycled);
        await workspace.Publish(
            new LeadReturned(Guid.CreateVersion7(), workspace.Id, start.AddMinutes(1), 1, Guid.CreateVersion7(), lead, "NO_BUDGET"));

        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(address).Count), "the mail after the first hand-back");
        Assert.Equal([0d], await workspace.MetricToday("reopened_leads"));

        // What the lead did before the hand-back, and what others did to it, is no engagement after it.
        await workspace.Publish(workspace.Did(lead, "PAGE", "Pricing", start));
        await workspace.Publish(workspace.Did(lead, "TRACK", "Email Delivered", start.AddMinutes(2), """{"email_id":"x"}"""));
        await workspace.Publish(workspace.Did(lead, "PAGE", "Pricing", start.AddMinutes(3)));
        await workspace.Publish(workspace.Did(lead, "PAGE", "Pricing", start.AddMinutes(4)));
        await Eventually.Equal(
            1d,
            async () => (await workspace.MetricToday("reopened_leads"))[0] ?? 0,
            "the lead is reopened once");
        await Eventually.Equal(1d, async () => (await workspace.MetricToday("mqls"))[0] ?? 0, "and was qualified once");

        await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 4, start.AddMinutes(5)));
        await workspace.Publish(workspace.Moved(lead, "MQL", "LEAD", "RECYCLED", 5, start.AddMinutes(6)));
        await Eventually.Equal(2, () => Task.FromResult(fixture.Mails.To(address).Count), "the mail after the second hand-back");
        var enrollments = (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray();
        Assert.Equal([1, 2], enrollments.Select(enrollment => enrollment!["occurrence"]!.GetValue<int>()));
    }

    [Fact]
    public async Task StageOfTheGoalOrAnExit_EndsTheEnrollmentAndTheReportTellsThemApart()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Drip","entryTriggers":[{"leadCaptured":{"captureTypes":["FORM"]}}],"exitOnStages":["DISQUALIFIED"],"goalStage":"MQL",
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{await workspace.NewEmail()}}}"}},{"id":"week","wait":{"duration":"604800s"}},{"id":"end","exit":{}}]}
            """);
        Guid[] leads = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        foreach (var lead in leads)
        {
            await workspace.Publish(workspace.Captured(lead, Address()));
        }

        await workspace.Publish(workspace.Captured(Guid.CreateVersion7(), Address(), captureType: "IMPORT"));
        await Eventually.Equal(
            "3", async () => (await Step(workspace, program, "week"))["waiting"]!.GetValue<string>(), "all stand at the wait");

        await workspace.Publish(workspace.Moved(leads[0], "LEAD", "SQL", "ACCEPTED", 2));
        await workspace.Publish(workspace.Moved(leads[1], "LEAD", "DISQUALIFIED", "DISQUALIFIED", 2));

        await Eventually.Equal("1 1 1", async () =>
        {
            var report = await workspace.Get($"/v1/programs/{program}/report");
            return $"{report["active"]} {report["converted"]} {report["dropped"]}";
        }, "one stays, one converts, one drops");
        var week = await Step(workspace, program, "week");
        Assert.Equal(
            ("3", "1", "1", "1", "0"),
            (Text(week, "entered"), Text(week, "waiting"), Text(week, "converted"), Text(week, "dropped"), Text(week, "completed")));
        var mail = await Step(workspace, program, "mail");
        Assert.Equal(("SEND_EMAIL", "3", "3"), (Text(mail, "action"), Text(mail, "entered"), Text(mail, "completed")));
        Assert.InRange(mail["medianWaitSeconds"]!.GetValue<double>(), 0, 30);
        Assert.Equal(
            "CONVERTED", (await fixture.Bus.Until<ProgramStepCompleted>(1, e => e.LeadId == leads[0] && e.StepId == "week"))[0].Outcome);
        Assert.Equal(
            "DROPPED", (await fixture.Bus.Until<ProgramStepCompleted>(1, e => e.LeadId == leads[1] && e.StepId == "week"))[0].Outcome);
    }

    [Fact]
    public async Task PausedProgram_StandsStillAndGoesOnWhereItWas()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Short","entryTriggers":[{"event":{"name":"Cart Abandoned"}}],
             "steps":[{"id":"wait","wait":{"duration":"3600s"}},{"id":"branch","branch":{"condition":"company.employees >= 50","elseStepId":"end"}},
                      {"id":"mail","sendEmail":{"emailId":"{{{await workspace.NewEmail()}}}"}},{"id":"end","exit":{}}]}
            """);
        var (big, small) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (bigAddress, smallAddress) = (Address(), Address());
        await workspace.Publish(workspace.Captured(big, bigAddress, employees: 50));
        await workspace.Publish(workspace.Captured(small, smallAddress, employees: 49));
        // Activities have a queue of their own: who enters without a profile would be asked for its company before it is known.
        await Eventually.Equal(
            2L,
            () => fixture.Database.Scalar<long>("select count(*) from lead where workspace_id = $1 and profile_version > 0", workspace.Id),
            "both are known");
        await workspace.Publish(workspace.Did(big, "TRACK", "Cart Abandoned", TestWorkspace.Now));
        await workspace.Publish(workspace.Did(small, "TRACK", "Cart Abandoned", TestWorkspace.Now));
        await Eventually.Equal(
            "2", async () => (await workspace.Get($"/v1/programs/{program}/report"))["entered"]!.GetValue<string>(), "both enter");

        await workspace.Post($"/v1/programs/{program}:pause");
        // The hour is over while the program stands still.
        var states = await fixture.Database.Query(
            "update enrollment set due_time = now() - interval '1 second' where program_id = $1 returning held, state",
            Guid.Parse(program));
        Assert.Equal(2, states.Count);
        Assert.All(states, row => Assert.Equal((true, "ACTIVE"), ((bool)row[0]!, (string)row[1]!)));

        await workspace.Post($"/v1/programs/{program}:start");
        await Eventually.Equal(
            "2", async () => (await workspace.Get($"/v1/programs/{program}/report"))["completed"]!.GetValue<string>(), "both end");
        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(bigAddress).Count), "the big company's mail");
        Assert.Empty(fixture.Mails.To(smallAddress));
        Assert.Equal("1", Text(await Step(workspace, program, "mail"), "entered"));
    }

    [Fact]
    public async Task StartedProgram_KeepsItsPathAndItsReferences()
    {
        var workspace = await fixture.NewWorkspace();
        var email = await workspace.NewEmail();
        var program = await workspace.NewProgram(
            $$$"""{"displayName":"P","entryTriggers":[{"manual":{}}],"steps":[{"sendEmail":{"emailId":"{{{email}}}"}}]}""");

        await workspace.Call(HttpMethod.Patch, $"/v1/programs/{program}", """{"goalStage":"MQL"}""", HttpStatusCode.BadRequest);
        await workspace.Call(HttpMethod.Delete, $"/v1/programs/{program}", null, HttpStatusCode.BadRequest);
        await workspace.Call(HttpMethod.Delete, $"/v1/emails/{email}", null, HttpStatusCode.BadRequest);
        Assert.Equal("Q", (await workspace.Call(
            HttpMethod.Patch, $"/v1/programs/{program}", """{"displayName":"Q"}"""))["displayName"]!.GetValue<string>());
        await workspace.Post($"/v1/programs/{program}:pause");
        Assert.Equal("MQL", (await workspace.Call(
            HttpMethod.Patch, $"/v1/programs/{program}", """{"goalStage":"MQL"}"""))["goalStage"]!.GetValue<string>());
        Assert.Equal("STAGE_UNSPECIFIED", (await workspace.Call(
            HttpMethod.Patch, $"/v1/programs/{program}", """{"clear":["goalStage"]}"""))["goalStage"]!.GetValue<string>());
        await workspace.Call(HttpMethod.Delete, $"/v1/programs/{program}");
        await workspace.Call(HttpMethod.Delete, $"/v1/emails/{email}");
        Assert.Empty((await workspace.Get("/v1/programs"))["programs"]!.AsArray());
    }

    private static string Text(System.Text.Json.Nodes.JsonNode node, string name) => node[name]!.GetValue<string>();

    private static string Address() => $"ada.{Guid.CreateVersion7():N}@example.com";

    private static async Task<System.Text.Json.Nodes.JsonNode> Step(TestWorkspace workspace, string program, string step) =>
        (await workspace.Get($"/v1/programs/{program}/report"))["steps"]!.AsArray()
            .Single(at => at!["stepId"]!.GetValue<string>() == step)!;
}
