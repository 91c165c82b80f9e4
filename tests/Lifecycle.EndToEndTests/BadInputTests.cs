using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Lifecycle.EndToEndTests;

/// <summary>Bad input of every kind gets the error that the contract names, with every fault, and changes nothing.</summary>
public sealed class BadInputTests(RunningSuite suite)
{
    [Fact]
    public async Task Post_MalformedJson_Is400AndSaysWhere()
    {
        using var workspace = await Workspace.Open(suite);

        var body = await Refused(
            workspace, HttpMethod.Post, "/v1/leads", Api.Raw("""{"email": "a@example.com",, }"""),
            HttpStatusCode.BadRequest, "INVALID_ARGUMENT");

        Assert.Contains("line", body.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Post_UnknownFieldsAndWrongTypes_AllAreNamed()
    {
        using var workspace = await Workspace.Open(suite);
        var content = Api.Raw(
            """{"leadId": 7, "name": "x", "amount": {"currencyCode": "USD", "amount": {}}, "colour": "red", "createTime": "yesterday"}""");

        var body = await Refused(workspace, HttpMethod.Post, "/v1/opportunities", content, HttpStatusCode.BadRequest, "INVALID_ARGUMENT");

        Assert.Superset(new HashSet<string> { "amount.amount", "colour", "createTime", "leadId" }, body["errors"]!.AsArray()
            .Select(error => error!.Text("field")).ToHashSet());
    }

    [Fact]
    public async Task Post_EveryFaultOfAValidShape_IsNamed()
    {
        using var workspace = await Workspace.Open(suite);

        var body = await Refused(
            workspace, HttpMethod.Post, "/v1/opportunities",
            Api.Json(new { leadId = "not-a-uuid", amount = new { currencyCode = "usd", amount = "12,5" } }),
            HttpStatusCode.BadRequest, "INVALID_ARGUMENT");

        Assert.Superset(
            new HashSet<string> { "leadId", "amount.currencyCode", "amount.amount" },
            body["errors"]!.AsArray().Select(error => error!.Text("field")).ToHashSet());
    }

    [Fact]
    public async Task Post_WrongContentType_Is415()
    {
        using var workspace = await Workspace.Open(suite);

        await Refused(
            workspace, HttpMethod.Post, "/v1/leads",
            new StringContent("email=a@example.com", Encoding.UTF8, "application/x-www-form-urlencoded"),
            HttpStatusCode.UnsupportedMediaType, null);
    }

    [Fact]
    public async Task Post_OversizedBody_Is413()
    {
        using var workspace = await Workspace.Open(suite);
        var content = Api.Json(new { email = "a@example.com", traits = new { note = new string('x', 8 * 1024 * 1024) } });

        await Refused(workspace, HttpMethod.Post, "/v1/leads", content, HttpStatusCode.RequestEntityTooLarge, null);
    }

    [Fact]
    public async Task Post_SameIdempotencyKeyOtherBody_Is409AndSameBodyIsTheFirstAnswer()
    {
        using var workspace = await Workspace.Open(suite);
        static void Key(HttpRequestMessage request) => request.Headers.Add("Idempotency-Key", "order-66");

        var first = await workspace.Api.Send(HttpMethod.Post, "/v1/leads", Api.Json(new { email = "a@example.com" }), Key);
        var again = await workspace.Api.Send(HttpMethod.Post, "/v1/leads", Api.Json(new { email = "a@example.com" }), Key);
        var other = await workspace.Api.Send(HttpMethod.Post, "/v1/leads", Api.Json(new { email = "b@example.com" }), Key);

        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal(first.Body!.ToJsonString(), again.Body!.ToJsonString());
        Assert.Equal((HttpStatusCode.Conflict, "ABORTED"), (other.Status, other.Body!.Text("code")));
        Assert.Single((await workspace.Api.Get("/v1/leads"))["leads"]!.AsArray());
    }

    [Fact]
    public async Task Get_NoKeyUnknownKeyWrongScope_Are401And403()
    {
        using var workspace = await Workspace.Open(suite, "capture:read");
        using var nobody = suite.Client(null);
        using var stranger = suite.Client("lk_0000000000000000000000000000000000000000000");

        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.Send(HttpMethod.Get, "/v1/leads")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.Send(HttpMethod.Get, "/v1/leads")).Status);
        var (status, body, _) = await workspace.Api.Send(HttpMethod.Post, "/v1/leads", Api.Json(new { email = "a@example.com" }));
        Assert.Equal((HttpStatusCode.Forbidden, "PERMISSION_DENIED"), (status, body!.Text("code")));
        Assert.Contains("capture:write", body!.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(0, (await workspace.Api.Get("/v1/leads"))["leads"]?.AsArray().Count ?? 0);
    }

    [Fact]
    public async Task Any_UnknownPathAndWrongVerb_AreProblems()
    {
        using var workspace = await Workspace.Open(suite);

        await Refused(workspace, HttpMethod.Get, "/v1/no-such-thing", null, HttpStatusCode.NotFound, null);
        await Refused(workspace, HttpMethod.Patch, "/v1/handoffs", Api.Json(new { }), HttpStatusCode.MethodNotAllowed, null);
    }

    [Fact]
    public async Task Batch_OneBadMessage_NeverLosesItsNeighbours()
    {
        using var workspace = await Workspace.Open(suite);
        var messages = """
            {"batch":[
              {"type":"identify","messageId":"m1","userId":"u1","traits":{"email":"good@example.com"}},
              {"type":"dance","messageId":"m2","anonymousId":"a"},
              {"type":"track","messageId":"m3","timestamp":"2226-01-01T00:00:00Z"},
              {"type":"identify","messageId":"m1","userId":"u1","traits":{"email":"good@example.com"}}]}
            """;

        var (status, body, _) = await workspace.Api.Send(HttpMethod.Post, "/v1/batch", Api.Raw(messages));

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal((1, 1), (body!.Number("accepted"), body!.Number("duplicates")));
        Assert.Equal([1, 2], body!["rejected"]!.AsArray().Select(one => one!.Number("index")));
        Assert.True(
            body!["rejected"]![1]!["errors"]!.AsArray().Count >= 2,
            "A message without event, person and with a time to come has at least two faults.");
    }

    [Fact]
    public async Task Import_FaultyRows_AreNamedByLineAndDryRunChangesNothing()
    {
        using var workspace = await Workspace.Open(suite);
        const string Csv = "email,createTime,captureType\ngood@example.com,2026-01-05T10:00:00Z,FORM\nnot-an-email,yesterday,FORM\n";

        var dry = await workspace.Api.Import("/v1/leads:import?dryRun=true", "text/csv", Csv);
        Assert.Equal((1, 3), (dry.Number("created"), dry["rejected"]![0]!.Number("line")));
        Assert.Equal(0, (await workspace.Api.Get("/v1/leads"))["leads"]?.AsArray().Count ?? 0);

        var real = await workspace.Api.Import("/v1/leads:import", "text/csv", Csv);
        Assert.Equal(1, real.Number("created"));
        Assert.Equal(2, real["rejected"]![0]!["errors"]!.AsArray().Count);
        Assert.Equal(1, (await workspace.Api.Import("/v1/leads:import", "text/csv", Csv)).Number("unchanged"));
    }

    private static async Task<JsonNode> Refused(
        Workspace workspace, HttpMethod method, string path, HttpContent? content, HttpStatusCode expected, string? code)
    {
        var (status, body, response) = await workspace.Api.Send(method, path, content);
        Assert.True(expected == status, $"{method} {path}: {(int)status} {body?.ToJsonString()}");
        Assert.Equal(new MediaTypeHeaderValue("application/problem+json").MediaType, response.Content.Headers.ContentType?.MediaType);
        Assert.True(code is null || body!.Text("code") == code, body!.ToJsonString());
        Assert.NotEqual("", body!.Text("traceId"));
        Assert.DoesNotContain("   at ", body!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(0, (await workspace.Api.Get("/v1/leads"))["leads"]?.AsArray().Count ?? 0);
        return body!;
    }
}
