using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Segments of segments, lists, behaviour, mail and time: membership follows whatever changes.</summary>
public sealed class SegmentGraphTests(NurtureFixture fixture)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Behaviour_SpreadsAlongTheGraph_AndIsToldByEvents()
    {
        var workspace = await fixture.NewWorkspace();
        var visitors = await NewSegment(workspace, "Pricing", "count(activity.path startsWith '/pricing', 7d) >= 2");
        var vips = await NewSegment(workspace, "Big pricing", $"in_segment('{visitors}') and company.employees >= 50");
        var others = await NewSegment(workspace, "Others", $"not in_segment('{vips}')");
        var program = await workspace.NewProgram(
            $$$"""{"displayName":"VIPs","entryTriggers":[{"segmentEntered":{"segmentId":"{{{vips}}}"}}],"steps":[{"wait":{"duration":"3600s"}}]}""");
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, "graph@example.com"));
        await Eventually.Equal("|||" + lead, () => Places(workspace, visitors, vips, others), "the lead is among the others", Deadline);

        var (first, second) = (Visit(workspace, lead), Visit(workspace, lead));
        await workspace.Publish(first);
        await workspace.Publish(first with { EventId = Guid.CreateVersion7() });
        await workspace.Publish(second);

        await Eventually.Equal(
            $"|{lead}|{lead}|", () => Places(workspace, visitors, vips, others), "two visits move it through the graph", Deadline);
        await Eventually.Equal(
            "1", async () => (await workspace.Get($"/v1/programs/{program}/report"))["entered"]!.GetValue<string>(),
            "and into the program", Deadline);
        await workspace.Publish(workspace.Updated(lead, "graph@example.com", "Ada", 2, employees: 3));
        await Eventually.Equal(
            $"|{lead}||{lead}", () => Places(workspace, visitors, vips, others), "a smaller company moves it back", Deadline);

        var told = await fixture.Bus.Until<SegmentMembershipChanged>(
            6, e => e.WorkspaceId == workspace.Id && e.Entered.Concat(e.Left).Contains(lead));
        Assert.Equal(
            ["+others", "+others", "+vips", "+visitors", "-others", "-vips"],
            told.Select(e => (e.Entered.Contains(lead) ? "+" : "-") + Name(e.SegmentId)).Order(StringComparer.Ordinal));

        string Name(Guid id) => id.ToString() == visitors ? "visitors" : id.ToString() == vips ? "vips" : "others";
    }

    [Fact]
    public async Task Window_Passes_MovesTheLeadByItself()
    {
        var workspace = await fixture.NewWorkspace();
        var fresh = await NewSegment(workspace, "New", "lead.createTime within 30d");
        var old = await NewSegment(workspace, "Old", $"not in_segment('{fresh}') and exists lead.email");
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, "window@example.com", TestWorkspace.Now.AddDays(-29)));

        await fixture.Bus.Until<SegmentMembershipChanged>(1, e => e.SegmentId.ToString() == fresh && e.Entered.Contains(lead));
        // A day less a moment passes for all that is kept of the lead: how long it took to get there does not matter.
        await fixture.Database.Query(
            """
            with known as (update lead set create_time = create_time - interval '23:59:58' where workspace_id = $1 and lead_id = $2)
            update segment_timer set due_time = due_time - interval '23:59:58' where workspace_id = $1 and lead_id = $2
            """,
            workspace.Id, lead);
        await Eventually.Equal($"||{lead}", () => Places(workspace, fresh, old), "the window passes, and nothing else happens", Deadline);
        await fixture.Bus.Until<SegmentMembershipChanged>(1, e => e.SegmentId.ToString() == fresh && e.Left.Contains(lead));
    }

    [Fact]
    public async Task Mail_OpenedOrNot_IsCounted()
    {
        var workspace = await fixture.NewWorkspace();
        var email = await workspace.NewEmail();
        var cold = await NewSegment(
            workspace, "Unopened",
            $"count(email.kind = 'SENT' and email.id = '{email}') >= 1 and count(email.kind = 'OPEN' and email.id = '{email}', 30d) = 0");
        var clickers = await NewSegment(workspace, "Clicked", "count(email.kind = 'CLICK', 30d) >= 1");
        await workspace.NewProgram(
            $$$"""{"displayName":"W","entryTriggers":[{"leadCaptured":{}}],"steps":[{"id":"hello","sendEmail":{"emailId":"{{{email}}}"}}]}""");
        var (lead, name) = (Guid.CreateVersion7(), $"mail{Guid.CreateVersion7():N}@example.com");
        await workspace.Publish(workspace.Captured(lead, name));

        await Eventually.Equal($"|{lead}|", () => Places(workspace, cold, clickers), "it was sent and is not opened", Deadline);
        var mail = fixture.Mails.To(name)[0];
        using (await TestWorkspace.Visit(fixture, mail.Links[0]))
        {
            await Eventually.Equal($"|{lead}|{lead}", () => Places(workspace, cold, clickers), "a click is no opening", Deadline);
        }

        await workspace.Publish(workspace.Did(lead, "TRACK", "Email Opened", TestWorkspace.Now, $$"""{"email_id":"{{email}}"}"""));
        await Eventually.Equal(
            $"||{lead}", () => Places(workspace, cold, clickers), "an opening told by another system counts too", Deadline);
    }

    [Fact]
    public async Task List_AddRemoveImport_AndSegmentsThatAskForIt()
    {
        var workspace = await fixture.NewWorkspace();
        var (ada, bob) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await workspace.Publish(workspace.Captured(ada, "ada@example.com"));
        await workspace.Publish(workspace.Captured(bob, "bob@example.com", employees: 3));
        await Eventually.Equal(
            "2", async () => (await Preview(workspace, "exists lead.email"))["count"]!.GetValue<string>(), "both are known", Deadline);
        var list = (await workspace.Post("/v1/segments", """{"displayName":"Fair","kind":"LIST"}"""))["id"]!.GetValue<string>();
        var big = await NewSegment(workspace, "Big of the fair", $"in_segment('{list}') and company.employees >= 50");

        var added = await workspace.Post(
            $"/v1/segments/{list}/members:add", """{"emails":["ADA@example.com","nobody@example.com","bob@example.com"]}""");
        Assert.Equal((2, 0, "nobody@example.com"), (
            added["changed"]!.GetValue<int>(), added["unchanged"]!.GetValue<int>(), added["unknown"]![0]!.GetValue<string>()));
        Assert.Equal($"|{Both(ada, bob)}|{ada}", await Places(workspace, list, big));
        await workspace.Post($"/v1/segments/{list}/members:remove", $$"""{"leadIds":["{{ada}}"]}""");
        Assert.Equal($"|{bob}|", await Places(workspace, list, big));

        var file = $"email,leadId\nada@example.com,\n,{bob}\nnobody@example.com,\n,\n";
        var dry = await Import(workspace, list, file, "?dryRun=true");
        Assert.Equal($"|{bob}|", await Places(workspace, list, big));
        var answer = await Import(workspace, list, file);
        Assert.Equal(dry.ToJsonString(), answer.ToJsonString());
        Assert.Equal(
            (1, 1, 2, 4),
            (answer["created"]!.GetValue<int>(), answer["unchanged"]!.GetValue<int>(), answer["rejectedCount"]!.GetValue<int>(),
                answer["rejected"]![0]!["line"]!.GetValue<int>()));
        Assert.Equal(2, (await Import(workspace, list, file))["unchanged"]!.GetValue<int>());
        Assert.Equal($"|{Both(ada, bob)}|{ada}", await Places(workspace, list, big));

        // The one that lives on takes the other's place.
        await workspace.Publish(new LeadsMerged(Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 5, ada, bob));
        await Eventually.Equal($"|{bob}|", () => Places(workspace, list, big), "merged", Deadline);
        await workspace.Post($"/v1/segments/{big}/members:add", """{"emails":["a@example.com"]}""", HttpStatusCode.BadRequest);
        await workspace.Post(
            $"/v1/segments/{Guid.CreateVersion7()}/members:add", """{"emails":["a@example.com"]}""", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Circle_IsRefusedWithItsWay_AndWhatIsAskedForStays()
    {
        var workspace = await fixture.NewWorkspace();
        var first = await NewSegment(workspace, "First", "score.total > 10");
        var second = await NewSegment(workspace, "Second", $"in_segment('{first}')");
        var third = await NewSegment(workspace, "Third", $"in_segment('{second}') and lead.stage = 'MQL'");

        var fault = await workspace.Call(
            HttpMethod.Patch, $"/v1/segments/{first}", $$"""{"condition":"in_segment('{{third}}')"}""", HttpStatusCode.BadRequest);
        Assert.Contains("First → Third → Second → First", fault["errors"]![0]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        await workspace.Call(
            HttpMethod.Patch, $"/v1/segments/{first}", $$"""{"condition":"in_segment('{{first}}')"}""", HttpStatusCode.BadRequest);
        await workspace.Post(
            "/v1/segments", $$"""{"displayName":"X","condition":"in_segment('{{Guid.CreateVersion7()}}')"}""", HttpStatusCode.BadRequest);
        var refusal = await workspace.Call(HttpMethod.Delete, $"/v1/segments/{first}", null, HttpStatusCode.BadRequest);
        Assert.Contains("Second", refusal["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        await workspace.Call(HttpMethod.Delete, $"/v1/segments/{third}");
        await workspace.Call(HttpMethod.Delete, $"/v1/segments/{second}");
        await workspace.Call(HttpMethod.Delete, $"/v1/segments/{first}");
    }

    private static ActivitiesRecorded Visit(TestWorkspace workspace, Guid lead) => new(
        Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 1,
        [new ActivityInfo(
            Guid.CreateVersion7(), lead, "PAGE", "Pricing", TestWorkspace.Now, Guid.CreateVersion7(), "https://example.com/pricing?a=1",
            new Dictionary<string, System.Text.Json.JsonElement>())]);

    private static async Task<string> NewSegment(TestWorkspace workspace, string name, string condition) =>
        (await workspace.Post(
            "/v1/segments", new JsonObject { ["displayName"] = name, ["condition"] = condition }.ToJsonString()))["id"]!.GetValue<string>();

    private static Task<JsonObject> Preview(TestWorkspace workspace, string condition) =>
        workspace.Post("/v1/segments:preview", new JsonObject { ["condition"] = condition }.ToJsonString());

    /// <summary>Members of each segment, each list begun by a bar.</summary>
    private static async Task<string> Places(TestWorkspace workspace, params string[] segments)
    {
        var text = new StringBuilder();
        foreach (var segment in segments)
        {
            var members = (await workspace.Get($"/v1/segments/{segment}/members"))["members"]!.AsArray();
            text.Append('|').AppendJoin(',', members.Select(member => member!["leadId"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        }

        return text.ToString();
    }

    private static string Both(Guid first, Guid second) =>
        string.Join(',', new[] { first.ToString(), second.ToString() }.Order(StringComparer.Ordinal));

    private async Task<JsonObject> Import(TestWorkspace workspace, string list, string file, string query = "")
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(fixture.Service.Grpc, $"/v1/segments/{list}/members:import{query}"))
        { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace.Id));
        request.Content = new StringContent(file, Encoding.UTF8, "text/csv");
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!.AsObject();
    }
}
