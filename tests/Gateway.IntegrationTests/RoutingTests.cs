using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;
using Lifecycle.Rpc;
using Lifecycle.Testing;

namespace Lifecycle.Gateway.IntegrationTests;

[Collection(nameof(GatewayGroup))]
public sealed class RoutingTests(GatewayFixture gateway)
{
    private Metadata Headers => new() { { "authorization", $"Bearer {gateway.Key}" } };

    [Fact]
    public async Task RestAndGrpc_ReachTheServiceWithTheCallersIdentity()
    {
        var byRest = await gateway.Get("/v1/leads/7", gateway.Key);
        var byGrpc = await new LeadService.LeadServiceClient(gateway.Channel).GetLeadAsync(new() { Id = "7" }, Headers);

        Assert.Equal(200, byRest.Status);
        Assert.Equal(byGrpc, JsonParser.Default.Parse<Lead>(byRest.Body));
        Assert.Equal(gateway.Workspace, byGrpc.ExternalId);
        Assert.EndsWith("Europe/Berlin EUR", byGrpc.Email, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IdentityTokenFromOutside_IsNotBelieved()
    {
        var token = IdentityTokens.Issue(Guid.CreateVersion7(TimeProvider.System.GetUtcNow()));

        var alone = await gateway.Get("/v1/leads/7", also: request => request.Headers.Add(IdentityToken.Header, token));
        var beside = await gateway.Get("/v1/leads/7", gateway.Key, also: request => request.Headers.Add(IdentityToken.Header, token));

        Assert.Equal(401, alone.Status);
        Assert.Equal(gateway.Workspace, (string?)beside.Json["externalId"]);
    }

    [Fact]
    public async Task ErrorsOfTheService_PassThrough()
    {
        var byRest = await gateway.Get("/v1/leads/unknown", gateway.Key);
        var byGrpc = await Assert.ThrowsAsync<RpcException>(
            async () => await new LeadService.LeadServiceClient(gateway.Channel).GetLeadAsync(new() { Id = "unknown" }, Headers));

        Assert.Equal((404, "NOT_FOUND"), (byRest.Status, (string?)byRest.Json["code"]));
        Assert.Equal((StatusCode.NotFound, (string?)byRest.Json["detail"]), (byGrpc.StatusCode, byGrpc.Status.Detail));
    }

    [Fact]
    public async Task ServiceThatIsDown_IsUnavailable()
    {
        var byRest = await gateway.Get("/v1/customers/7", gateway.Key);
        var byGrpc = await Assert.ThrowsAsync<RpcException>(
            async () => await new Retention.V1.CustomerService.CustomerServiceClient(gateway.Channel).GetCustomerAsync(
                new() { Id = "7" }, Headers));

        Assert.Equal((503, "application/problem+json", "UNAVAILABLE", "1"), (
            byRest.Status, byRest.Type, (string?)byRest.Json["code"], byRest.Headers["Retry-After"]));
        Assert.Equal(StatusCode.Unavailable, byGrpc.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/v1/nowhere", 404)]
    [InlineData("PUT", "/v1/leads/7", 405)]
    [InlineData("GET", "/v1/batch", 405)]
    public async Task UnknownPathsAndVerbs_AreProblems(string verb, string path, int status)
    {
        var answer = await gateway.Send(new HttpMethod(verb), path, gateway.Key);

        Assert.Equal((status, "application/problem+json"), (answer.Status, answer.Type));
    }

    [Fact]
    public async Task UnknownGrpcMethod_IsUnimplemented()
    {
        var marshaller = Marshallers.Create(message => message.ToByteArray(), GetLeadRequest.Parser.ParseFrom);
        var method = new Method<GetLeadRequest, GetLeadRequest>(
            MethodType.Unary, "lifecycle.common.v1.PersonDataService", "ExportPerson", marshaller, marshaller);

        var exception = await Assert.ThrowsAsync<RpcException>(
            async () => await gateway.Channel.CreateCallInvoker().AsyncUnaryCall(
                method, null, new CallOptions(Headers), new GetLeadRequest()));

        Assert.Equal(StatusCode.Unimplemented, exception.StatusCode);
    }

    [Fact]
    public async Task GrpcWithoutKey_IsUnauthenticated()
    {
        var exception = await Assert.ThrowsAsync<RpcException>(
            async () => await new LeadService.LeadServiceClient(gateway.Channel).GetLeadAsync(new() { Id = "7" }));

        Assert.Equal(StatusCode.Unauthenticated, exception.StatusCode);
    }

    [Fact]
    public async Task BodyOverTheLimit_Is413()
    {
        var large = new string(' ', 1024 * 1024 + 1);

        var rpc = await gateway.Post("/v1/leads", large, gateway.Key);
        var chunked = await gateway.Post("/v1/leads", large, gateway.Key, request => request.Headers.TransferEncodingChunked = true);
        var ingest = await gateway.Post("/v1/batch", large, gateway.Key);
        var tooLarge = await gateway.Post("/v1/batch", string.Concat(Enumerable.Repeat(large, 5)), gateway.Key);

        Assert.Equal((413, 413, 200, 413), (rpc.Status, chunked.Status, ingest.Status, tooLarge.Status));
        Assert.Equal("application/problem+json", chunked.Type);
    }

    [Fact]
    public async Task Import_IsStreamedWhateverItsSize()
    {
        var csv = new StringBuilder("email,title\n");
        for (var row = 0; row < 200_000; row++)
        {
            csv.Append("someone@example.com,Head of Something\n");
        }

        var answer = await gateway.Send(
            HttpMethod.Post, "/v1/leads:import", gateway.Key, new StringContent(csv.ToString(), Encoding.UTF8, "text/csv"));

        Assert.Equal((200, 200_000), (answer.Status, (int)answer.Json["created"]!));
    }

    [Fact]
    public async Task PublicLink_NeedsNoKey_AndKeepsTheClientsAddress()
    {
        var answer = await gateway.Get("/e/o/abc", also: request => request.Headers.Add("X-Forwarded-For", "6.6.6.6"));

        Assert.Equal((200, "127.0.0.1"), (answer.Status, (string?)answer.Json["forwardedFor"]));
        Assert.Null(answer.Json["workspace"]);
    }

    [Fact]
    public async Task Cors_AnyOriginMaySendToIngest_OthersMustBeConfigured()
    {
        Task<Answer> Preflight(string path, string origin) => gateway.Send(HttpMethod.Options, path, also: request =>
        {
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
        });

        var (ingest, configured, foreign) = (
            await Preflight("/v1/batch", "https://shop.example"), await Preflight("/v1/leads", "https://app.example.com"),
            await Preflight("/v1/leads", "https://shop.example"));

        Assert.Equal((204, "*"), (ingest.Status, ingest.Headers["Access-Control-Allow-Origin"]));
        Assert.Contains("Authorization", ingest.Headers["Access-Control-Allow-Headers"], StringComparison.Ordinal);
        Assert.Equal("https://app.example.com", configured.Headers["Access-Control-Allow-Origin"]);
        Assert.False(foreign.Headers.ContainsKey("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task EveryAnswer_HasSecurityHeadersAndATraceId()
    {
        var answer = await gateway.Get("/v1/nowhere");

        Assert.Equal(("nosniff", "no-referrer"), (answer.Headers["X-Content-Type-Options"], answer.Headers["Referrer-Policy"]));
        Assert.Equal((string?)answer.Json["traceId"], answer.Headers["X-Request-Id"]);
        Assert.False(answer.Headers.ContainsKey("Server"));
    }

    [Fact]
    public async Task Metrics_AreForwardedByService()
    {
        var answer = await gateway.Get("/v1/metrics/scoring?from=2026-01-01&to=2026-03-01&metrics=leads", gateway.Key);
        var unknown = await gateway.Get("/v1/metrics/weather?from=2026-01-01&to=2026-03-01", gateway.Key);
        var wrong = await gateway.Get("/v1/metrics/scoring?from=2026-01-01&to=2026-03-01&groupBy=colour", gateway.Key);
        var down = await gateway.Get("/v1/metrics/retention?from=2026-01-01&to=2026-03-01", gateway.Key);
        var byGrpc = await new MetricsService.MetricsServiceClient(gateway.Channel).QueryMetricsAsync(
            new() { Service = "scoring", From = "2026-01-01", To = "2026-03-01" }, Headers);

        Assert.Equal(byGrpc, JsonParser.Default.Parse<QueryMetricsResponse>(answer.Body));
        Assert.Equal((400, 400, 503), (unknown.Status, wrong.Status, down.Status));
        Assert.Equal("groupBy", (string?)wrong.Json["errors"]![0]!["field"]);
        Assert.Contains("capture, scoring, nurture, conversion, retention", unknown.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scorecard_JoinsServices_AndNamesTheOneThatIsDown()
    {
        var targets = await gateway.Send(HttpMethod.Put, "/v1/targets", gateway.Key, new StringContent(
            """{"targets":[{"service":"capture","metric":"leads","value":2},{"service":"capture","metric":"cost_per_lead","value":1,"direction":"AT_MOST"}]}""",
            Encoding.UTF8, "application/json"));

        var card = (await gateway.Get("/v1/reports/scorecard?from=2026-01-01&to=2026-04-01", gateway.Key)).Json;

        Assert.Equal(200, targets.Status);
        Assert.Equal("""["retention"]""", card["unavailable"]!.ToJsonString());
        Assert.Equal(
            ["capture", "scoring", "nurture", "conversion"], card["activities"]!.AsArray().Select(metric => (string)metric!["service"]!));
        var leads = card["outcomes"]!.AsArray().First(metric => (string?)metric!["metric"] == "leads")!["points"]!;
        var expected = """
            [{"start":"2026-01-01","value":1,"previousValue":12,"change":-0.9166666666666666,"target":2,"status":"OFF_TRACK"},
             {"start":"2026-02-01","value":2,"previousValue":1,"change":1,"target":2,"status":"ON_TRACK"},
             {"start":"2026-03-01","value":3,"previousValue":2,"change":0.5,"target":2,"status":"ON_TRACK"}]
            """;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), leads), leads.ToJsonString());
        var cost = card["outcomes"]!.AsArray().First(metric => (string?)metric!["metric"] == "cost_per_lead")!["points"]!;
        Assert.Equal(["ON_TRACK", "STATUS_UNSPECIFIED", "OFF_TRACK"], cost.AsArray().Select(point => (string)point!["status"]!));
        Assert.Null(cost[1]!["value"]);
    }

    [Fact]
    public async Task Targets_Faults_AreAllNamed_AndChangeNothing()
    {
        var before = await gateway.Get("/v1/targets", gateway.Key);

        var answer = await gateway.Send(HttpMethod.Put, "/v1/targets", gateway.Key, new StringContent(
            """{"targets":[{"service":"weather","value":2},{"service":"capture","metric":"leads"},{"service":"capture","metric":"leads"}]}""",
            Encoding.UTF8, "application/json"));

        Assert.Equal(["targets[0].service", "targets[0].metric", "targets[2]"], answer.Json["errors"]!.AsArray().Select(
            error => (string)error!["field"]!));
        Assert.Equal(before.Body, (await gateway.Get("/v1/targets", gateway.Key)).Body);
    }

    [Fact]
    public async Task OpenApi_DescribesEveryRestPath_AndIsWhole()
    {
        var answer = await gateway.Get("/openapi/v1.json");
        var paths = answer.Json["paths"]!.AsObject();
        var known = answer.Json["components"]!["schemas"]!.AsObject().Select(schema => $"#/components/schemas/{schema.Key}")
            .Append("#/components/responses/Problem").ToHashSet();

        Assert.Equal("3.1.0", (string?)answer.Json["openapi"]);
        foreach (var path in new[]
        {
            "/v1/leads", "/v1/leads/{id}:export", "/v1/scores:watch", "/v1/keys/{id}", "/v1/reports/scorecard", "/v1/batch", "/v1/calls",
            "/v1/chats", "/v1/metrics/{service}"
        })
        {
            Assert.True(paths.ContainsKey(path), path);
        }

        Assert.Equal(
            ["u", "r", "t", "a", "c"],
            paths["/t.gif"]!["get"]!["parameters"]!.AsArray().Select(parameter => (string?)parameter!["name"]));
        Assert.Equal(
            ["application/json", "application/x-www-form-urlencoded"],
            paths["/v1/calls"]!["post"]!["requestBody"]!["content"]!.AsObject().Select(content => content.Key));
        Assert.All(
            paths.SelectMany(path => path.Value!.AsObject()), operation => Assert.NotEqual("", (string?)operation.Value!["summary"]));
        Assert.DoesNotContain(References(answer.Json), reference => !known.Contains(reference));
        Assert.Equal((200, "text/html"), ((await gateway.Get("/docs")).Status, (await gateway.Get("/docs")).Type));
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject json => json.SelectMany(member => member.Key == "$ref" ? [(string)member.Value!] : References(member.Value)),
        JsonArray array => array.SelectMany(References),
        _ => [],
    };
}
