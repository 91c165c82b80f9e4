using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

public sealed class IngestTests(CaptureFixture fixture)
{
    [Fact]
    public async Task Batch_Mixed_TakesTheSoundOnesAndNamesEveryFault()
    {
        var workspace = fixture.Workspace();

        var (status, body) = await workspace.Post("/v1/batch", new
        {
            batch = new object[]
            {
                Messages.Page("a", "2026-03-02T10:00:00Z", id: "m1"), new { type = "track", timestamp = "nope" },
                Messages.Page("a", "2026-03-02T10:00:00Z", id: "m1"), 7
            },
        });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            """{"accepted":1,"duplicates":1,"rejected":[{"index":1,"errors":["timestamp must be an ISO 8601 time such as 2026-03-31T09:30:00Z.","event is required for track.","anonymousId or userId is required."]},{"index":3,"errors":["A message must be an object."]}]}""",
            body.ToJsonString(
                new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal(1, await Activities(workspace));
    }

    [Fact]
    public async Task Batch_SentTwiceAndAtOnce_CountsOnce()
    {
        var workspace = fixture.Workspace();
        var batch = new
        {
            batch = Enumerable.Range(0, 50)
                .Select(index => Messages.Page($"d{index % 5}", Messages.At(DateTimeOffset.UnixEpoch.AddYears(56), index))).ToArray()
        };

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => workspace.Post("/v1/batch", batch)));

        Assert.Equal(50, answers.Sum(answer => answer.Body["accepted"]!.GetValue<int>()));
        Assert.Equal(250, answers.Sum(answer => answer.Body["duplicates"]!.GetValue<int>()));
        Assert.Equal(50, await Activities(workspace));
    }

    [Fact]
    public async Task Batch_OneCameBefore_TakesTheOthersAndTellsThemOnce()
    {
        // A process of its own: one that has just seen a repetition expects the next.
        await using var service = ServiceProcess.Create("Capture", ServiceEnvironment.For(fixture.Database, fixture.Broker));
        await service.Start();
        var workspace = fixture.Workspace().Through(service);
        await workspace.Batch(Messages.Page("a", "2026-03-02T10:00:00Z", id: "m1"));
        object[] batch =
        [
            Messages.Page("a", "2026-03-02T10:01:00Z", id: "m1"), Messages.Page("a", "2026-03-02T10:02:00Z", id: "m2"),
            Messages.Form("a", "2026-03-02T10:03:00Z", "ada@acme.example"),
        ];

        var first = await workspace.Post("/v1/batch", new { batch });
        var again = await workspace.Post("/v1/batch", new { batch });

        Assert.Equal((2, 1), Outcome(first.Body));
        Assert.Equal((0, 3), Outcome(again.Body));
        Assert.Equal(3, await Activities(workspace));
        var told = (await fixture.Bus.Until<ActivitiesRecorded>(1, e => e.WorkspaceId == workspace.WorkspaceId))
            .SelectMany(e => e.Activities).Select(activity => activity.ActivityId).ToArray();
        Assert.Equal((3, 3), (told.Length, told.Distinct().Count()));
    }

    [Theory]
    [InlineData("{\"batch\":[\n{\"type\":}]}", "application/json", HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "line 2, position 9")]
    [InlineData("", "application/json", HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "line 1")]
    [InlineData("[]", "application/json", HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "must be a JSON object")]
    [InlineData("{}", "application/json", HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "batch must be an array")]
    [InlineData("{\"batch\":[],\"sentAt\":5}", "application/json", HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "sentAt must be")]
    [InlineData(
        "a=b", "application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "application/json")]
    public async Task Batch_BadBody_IsAProblem(string body, string type, HttpStatusCode status, string code, string detail)
    {
        var workspace = fixture.Workspace();

        var answer = await workspace.Send(HttpMethod.Post, "/v1/batch", new StringContent(body, Encoding.UTF8, type));

        Assert.Equal((status, code), (answer.Status, answer.Body["code"]!.GetValue<string>()));
        Assert.Contains(detail, answer.Body["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_LargerThanAccepted_Is413()
    {
        var body = new StringContent(
            JsonSerializer.Serialize(new { batch = new[] { new string('a', 6 * 1024 * 1024) } }), Encoding.UTF8, "application/json");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await fixture.Workspace().Send(HttpMethod.Post, "/v1/batch", body)).Status);
    }

    [Fact]
    public async Task Batch_Gzip_IsRead()
    {
        var workspace = fixture.Workspace();
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(JsonSerializer.SerializeToUtf8Bytes(new { batch = Messages.Walk("a", "ada@acme.example") }));
        }

        var content = new ByteArrayContent(buffer.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add("gzip");

        Assert.Equal(6, (await workspace.Send(HttpMethod.Post, "/v1/batch", content)).Body["accepted"]!.GetValue<int>());
    }

    [Fact]
    public async Task Batch_MessageNestedTooDeep_IsRefusedAloneAndTheDeepestTakenReachesEveryone()
    {
        var workspace = fixture.Workspace();
        string Message(int levels) => $$$"""
            {"type":"identify","userId":"u1","traits":{"email":"ada@acme.example","deep":{{{string.Concat(Enumerable.Repeat("""{"a":""", levels))}}}1{{{new string('}', levels)}}}}}
            """;
        var body = $$"""{"batch":[{{Message(1000)}},{{Message(18)}},{{Message(19)}}]}""";

        var (status, answer) = await workspace.Send(
            HttpMethod.Post, "/v1/batch", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("1 0 2", $"{answer["accepted"]} {answer["rejected"]![0]!["index"]} {answer["rejected"]![1]!["index"]}");
        Assert.Equal("The message is nested deeper than 20 levels.", answer["rejected"]![0]!["errors"]![0]!.GetValue<string>());
        Assert.Single(await fixture.Bus.Until<Lifecycle.Contracts.ActivitiesRecorded>(1, e => e.WorkspaceId == workspace.WorkspaceId));
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(fixture.Service.Grpc);
        var headers = new Grpc.Core.Metadata
        {
            { "x-lifecycle-identity", IdentityTokens.Issue(workspace.WorkspaceId, "UTC", "USD", "capture:read") }
        };
        var lead = Assert.Single(
            (await new Lifecycle.Capture.V1.LeadService.LeadServiceClient(channel).ListLeadsAsync(new(), headers)).Leads);
        var held = await new Lifecycle.Common.V1.PersonDataService.PersonDataServiceClient(channel).ExportPersonAsync(
            new() { LeadId = lead.Id }, headers);
        Assert.Single(held.Data.Fields["activities"].ListValue.Values);
    }

    [Fact]
    public async Task Single_BadMessage_IsAProblemWithEveryFault()
    {
        var (status, body) = await fixture.Workspace().Post("/v1/track", new { timestamp = "nope" });

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["timestamp", "event", "anonymousId"], body["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Single_EachType_IsTaken()
    {
        var workspace = fixture.Workspace();
        foreach (var (type, body) in new (string, object)[]
        {
            ("page", new { anonymousId = "a" }), ("screen", new { anonymousId = "a", name = "Home" }),
            ("track", new { anonymousId = "a", @event = "Signed Up" }),
            ("identify", new { anonymousId = "a", userId = "u1" }),
            ("group", new { userId = "u1", groupId = "g", traits = new { name = "Acme", employees = 40 } }),
            ("alias", new { previousId = "u0", userId = "u1" }),
        })
        {
            Assert.Equal(1, (await workspace.Post($"/v1/{type}", body)).Body["accepted"]!.GetValue<int>());
        }

        var lead = (await workspace.Get("/v1/leads")).Body["leads"]!.AsArray().Single()!;
        Assert.Equal(("u1", "Acme", 40), (
            lead["externalId"]!.GetValue<string>(), lead["company"]!["name"]!.GetValue<string>(),
            lead["company"]!["employees"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Batch_BotsAndDenials_AreCountedAndNotKept()
    {
        var workspace = fixture.Workspace();

        await workspace.Batch(
            new
            {
                type = "page",
                anonymousId = "robot",
                timestamp = "2026-03-02T10:00:00Z",
                context = new { userAgent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" }
            },
            new
            {
                type = "page",
                anonymousId = "shy",
                timestamp = "2026-03-02T10:00:00Z",
                context = new { consent = new { categoryPreferences = new { Analytics = false } } }
            });

        Assert.Equal(0, await Activities(workspace));
        Assert.Equal([1d], await workspace.Metric("bot_hits", "2026-03-01", "2026-04-01"));
        Assert.Equal([0d], await workspace.Metric("visitors", "2026-03-01", "2026-04-01"));
    }

    [Fact]
    public async Task Batch_WithoutIdentityOrScope_IsRefused()
    {
        var workspace = fixture.Workspace();
        using var http = new HttpClient();

        using var anonymous = await http.PostAsync(
            new Uri(fixture.Service.Http, "/v1/batch"), new StringContent("{}", Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await workspace.Send(HttpMethod.Post, "/v1/batch", new StringContent("{}"), ["capture:read"])).Status);
    }

    [Fact]
    public async Task Pixel_WithAndWithoutOptOut_CountsTheFirstAlone()
    {
        var workspace = fixture.Workspace();
        foreach (var optOut in new[] { false, true })
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, new Uri(fixture.Service.Http, "/t.gif?u=https://acme.example/&a=p1"));
            request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace.WorkspaceId, "capture:write"));
            request.Headers.UserAgent.ParseAdd(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36");
            request.Headers.AcceptLanguage.ParseAdd("en");
            if (optOut)
            {
                request.Headers.Add("Sec-GPC", "1");
            }

            using var http = new HttpClient();
            using var response = await http.SendAsync(request);
            Assert.Equal("image/gif", response.Content.Headers.ContentType!.MediaType);
        }

        Assert.Equal(1, await Activities(workspace));
    }

    [Fact]
    public async Task Script_Anybody_GetsIt()
    {
        using var http = new HttpClient();

        Assert.Contains("lifecycle", await http.GetStringAsync(new Uri(fixture.Service.Http, "/t.js")), StringComparison.Ordinal);
    }

    private static (int Accepted, int Duplicates) Outcome(JsonNode answer) =>
        (answer["accepted"]!.GetValue<int>(), answer["duplicates"]!.GetValue<int>());

    private async Task<long> Activities(CaptureClient workspace) =>
        await fixture.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace.WorkspaceId);
}
