using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Capture.V1;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>Calls and chats as vendors report them.</summary>
public sealed class ReportTests(CaptureFixture fixture)
{
    [Fact]
    public async Task Call_KnownByNumber_IsOneLeadWhateverTheSpelling()
    {
        var workspace = fixture.Workspace();

        var first = await workspace.Post("/v1/calls", new
        {
            callId = "c1",
            callerNumber = "+49 30 123456",
            callerName = "Ada",
            duration = "90",
            answered = "yes",
            utm_source = "google",
            utm_medium = "cpc",
            startTime = "2026-03-02T10:00:00Z"
        });
        var again = await workspace.Post(
            "/v1/calls", new { callId = "c1", callerNumber = "+49 30 123456", startTime = "2026-03-02T10:00:00Z" });
        var second = await workspace.Send(HttpMethod.Post, "/v1/calls", new FormUrlEncodedContent(
            new Dictionary<string, string> { ["CallSid"] = "c2", ["From"] = "0049 (30) 123-456", ["Timestamp"] = "2026-03-03T10:00:00Z" }));

        Assert.Equal(("1 0", "0 1", "1 0"), (Counts(first.Body), Counts(again.Body), Counts(second.Body)));
        var lead = Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray())!;
        Assert.Equal(
            ("CALL", "Ada", "+4930123456"), (Text(lead["captureType"]), Text(lead["traits"]!["name"]), Text(lead["traits"]!["phone"])));
        Assert.Equal(("2026-03-02T10:00:00Z", "Paid Search"), (Text(lead["createTime"]), Text(lead["firstTouch"]!["channel"])));
        Assert.Equal([1d], await workspace.Metric("call_leads", "2026-03-01", "2026-04-01"));
        var activity = Assert.Single(await fixture.Database.Query(
            "select properties::text from activity where workspace_id = $1 and type = 'CALL' and time = '2026-03-02T10:00:00Z'",
            workspace.WorkspaceId));
        Assert.Equal((90, true), (
            JsonNode.Parse((string)activity[0]!)!["durationSeconds"]!.GetValue<int>(),
            JsonNode.Parse((string)activity[0]!)!["answered"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task Call_OfAVisitor_JoinsTheVisitToTheLead()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Messages.Page("anon-1", "2026-03-02T10:00:00Z", "https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring"));

        await workspace.Post("/v1/calls", new { id = "c1", from = "+4930123456", visitorId = "anon-1", time = "2026-03-02T10:03:00Z" });

        var lead = Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray())!;
        Assert.Equal(("CALL", "spring"), (Text(lead["captureType"]), Text(lead["firstTouch"]!["campaign"])));
        Assert.Equal(1, (await workspace.Get($"/v1/leads/{lead["id"]}/journey")).Body["sessionCount"]!.GetValue<int>());
    }

    [Fact]
    public async Task Call_NumberWithheld_IsAnswered200AndSaidWhy()
    {
        var workspace = fixture.Workspace();

        var (status, body) = await workspace.Post("/v1/calls", new { callId = "c1", callerNumber = "anonymous", duration = 5 });

        Assert.Equal((HttpStatusCode.OK, "0 0"), (status, Counts(body)));
        Assert.Equal(["anonymousId or userId is required."], body["rejected"]![0]!["errors"]!.AsArray().Select(Text));
        Assert.Empty((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"a\":")]
    public async Task Call_NoObject_Is400(string body) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await fixture.Workspace()
            .Send(HttpMethod.Post, "/v1/calls", new StringContent(body, System.Text.Encoding.UTF8, "application/json"))).Status);

    [Fact]
    public async Task Call_LargerThanAccepted_Is413() => Assert.Equal(
        HttpStatusCode.RequestEntityTooLarge,
        (await fixture.Workspace().Post("/v1/calls", new { from = "+4930123456", notes = new string('a', 300_000) })).Status);

    [Fact]
    public async Task Call_NeitherJsonNorForm_Is415() => Assert.Equal(
        HttpStatusCode.UnsupportedMediaType,
        (await fixture.Workspace()
            .Send(HttpMethod.Post, "/v1/calls", new StringContent("<call/>", System.Text.Encoding.UTF8, "application/xml"))).Status);

    [Fact]
    public async Task Call_HoursAheadAndHalfUnreadable_IsRecordedNow()
    {
        var workspace = fixture.Workspace();
        var ahead = TimeProvider.System.GetUtcNow().AddHours(9).ToString("yyyy-MM-dd HH:mm:ss", null);
        var body = $$"""{"callId":"c1","from":"+49 30 123456","caller_name":"\ud800","start_time":"{{ahead}}","rate":1e999}""";

        var (status, answer) = await workspace.Send(
            HttpMethod.Post, "/v1/calls", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        Assert.Equal((HttpStatusCode.OK, "1 0"), (status, Counts(answer)));
        var lead = Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray())!;
        Assert.Equal("+4930123456", Text(lead["traits"]!["phone"]));
        Assert.InRange(
            DateTimeOffset.Parse(Text(lead["createTime"]), null), TimeProvider.System.GetUtcNow().AddMinutes(-5),
            TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task Chat_WithEmail_IsALeadOfTypeChatAndSameByGrpc()
    {
        var workspace = fixture.Workspace();
        await workspace.Post("/v1/chats", new
        {
            conversationId = 7,
            visitor = new { name = "Ada", email = "Ada@Acme.Example" },
            message = "Hello",
            pageUrl = "https://acme.example/pricing?utm_source=partner"
        });

        using var channel = GrpcChannel.ForAddress(fixture.Service.Grpc);
        var headers =
            new Metadata { { "x-lifecycle-identity", IdentityTokens.Issue(workspace.WorkspaceId, "UTC", "USD", "capture:write") } };
        var same = await new ReportService.ReportServiceClient(channel).RecordChatAsync(
            new RecordChatRequest { ChatId = "7", Email = "ada@acme.example" }, headers);

        Assert.Equal((0, 1), (same.Accepted, same.Duplicates));
        var lead = Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray())!;
        Assert.Equal(
            ("CHAT", "ada@acme.example", "partner"), (Text(lead["captureType"]), Text(lead["email"]), Text(lead["firstTouch"]!["source"])));
    }

    private static string Counts(JsonNode answer) => $"{answer["accepted"]} {answer["duplicates"]}";

    private static string Text(JsonNode? node) => node!.GetValue<string>();
}
