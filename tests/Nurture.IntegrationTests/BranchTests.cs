using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Programs that ask what a lead did: by the whole language of segments, and by what became of their own mails.</summary>
public sealed class BranchTests(NurtureFixture fixture)
{
    [Fact]
    public async Task Branch_CountOfBehaviourInAWindow_GoesByWhatTheLeadDid()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewProgram("""
            {"displayName":"Hot?","entryTriggers":[{"event":{"name":"Asked"}}],
             "steps":[{"id":"hot","branch":{"condition":"count(activity.path startsWith '/pricing', 7d) >= 2 and company.employees >= 50","elseStepId":"cold"}},
               {"id":"won","goal":{}},{"id":"cold","exit":{}}]}
            """);
        var (hot, cold, old) = (await Lead(workspace), await Lead(workspace), await Lead(workspace));
        await Visit(workspace, hot, TestWorkspace.Now.AddDays(-1));
        await Visit(workspace, hot, TestWorkspace.Now.AddDays(-2));
        await Visit(workspace, cold, TestWorkspace.Now.AddDays(-1));
        await Visit(workspace, old, TestWorkspace.Now.AddDays(-1));
        await Visit(workspace, old, TestWorkspace.Now.AddDays(-8));
        await Eventually.Equal(
            5L, () => fixture.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace.Id),
            "all visits are known");

        foreach (var lead in new[] { hot, cold, old })
        {
            await workspace.Publish(workspace.Did(lead, "TRACK", "Asked", TestWorkspace.Now));
        }

        await Eventually.Equal("CONVERTED", () => State(workspace, program, hot), "two visits within the window");
        await Eventually.Equal("COMPLETED", () => State(workspace, program, cold), "one visit");
        await Eventually.Equal("COMPLETED", () => State(workspace, program, old), "one visit within the window");
    }

    [Fact]
    public async Task Branch_InSegmentOrOnAListThatThePathChanged_GoesByMembership()
    {
        var workspace = await fixture.NewWorkspace();
        var fair = Text(await workspace.Post("/v1/segments", """{"displayName":"Fair","kind":"LIST"}"""), "id");
        var called = Text(await workspace.Post("/v1/segments", """{"displayName":"Called","kind":"LIST"}"""), "id");
        var (guest, stranger) = (await Lead(workspace), await Lead(workspace));
        await Eventually.Passes(
            () => workspace.Post($"/v1/segments/{fair}/members:add", $$"""{"leadIds":["{{guest}}"]}"""), "the guest is known");
        var body = $$$"""
            {"displayName":"Guests","entryTriggers":[{"event":{"name":"Asked"}}],
             "steps":[{"id":"guest","branch":{"condition":"in_segment('{{{fair}}}') and not in_segment('{{{called}}}')","elseStepId":"no"}},
               {"id":"note","updateList":{"segmentId":"{{{called}}}"}},
               {"id":"noted","branch":{"condition":"in_segment('{{{called}}}')","elseStepId":"no"}},{"id":"won","goal":{}},{"id":"no","exit":{}}]}
            """;
        var program = await workspace.NewProgram(body);

        foreach (var lead in new[] { guest, stranger })
        {
            await workspace.Publish(workspace.Did(lead, "TRACK", "Asked", TestWorkspace.Now));
        }

        await Eventually.Equal("CONVERTED", () => State(workspace, program, guest), "the guest is noted");
        await Eventually.Equal("COMPLETED", () => State(workspace, program, stranger), "the stranger is not");
        var problem = await workspace.Post(
            "/v1/programs", body.Replace(called, Guid.CreateVersion7().ToString(), StringComparison.Ordinal), HttpStatusCode.BadRequest);
        Assert.Contains("steps[0].branch.condition", problem["errors"]!.AsArray().Select(error => Text(error!, "field")));
    }

    [Fact]
    public async Task UntilEmail_Clicked_GoesOnAndTheBranchSeesTheClick_AScannerDoesNotCount()
    {
        var workspace = await fixture.NewWorkspace();
        var (email, address) = (await workspace.NewEmail("Guide"), Address());
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Guide","entryTriggers":[{"leadCaptured":{}}],
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{email}}}"}},
               {"id":"read","wait":{"untilEmail":{"engagement":"CLICK","stepId":"mail","timeout":"259200s","timeoutStepId":"no"} } },
               {"id":"keen","branch":{"condition":"count(email.kind = 'CLICK' and email.id = '{{{email}}}', 1d) >= 1","elseStepId":"no"}},
               {"id":"won","goal":{}},{"id":"no","exit":{}}]}
            """);
        var lead = await Lead(workspace, address);
        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(address).Count), "the guide");
        await Eventually.Equal("read EMAIL_CLICK", () => At(workspace, program, lead), "the lead waits");
        var mail = fixture.Mails.To(address)[0];

        using (await TestWorkspace.Visit(fixture, mail.Links[0], "curl/8.5.0"))
        {
        }

        using (await TestWorkspace.Visit(fixture, mail.Pixel))
        {
        }

        await Eventually.Equal(
            2, async () => Classified(await workspace.LeadEmails(lead)), "the scanner and the opening are judged");
        Assert.Equal("read EMAIL_CLICK", await At(workspace, program, lead));

        using (await TestWorkspace.Visit(fixture, mail.Links[0], client: "203.0.113.8"))
        {
        }

        await Eventually.Equal("CONVERTED", () => State(workspace, program, lead), "a person clicked");
    }

    [Fact]
    public async Task UntilEmail_NotOpened_GoesTheTimeoutsWay()
    {
        var workspace = await fixture.NewWorkspace();
        var (email, address) = (await workspace.NewEmail("Guide"), Address());
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Guide","entryTriggers":[{"leadCaptured":{}}],
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{email}}}"}},
               {"id":"read","wait":{"untilEmail":{"engagement":"OPEN","timeout":"259200s","timeoutStepId":"no"} } },{"id":"won","goal":{}},{"id":"no","exit":{}}]}
            """);
        var lead = await Lead(workspace, address);
        await Eventually.Equal("read EMAIL_OPEN", () => At(workspace, program, lead), "the lead waits");
        Assert.Equal("OPEN", Text((await workspace.Get($"/v1/programs/{program}"))["steps"]![1]!["wait"]!["untilEmail"]!, "engagement"));

        await Due(program);

        await Eventually.Equal("COMPLETED", () => State(workspace, program, lead), "nobody opened it");
    }

    [Fact]
    public async Task UntilEmail_OpenedBeforeTheLeadCame_IsOverAtOnce()
    {
        var workspace = await fixture.NewWorkspace();
        var (email, address) = (await workspace.NewEmail("Guide"), Address());
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Guide","entryTriggers":[{"leadCaptured":{}}],
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{email}}}"}},{"id":"day","wait":{"duration":"86400s"}},
               {"id":"read","wait":{"untilEmail":{"engagement":"OPEN","stepId":"mail","timeout":"259200s","timeoutStepId":"no"} } },{"id":"won","goal":{}},{"id":"no","exit":{}}]}
            """);
        var lead = await Lead(workspace, address);
        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(address).Count), "the guide");
        using (await TestWorkspace.Visit(fixture, fixture.Mails.To(address)[0].Pixel))
        {
        }

        await Eventually.Equal(1, async () => Classified(await workspace.LeadEmails(lead)), "the opening is judged");

        await Due(program);

        await Eventually.Equal("CONVERTED", () => State(workspace, program, lead), "it was opened before");
    }

    private static string Address() => $"branch{Guid.CreateVersion7():N}@example.com";

    /// <summary>A lead that the service knows.</summary>
    private async Task<Guid> Lead(TestWorkspace workspace, string? address = null)
    {
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, address ?? Address()));
        await Eventually.Equal(
            1L, () => fixture.Database.Scalar<long>("select profile_version from lead where lead_id = $1", lead), "the lead is known");
        return lead;
    }

    private static Task Visit(TestWorkspace workspace, Guid lead, DateTimeOffset time)
    {
        var did = workspace.Did(lead, "PAGE", "Pricing", time);
        return workspace.Publish(did with { Activities = [did.Activities[0] with { Url = "https://example.com/pricing/all" }] });
    }

    /// <summary>The present steps of all who are on their way are over.</summary>
    private async Task Due(string program) => await fixture.Database.Query(
        "update enrollment set due_time = now() - interval '1 second' where program_id = $1 and state = 'ACTIVE'", Guid.Parse(program));

    private static async Task<string> State(TestWorkspace workspace, string program, Guid lead) =>
        Text(await Enrollment(workspace, program, lead), "state");

    private static async Task<string> At(TestWorkspace workspace, string program, Guid lead)
    {
        var enrollment = await Enrollment(workspace, program, lead);
        return $"{Text(enrollment, "stepId")} {Text(enrollment, "waitsFor")}";
    }

    private static async Task<JsonNode> Enrollment(TestWorkspace workspace, string program, Guid lead) =>
        Assert.Single((await workspace.Get(
            $"/v1/programs/{program}/enrollments?filter={Uri.EscapeDataString($"leadId = \"{lead}\"")}"))["enrollments"]!.AsArray())!;

    private static int Classified(JsonArray mails) =>
        mails.Sum(mail => mail!["engagements"]!.AsArray().Count(
            one => one!["classification"]?.GetValue<string>() is not (null or "" or "CLASSIFICATION_UNSPECIFIED")));

    private static string Text(JsonNode node, string field) => node[field]?.GetValue<string>() ?? "";
}
