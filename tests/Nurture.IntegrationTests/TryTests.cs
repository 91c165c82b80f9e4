using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Ways into programs, and trying them before.</summary>
public sealed class TryTests(NurtureFixture fixture)
{
    [Fact]
    public async Task WorkedExampleOfTheManual_DoesWhatItsDryRunSays()
    {
        var workspace = await fixture.NewWorkspace();
        var manual = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "nurture.md"));
        var json = manual[manual.IndexOf("## Programs", StringComparison.Ordinal)..].Split("```json\n")[1].Split("```")[0];
        foreach (var name in new[] { "WELCOME", "SHORT", "LONG" })
        {
            json = json.Replace($"<{name}>", await workspace.NewEmail(name), StringComparison.Ordinal);
        }

        var program = Text(await workspace.Post("/v1/programs", json), "id");
        var (big, small, address) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Address());
        await workspace.Publish(workspace.Captured(big, address, employees: 250));
        await workspace.Publish(workspace.Captured(small, Address(), employees: 5));
        var tried = await Eventually.Passes(
            async () =>
            {
                var answer = await workspace.Post(
                    $"/v1/programs/{program}:dryRun", $$"""{"leadIds":["{{big}}","{{small}}"],"emails":["nobody@example.com"]}""");
                Assert.Equal(["", "", "Lead nobody@example.com does not exist in this workspace."], Texts(answer["leads"]!, "refusal"));
                return answer["leads"]!.AsArray();
            },
            "both leads are known");

        var steps = tried[0]!["steps"]!.AsArray();
        var mail = new[] { "short", "long" }.Single(way => Texts(steps, "stepId").Contains(way));
        Assert.Equal(["hello", "used", "test", mail, "morning", "fit", "mark", "sell"], Texts(steps, "stepId"));
        Assert.Equal(["CONVERTED", "COMPLETED"], tried.Take(2).Select(lead => Text(lead!, "state")));
        var times = steps.Select(step => DateTimeOffset.Parse(Text(step!, "time"), null)).ToList();
        Assert.Equal(times.Order(), times);
        // Three days without a report, then the next Tuesday to Thursday at nine.
        Assert.Equal(TimeSpan.FromDays(3), times[2] - times[1]);
        Assert.Equal((9, 0), (times[5].Hour, times[5].Minute));
        Assert.InRange(times[5].DayOfWeek, DayOfWeek.Tuesday, DayOfWeek.Thursday);
        Assert.Empty(fixture.Mails.To(address));

        await workspace.Post($"/v1/programs/{program}:start");
        foreach (var lead in new[] { big, small })
        {
            await workspace.Publish(workspace.Did(lead, "TRACK", "Trial Started", TestWorkspace.Now, """{"trial_id":"t1"}"""));
        }

        await Eventually.Equal(
            "used used", async () => string.Join(' ', Texts(await Enrollments(workspace, program), "stepId")), "both wait");
        foreach (var lead in new[] { big, small })
        {
            await workspace.Publish(workspace.Did(lead, "TRACK", "Report Made", TestWorkspace.Now, """{"trial_id":"t1"}"""));
        }

        await Eventually.Equal(
            "COMPLETED CONVERTED", async () => string.Join(' ', Texts(await Enrollments(workspace, program), "state").Order()), "both end");
        await Eventually.Equal(
            "Trial of a company that fits",
            () => Task.FromResult(fixture.Peers.Moves.FirstOrDefault(move => move.LeadId == big.ToString())?.Note ?? ""),
            "sales hear of it");
        await Eventually.Equal(
            "WELCOME", () => Task.FromResult(string.Join(' ', fixture.Mails.To(address).Select(sent => sent.Subject))), "one mail");
        Assert.DoesNotContain(fixture.Peers.Moves, move => move.LeadId == small.ToString());
    }

    [Fact]
    public async Task BatchAndLists_BringLeadsIntoProgramsOnce()
    {
        var workspace = await fixture.NewWorkspace();
        var list = Text(await workspace.Post("/v1/segments", """{"displayName":"Fair","kind":"LIST"}"""), "id");
        var listing = await workspace.NewProgram($$$"""
            {"displayName":"Onto the list","entryTriggers":[{"manual":{}}],
             "steps":[{"id":"add","updateList":{"segmentId":"{{{list}}}"}},{"id":"year","wait":{"duration":"8640000s"}},
               {"id":"off","updateList":{"segmentId":"{{{list}}}","remove":true}}]}
            """);
        var fair = await workspace.NewProgram($$$"""
            {"displayName":"Fair","entryTriggers":[{"segmentEntered":{"segmentId":"{{{list}}}"}}],"steps":[{"id":"year","wait":{"duration":"8640000s"}}]}
            """);
        var later = await workspace.NewProgram(
            """{"displayName":"Later","entryTriggers":[{"manual":{}}],"steps":[{"id":"end","exit":{}}]}""");
        var (one, two, address) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Address());
        await workspace.Publish(workspace.Captured(one, Address()));
        await workspace.Publish(workspace.Captured(two, address));
        await Eventually.Equal(
            2L, () => fixture.Database.Scalar<long>(
                "select count(*) from lead where workspace_id = $1 and profile_version > 0", workspace.Id), "both");

        var body = $$"""{"leadIds":["{{one}}"],"emails":["{{address}}","nobody@example.com"]}""";
        var answer = await workspace.Post($"/v1/programs/{listing}/enrollments:batchCreate", body);
        Assert.Equal(("2", "nobody@example.com"), (answer["entered"]!.ToString(), Text(answer["refused"]![0]!, "lead")));
        var again = await workspace.Post($"/v1/programs/{listing}/enrollments:batchCreate", body);
        Assert.Equal(("0", 3), (again["entered"]!.ToString(), again["refused"]!.AsArray().Count));

        await Eventually.Equal(
            2, async () => (await workspace.Get($"/v1/segments/{list}/members"))["members"]!.AsArray().Count, "both are listed");
        await Eventually.Equal(2, async () => (await Enrollments(workspace, fair)).Count, "the list brings them into the other program");
        var bySegment = await workspace.Post($"/v1/programs/{later}/enrollments:batchCreate", $$"""{"segmentId":"{{list}}"}""");
        Assert.Equal(("2", ""), (bySegment["entered"]!.ToString(), Text(bySegment, "nextPageToken")));
        Assert.All(Texts(await Enrollments(workspace, later), "trigger"), trigger => Assert.Equal("IMPORT", trigger));
        await fixture.Database.Query(
            "update enrollment set due_time = now() - interval '1 second' where program_id = $1 and lead_id = $2",
            Guid.Parse(listing), one);
        await Eventually.Equal(
            1, async () => (await workspace.Get($"/v1/segments/{list}/members"))["members"]!.AsArray().Count, "one leaves the list");
        await workspace.Post(
            $"/v1/programs/{later}/enrollments:batchCreate", """{"leadIds":["x"],"segmentId":"y"}""", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task FormScoreAndFilteredEvent_EnterThoseWhoFit()
    {
        var workspace = await fixture.NewWorkspace();
        async Task<string> New(string trigger) => await workspace.NewProgram(
            $$$"""{"displayName":"P","entryTriggers":[{{{trigger}}}],"steps":[{"id":"year","wait":{"duration":"8640000s"}}]}""");
        var form = await New("""{"formSubmitted":{"formType":"demo"}}""");
        var score = await New("""{"scoreReached":{"min":50}}""");
        var hot = await New("""{"scoreReached":{"band":"HOT"}}""");
        var filtered = await New("""{"event":{"name":"Viewed","condition":"activity.properties.plan = \"pro\""}}""");
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, Address()));
        await workspace.Publish(workspace.Did(lead, "FORM", "Form Submitted", TestWorkspace.Now, """{"formType":"contact"}"""));
        await workspace.Publish(workspace.Did(lead, "TRACK", "Viewed", TestWorkspace.Now, """{"plan":"free"}"""));
        await workspace.Publish(Scored(workspace, lead, 49, "WARM", 1));
        await workspace.Publish(workspace.Did(lead, "FORM", "Form Submitted", TestWorkspace.Now, """{"formType":"Demo"}"""));
        await workspace.Publish(workspace.Did(lead, "TRACK", "Viewed", TestWorkspace.Now, """{"plan":"pro"}"""));
        await workspace.Publish(Scored(workspace, lead, 51, "WARM", 2));
        await workspace.Publish(Scored(workspace, lead, 52, "HOT", 3));

        foreach (var (program, trigger) in new[] { (form, "FORM"), (score, "SCORE"), (hot, "SCORE"), (filtered, "EVENT") })
        {
            await Eventually.Equal(
                trigger, async () => string.Join(' ', Texts(await Enrollments(workspace, program), "trigger")), $"by {trigger}");
        }
    }

    [Fact]
    public async Task SendTest_OfAProgram_SendsEachOfItsMailsOnce()
    {
        var workspace = await fixture.NewWorkspace();
        var (one, two, to) = (await workspace.NewEmail("One"), await workspace.NewEmail("Two"), Address());
        var program = Text(await workspace.Post("/v1/programs", $$$"""
            {"displayName":"P","entryTriggers":[{"manual":{}}],
             "steps":[{"id":"a","sendEmail":{"emailId":"{{{one}}}"}},{"id":"b","sendEmail":{"emailId":"{{{two}}}"}}]}
            """), "id");

        var body = $$"""{"to":"{{to}}","requestId":"{{Guid.CreateVersion7()}}"}""";
        var answer = await workspace.Post($"/v1/programs/{program}:sendTest", body);
        var again = await workspace.Post($"/v1/programs/{program}:sendTest", body);

        Assert.Equal(answer.ToJsonString(), again.ToJsonString());
        Assert.Equal(["[Test] One", "[Test] Two"], fixture.Mails.To(to).Select(mail => mail.Subject));
    }

    private static LeadScoreChanged Scored(TestWorkspace workspace, Guid lead, decimal total, string band, long version) =>
        new(Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, version, lead, total, total, 0, 0, "B", band, 1);

    private static async Task<JsonArray> Enrollments(TestWorkspace workspace, string program) =>
        (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray();

    private static List<string> Texts(JsonNode items, string name) => [.. items.AsArray().Select(item => Text(item!, name))];

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    private static string Address() => $"ada.{Guid.CreateVersion7():N}@example.com";
}
