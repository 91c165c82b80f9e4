using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Lifecycle.Shared.IntegrationTests.Rpc;

public sealed class RestTests(RpcHost host) : IClassFixture<RpcHost>
{
    [Fact]
    public async Task Get_PathParameter_ReachesTheMethod()
    {
        var answer = await host.Send(HttpMethod.Get, "/v1/parcels/a%20b%2fc", RpcHost.Reader);

        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json", answer.Type);
        var json = JsonNode.Parse(answer.Body)!;
        Assert.Equal("a b/c", (string?)json["id"]);
        Assert.Equal("key:7", (string?)json["note"]);
        Assert.Equal("0", (string?)json["grams"]);
        Assert.Null(json["sendTime"]);
    }

    [Fact]
    public async Task Get_CustomVerb_WinsOverThePlainPath()
    {
        var answer = await host.Send(HttpMethod.Get, "/v1/parcels/7:export", RpcHost.Reader);

        var json = JsonNode.Parse(answer.Body)!;
        Assert.Equal(("7", "export"), ((string?)json["id"], (string?)json["note"]));
    }

    [Fact]
    public async Task Post_CustomVerbWithoutBody_AnswersEmptyObject()
    {
        var answer = await host.Send(HttpMethod.Post, "/v1/parcels/7:close", RpcHost.Writer);

        Assert.Equal((200, "{}"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task Get_Query_BindsNestedRepeatedAndTypedValues()
    {
        var answer = await host.Send(
            HttpMethod.Get,
            "/v1/parcels?labels=a,b&labels=c&state=SENT&pieces.low=2&pieces.high=5&from=2026-03-31T12:00:00Z&fragile=true&sizes=1,2&grams=9007199254740993&sealed=false",
            RpcHost.Reader);

        Assert.Equal(200, answer.Status);
        var expected = """
            {"labels":["a","b","c"],"state":"SENT","pieces":{"low":2,"high":5},"from":"2026-03-31T12:00:00Z","fragile":true,"sizes":[1,2],"grams":"9007199254740993","sealed":false}
            """;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(answer.Body)), answer.Body);
    }

    [Fact]
    public async Task Get_WrongQuery_NamesEveryFault()
    {
        var answer = await host.Send(
            HttpMethod.Get, "/v1/parcels?colour=red&state=LOST&pieces=4&from=yesterday&fragile=maybe&grams=1&grams=2", RpcHost.Reader);

        Assert.Equal(400, answer.Status);
        Assert.Equal("application/problem+json", answer.Type);
        Assert.Equal(["colour", "pieces", "grams", "state", "from", "fragile"], Fields(answer));
        Assert.Contains("OPEN, SENT", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_WrongBody_NamesEveryFaultWithItsPath()
    {
        var answer = await Post("""
            {"state":"LOST","pieces":"many","grams":1.5,"volume":"wide","fragile":"yes","seal":"***","sendTime":"2026-02-30T00:00:00Z","transit":"1 h",
             "labels":["a",1],"marks":{"k":2},"price":{"currency":"EUR"},"street":"x","box":"y","inner":[{"pieces":1},{"pieces":true}],"slots":{"x":{}},"nope":1}
            """);

        Assert.Equal(400, answer.Status);
        Assert.Equal(
            ["state", "pieces", "grams", "volume", "fragile", "seal", "sendTime", "transit", "labels[1]", "marks.k", "price.currency",
                "box", "inner[1].pieces", "slots.x", "nope"],
            Fields(answer));
    }

    [Fact]
    public async Task Post_MalformedJson_TellsWhere()
    {
        var answer = await Post("{\n  \"pieces\": ]\n}");

        Assert.Equal(400, answer.Status);
        Assert.Contains("line 2, position 13", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_Everything_ComesBackAsSent()
    {
        const string Body = """
            {"id":"7","state":"OPEN","pieces":3,"grams":"4","volume":0.5,"fragile":true,"seal":"AQI=","sendTime":"2026-03-31T12:00:00.250Z","transit":"90s","labels":["a"],
             "marks":{"k":"v"},"price":{"currencyCode":"EUR","amount":"1.20"},"note":"n","street":"s","extra":{"any":[1,"two"]},"floor":4,"inner":[],"requestId":"r","slots":{}}
            """;

        var answer = await Post(Body);

        Assert.Equal(200, answer.Status);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Body), JsonNode.Parse(answer.Body)), answer.Body);
    }

    [Fact]
    public async Task Post_ViolationsOfTheMethod_ComeAsErrors()
    {
        var answer = await Post("""{"pieces":-1,"grams":-2}""");

        Assert.Equal(400, answer.Status);
        Assert.Equal(["pieces", "grams"], Fields(answer));
        Assert.Equal("INVALID_ARGUMENT", (string?)JsonNode.Parse(answer.Body)!["code"]);
        Assert.Equal("The request has 2 faults.", (string?)JsonNode.Parse(answer.Body)!["detail"]);
    }

    [Fact]
    public async Task Post_IdempotencyKey_BecomesRequestId()
    {
        var answer = await host.Send(
            HttpMethod.Post, "/v1/parcels", RpcHost.Writer, Json("{}"), request => request.Headers.Add("Idempotency-Key", "once"));
        var differing = await host.Send(
            HttpMethod.Post, "/v1/parcels", RpcHost.Writer, Json("""{"requestId":"other"}"""),
            request => request.Headers.Add("Idempotency-Key", "once"));

        Assert.Equal("once", (string?)JsonNode.Parse(answer.Body)!["requestId"]);
        Assert.Equal(400, differing.Status);
    }

    [Fact]
    public async Task Patch_WithoutMask_MasksWhatTheBodyShows()
    {
        var answer = await host.Send(HttpMethod.Patch, "/v1/parcels/7", RpcHost.Writer, Json("""{"pieces":2,"sendTime":null}"""));

        var json = JsonNode.Parse(answer.Body)!;
        Assert.Equal("7", (string?)json["parcel"]!["id"]);
        Assert.Equal("pieces,sendTime", (string?)json["updateMask"]);
    }

    [Theory]
    [InlineData("GET", "/v1/nowhere", null, 404, "NOT_FOUND")]
    [InlineData("PUT", "/v1/parcels", null, 405, "METHOD_NOT_ALLOWED")]
    [InlineData("POST", "/v1/parcels", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE")]
    [InlineData("POST", "/v1/parcels:import", "application/json", 415, "UNSUPPORTED_MEDIA_TYPE")]
    [InlineData("GET", "/v1/failures/not-found", null, 404, "NOT_FOUND")]
    [InlineData("GET", "/v1/failures/precondition", null, 400, "FAILED_PRECONDITION")]
    [InlineData("GET", "/v1/failures/exists", null, 409, "ALREADY_EXISTS")]
    [InlineData("GET", "/v1/failures/exhausted", null, 429, "RESOURCE_EXHAUSTED")]
    public async Task Refusals_AreProblems(string verb, string path, string? contentType, int status, string code)
    {
        var body = contentType is null ? null : new StringContent("{}", new MediaTypeHeaderValue(contentType));

        var answer = await host.Send(new HttpMethod(verb), path, RpcHost.Writer, body);

        Assert.Equal((status, "application/problem+json"), (answer.Status, answer.Type));
        var json = JsonNode.Parse(answer.Body)!;
        Assert.Equal(code, (string?)json["code"]);
        Assert.Equal(status, (int?)json["status"]);
        Assert.Equal(32, ((string?)json["traceId"])!.Length);
        Assert.Equal(status == 429 ? "3" : null, answer.Headers.GetValueOrDefault("Retry-After"));
    }

    [Theory]
    [InlineData("bug", 500, "INTERNAL")]
    [InlineData("downstream-not-found", 500, "INTERNAL")]
    [InlineData("downstream-unavailable", 503, "UNAVAILABLE")]
    [InlineData("downstream-slow", 504, "DEADLINE_EXCEEDED")]
    [InlineData("stray-cancel", 500, "INTERNAL")]
    public async Task Outages_TellTheTraceAndNothingElse(string how, int status, string code)
    {
        var answer = await host.Send(HttpMethod.Get, $"/v1/failures/{how}", RpcHost.Reader);

        var json = JsonNode.Parse(answer.Body)!;
        Assert.Equal((status, code), (answer.Status, (string?)json["code"]));
        Assert.Contains((string?)json["traceId"] ?? "-", (string?)json["detail"], StringComparison.Ordinal);
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("row", answer.Body, StringComparison.Ordinal);
        Assert.Contains(host.Errors, line => line.Contains((string)json["traceId"]!, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_BodyOverTheLimit_Is413(bool chunked)
    {
        var body = Json($"{{\"note\":\"{new string('x', 30_000)}\"}}");

        var answer = await host.Send(
            HttpMethod.Post, "/v1/parcels", RpcHost.Writer, body, request => request.Headers.TransferEncodingChunked = chunked);

        Assert.Equal((413, "application/problem+json"), (answer.Status, answer.Type));
    }

    private Task<Answer> Post(string json) => host.Send(HttpMethod.Post, "/v1/parcels", RpcHost.Writer, Json(json));

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    private static IEnumerable<string> Fields(Answer answer) =>
        JsonNode.Parse(answer.Body)!["errors"]!.AsArray().Select(error => (string)error!["field"]!);
}
