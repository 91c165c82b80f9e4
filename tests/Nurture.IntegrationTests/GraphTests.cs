using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;
using Lifecycle.Webhooks;

namespace Nurture.IntegrationTests;

/// <summary>Programs as graphs: events, loops, shares, effects and versions.</summary>
public sealed class GraphTests(NurtureFixture fixture)
{
    [Fact]
    public async Task EventWait_TwoCartsOfOneLead_EachGoesByItsOwnKey()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram("""
            {"displayName":"Carts","entryTriggers":[{"event":{"name":"Cart Abandoned"}}],"reentry":"PER_KEY","reentryKey":"cart_id",
             "steps":[
               {"id":"bought","wait":{"untilEvent":{"name":"Order Completed","keyProperty":"cart_id","condition":"activity.properties.total > 10",
                 "timeout":"3600s","timeoutStepId":"lost"}}},
               {"id":"won","goal":{}},{"id":"lost","exit":{}}]}
            """);
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, Address()));
        foreach (var cart in new[] { "a", "b", "a" })
        {
            await workspace.Publish(workspace.Did(lead, "TRACK", "Cart Abandoned", TestWorkspace.Now, $$"""{"cart_id":"{{cart}}"}"""));
        }

        await Eventually.Equal("a b", async () => Join(await Enrollments(workspace, program), "key"), "one enrollment for each cart");
        // Another cart, too small an order, and an order of long ago.
        await workspace.Publish(workspace.Did(lead, "TRACK", "Order Completed", TestWorkspace.Now, """{"cart_id":"c","total":50}"""));
        await workspace.Publish(workspace.Did(lead, "TRACK", "Order Completed", TestWorkspace.Now, """{"cart_id":"a","total":5}"""));
        await workspace.Publish(
            workspace.Did(lead, "TRACK", "Order Completed", TestWorkspace.Now.AddHours(-1), """{"cart_id":"a","total":50}"""));
        var order = workspace.Did(lead, "TRACK", "Order Completed", TestWorkspace.Now, """{"cart_id":"b","total":50}""");
        await workspace.Publish(order);
        await workspace.Publish(order);

        await Eventually.Equal(
            "ACTIVE CONVERTED", async () => Join(await Enrollments(workspace, program), "state"), "the second cart is bought");
        Assert.Equal("Order Completed", Text((await Enrollments(workspace, program))[0]!, "waitsFor"));
        await fixture.Database.Query(
            "update enrollment set due_time = now() - interval '1 second' where program_id = $1 and state = 'ACTIVE'", Guid.Parse(program));
        await Eventually.Equal(
            "COMPLETED CONVERTED", async () => Join(await Enrollments(workspace, program), "state"), "the first one times out");
        Assert.Equal("1 0", Step(await workspace.Get($"/v1/programs/{program}/report"), "won", "entered", "dropped"));
    }

    [Fact]
    public async Task Loop_OfMailAndWait_SendsOnceARound()
    {
        var workspace = await fixture.NewWorkspace();
        var (email, address) = (await workspace.NewEmail("Reminder"), Address());
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Remind","entryTriggers":[{"leadCaptured":{}}],
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{email}}}"}},
               {"id":"wait","wait":{"untilEvent":{"name":"Signed Up","timeout":"86400s","timeoutStepId":"mail"} } },{"id":"done","goal":{}}]}
            """);
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, address));

        for (var round = 1; round <= 3; round++)
        {
            var expected = round;
            await Eventually.Equal(expected, () => Task.FromResult(fixture.Mails.To(address).Count), $"reminder {expected}");
            Assert.Equal($"{expected} 0", Step(await workspace.Get($"/v1/programs/{program}/report"), "mail", "completed", "dropped"));
            await Eventually.Equal(
                "wait", async () => Join(await Enrollments(workspace, program), "stepId"), "the lead waits again");
            if (round < 3)
            {
                await fixture.Database.Query(
                    "update enrollment set due_time = now() - interval '1 second' where program_id = $1 and state = 'ACTIVE'",
                    Guid.Parse(program));
            }
        }

        await workspace.Publish(workspace.Did(lead, "TRACK", "Signed Up", TestWorkspace.Now));
        await Eventually.Equal("CONVERTED", async () => Join(await Enrollments(workspace, program), "state"), "the lead has signed up");
        Assert.Equal(3, fixture.Mails.To(address).Select(mail => mail.MessageId).Distinct().Count());
    }

    [Fact]
    public async Task Effects_TraitWebhookAndSales_AreAskedForOnceAndOtherProgramsLetGo()
    {
        var workspace = await fixture.NewWorkspace();
        var path = $"/hooks/{workspace.Id}";
        var endpoint = await workspace.Post(
            "/v1/notifyEndpoints", $$"""{"displayName":"CRM","url":"{{fixture.Peers.WebhookUrl(path)}}"}""");
        var other = await workspace.NewProgram("""
            {"displayName":"Newsletter","entryTriggers":[{"leadCaptured":{}}],"steps":[{"id":"year","wait":{"duration":"8640000s"}}]}
            """);
        var receipts = await workspace.NewProgram("""
            {"displayName":"Receipts","transactional":true,"entryTriggers":[{"leadCaptured":{}}],"steps":[{"id":"year","wait":{"duration":"8640000s"}}]}
            """);
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, "ada@example.com"));
        await Eventually.Equal("ACTIVE", async () => Join(await Enrollments(workspace, other), "state"), "the lead reads the newsletter");
        await Eventually.Equal("ACTIVE", async () => Join(await Enrollments(workspace, receipts), "state"), "the lead may get receipts");
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Hot","entryTriggers":[{"manual":{}}],
             "steps":[{"id":"mark","updateTrait":{"trait":"plan","value":"pro"}},
               {"id":"really","branch":{"condition":"lead.traits.plan = \"pro\"","elseStepId":"no"}},
               {"id":"tell","notify":{"endpointId":"{{{Text(endpoint, "id")}}}"}},
               {"id":"sell","handToSales":{"note":"Asked for a price"}},{"id":"no","exit":{}}]}
            """);

        await workspace.Post($"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{lead}}"}""");

        await Eventually.Equal("CONVERTED", async () => Join(await Enrollments(workspace, program), "state"), "the lead is handed over");
        await Eventually.Equal(
            "EXITED HANDED_TO_SALES",
            async () => $"{Join(await Enrollments(workspace, other), "state")} {Join(await Enrollments(workspace, other), "exitReason")}",
            "the newsletter lets go");
        Assert.Equal("ACTIVE", Join(await Enrollments(workspace, receipts), "state"));
        await Eventually.Equal(
            2L, () => fixture.Database.Scalar<long>("select count(*) from program_call where lead_id = $1 and state = 'DONE'", lead),
            "both are answered");
        // What is answered too late is asked again with its id, and stays one.
        var update = Assert.Single(
            fixture.Peers.Updates.Where(update => update.Id == lead.ToString()).DistinctBy(update => update.RequestId));
        Assert.Equal("pro", update.Traits.Fields["plan"].StringValue);
        var move = Assert.Single(fixture.Peers.Moves.Where(move => move.LeadId == lead.ToString()).DistinctBy(move => move.RequestId));
        Assert.Equal((Lifecycle.Common.V1.Stage.Mql, "Asked for a price"), (move.To, move.Note));
        await Eventually.True(() => Task.FromResult(fixture.Peers.Webhooks.Any(hook => hook.Path == path)), "the webhook");
        var hook = Assert.Single(fixture.Peers.Webhooks.Where(hook => hook.Path == path).DistinctBy(hook => hook.Id));
        Assert.True(WebhookSignature.Verify(
            [WebhookSecret.Parse(Text(endpoint, "secret")).Value], hook.Id, hook.Timestamp, hook.Signature,
            System.Text.Encoding.UTF8.GetBytes(hook.Body), TestWorkspace.Now).Succeeded);
        var body = JsonNode.Parse(hook.Body)!;
        Assert.Equal(
            ("program.step_reached", "tell", lead.ToString(), "ada@example.com"),
            (Text(body, "type"), Text(body["data"]!, "stepId"), Text(body["data"]!["lead"]!, "id"), Text(body["data"]!["lead"]!, "email")));
        Assert.Equal("", Text(await workspace.Get($"/v1/notifyEndpoints/{Text(endpoint, "id")}"), "secret"));
        await workspace.Call(HttpMethod.Delete, $"/v1/notifyEndpoints/{Text(endpoint, "id")}", null, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task NewVersion_LeavesThoseOnTheirWayWhereTheyAre_OrMovesThemWhenAsked()
    {
        var workspace = await fixture.NewWorkspace();
        var (first, second) = (await workspace.NewEmail("First"), await workspace.NewEmail("Second"));
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Drip","entryTriggers":[{"manual":{}}],"reentry":"AFTER_EXIT",
             "steps":[{"id":"day","wait":{"duration":"86400s"}},{"id":"mail","sendEmail":{"emailId":"{{{first}}}"}}]}
            """);
        var leads = new[] { Address(), Address(), Address() }.Select(address => (Id: Guid.CreateVersion7(), Address: address)).ToList();
        foreach (var (id, address) in leads)
        {
            await workspace.Publish(workspace.Captured(id, address));
            await Eventually.Passes(
                () => workspace.Post($"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{id}}"}"""), "the lead enters");
        }

        async Task Change(string more)
        {
            await workspace.Post($"/v1/programs/{program}:pause");
            await workspace.Call(HttpMethod.Patch, $"/v1/programs/{program}", $$"""{ {{more}} }""");
            await workspace.Post($"/v1/programs/{program}:start");
        }

        Task Due(Guid lead) => fixture.Database.Query(
            "update enrollment set due_time = now() - interval '1 second' where program_id = $1 and lead_id = $2",
            Guid.Parse(program), lead);

        var steps = $$$"""[{"id":"day","wait":{"duration":"86400s"}},{"id":"mail","sendEmail":{"emailId":"{{{second}}}"}}]""";
        await Change($"\"steps\":{steps}");
        await Due(leads[0].Id);
        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(leads[0].Address).Count), "the mail of the version entered by");
        Assert.Equal("First", fixture.Mails.To(leads[0].Address)[0].Subject);
        var versions = (await workspace.Get($"/v1/programs/{program}/versions"))["versions"]!.AsArray();
        Assert.Equal(["2 0", "1 2"], versions.Select(version => $"{version!["version"]} {version["active"]}"));

        await Change($"\"steps\":{steps},\"moveEnrollments\":true");
        await Due(leads[1].Id);
        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(leads[1].Address).Count), "the mail of the newest version");
        Assert.Equal("Second", fixture.Mails.To(leads[1].Address)[0].Subject);

        await Change("\"steps\":[{\"id\":\"other\",\"exit\":{}}],\"moveEnrollments\":true");
        await Due(leads[2].Id);
        await Eventually.Equal(
            "COMPLETED COMPLETED EXITED", async () => Join(await Enrollments(workspace, program), "state"), "the last one's step is gone");
        Assert.Equal("STEP_REMOVED", Text((await Enrollments(workspace, program))[2]!, "exitReason"));
    }

    [Fact]
    public async Task FaultyGraph_NamesEveryFaultAtOnce()
    {
        var workspace = await fixture.NewWorkspace();

        var problem = await workspace.Post("/v1/programs", """
            {"displayName":"","entryTriggers":[{"manual":{}}],
             "steps":[{"id":"a","wait":{"untilTime":{"time":"25:00","days":["MON","XXX"]}},"nextStepId":"gone"},
               {"id":"b","wait":{"duration":"1s","untilDate":{"trait":"","offsetDays":99999}}},
               {"id":"c","split":{"ways":[{"percent":50},{"percent":49,"stepId":"c"}]}},
               {"id":"d","branch":{"condition":"lead.nothing = 1"}}]}
            """, HttpStatusCode.BadRequest);

        var fields = problem["errors"]!.AsArray().Select(error => Text(error!, "field")).ToHashSet();
        string[] expected =
        [
            "displayName", "steps[0].wait.untilTime.time", "steps[0].wait.untilTime.days", "steps[0].nextStepId", "steps[1].wait",
            "steps[1].wait.untilDate.trait", "steps[1].wait.untilDate.offsetDays", "steps[2].split.ways",
            "steps[3].branch.condition", "steps[1]",
        ];
        Assert.Empty(expected.Except(fields));
        Assert.Empty((await workspace.Get("/v1/programs"))["programs"]!.AsArray());
    }

    [Fact]
    public async Task SendingPolicy_QuietHoursHoldAndCapsLeaveOut()
    {
        var workspace = await fixture.NewWorkspace();
        var (quiet, capped) = (Address(), Address());
        var now = TestWorkspace.Now;
        // Quiet from an hour ago to two hours from now, in the lead's own zone, nine hours ahead.
        var (from, to) = (now.AddHours(8).ToString("HH:mm", null), now.AddHours(11).ToString("HH:mm", null));
        var policy = $$"""{"quietFrom":"{{from}}","quietTo":"{{to}}","caps":[{"count":1,"window":"86400s"}],"onCap":"SKIP"}""";
        Assert.Equal("SKIP", Text(await workspace.Call(HttpMethod.Put, "/v1/sendingPolicy", policy), "onCap"));
        Assert.Equal(from, Text(await workspace.Get("/v1/sendingPolicy"), "quietFrom"));
        var email = await workspace.NewEmail("Hello");
        var one = await workspace.NewProgram($$$"""
            {"displayName":"One","entryTriggers":[{"leadCaptured":{}}],"steps":[{"id":"mail","sendEmail":{"emailId":"{{{email}}}"}}]}
            """);
        var two = await workspace.NewProgram($$$"""
            {"displayName":"Two","entryTriggers":[{"event":{"name":"Asked"}}],"steps":[{"id":"mail","sendEmail":{"emailId":"{{{email}}}"}},{"id":"end","goal":{}}]}
            """);
        var (inTokyo, atHome) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var tokyo = workspace.Captured(inTokyo, quiet);
        await workspace.Publish(tokyo with { Traits = new Dictionary<string, string> { ["timeZone"] = "Asia/Tokyo" } });
        await workspace.Publish(workspace.Captured(atHome, capped));

        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(capped).Count), "nobody is quiet in UTC");
        await workspace.Publish(workspace.Did(atHome, "TRACK", "Asked", TestWorkspace.Now));
        await Eventually.Equal("CONVERTED", async () => Join(await Enrollments(workspace, two), "state"), "the second program goes on");
        await Eventually.Equal(
            "SENT SKIPPED",
            async () => string.Join(' ', (await workspace.LeadEmails(atHome)).Select(mail => Text(mail!, "state")).Order()),
            "the first mail is marked as sent, the second left out");
        var due = await Eventually.Passes(
            async () =>
            {
                var held = (await Enrollments(workspace, one)).Single(enrollment => Text(enrollment!, "leadId") == inTokyo.ToString())!;
                Assert.Equal(("ACTIVE", "mail"), (Text(held, "state"), Text(held, "stepId")));
                var at = DateTimeOffset.Parse(Text(held, "dueTime"), null);
                Assert.True(at > TestWorkspace.Now.AddMinutes(30), $"{at:o}");
                return at;
            },
            "the mail waits for the morning");
        Assert.InRange(due, now.AddMinutes(118), now.AddMinutes(122));
        Assert.Empty(fixture.Mails.To(quiet));

        await workspace.Call(HttpMethod.Put, "/v1/sendingPolicy", "{}");
        await fixture.Database.Query("update enrollment set due_time = now() where lead_id = $1", inTokyo);
        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(quiet).Count), "the mail goes once it may");
        await workspace.Call(HttpMethod.Put, "/v1/sendingPolicy", """{"quietFrom":"7","caps":[{"count":0}]}""", HttpStatusCode.BadRequest);
    }

    /// <summary>By key, since events come in any order; those of one key, such as none, by their entry.</summary>
    private static async Task<JsonArray> Enrollments(TestWorkspace workspace, string program)
    {
        var answer = await workspace.Get($"/v1/programs/{program}/enrollments");
        var ordered = answer["enrollments"]!.AsArray().OrderBy(enrollment => Text(enrollment!, "key"), StringComparer.Ordinal);
        return new JsonArray(ordered.Select(enrollment => enrollment!.DeepClone()).ToArray());
    }

    private static string Join(JsonArray items, string name) => string.Join(' ', items.Select(item => Text(item!, name)));

    private static string Step(JsonNode report, string step, params string[] names)
    {
        var found = report["steps"]!.AsArray().Single(at => Text(at!, "stepId") == step)!;
        return string.Join(' ', names.Select(name => Text(found, name)));
    }

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    private static string Address() => $"ada.{Guid.CreateVersion7():N}@example.com";
}
