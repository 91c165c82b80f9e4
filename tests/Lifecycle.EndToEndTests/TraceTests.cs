using System.Text.Json.Nodes;

namespace Lifecycle.EndToEndTests;

/// <summary>What the dashboard shows of a request.</summary>
public sealed class TraceTests(RunningSuite suite)
{
    [Fact]
    public async Task Ingest_OneRequest_IsOneTraceThroughGatewayCaptureBrokerScoringAndConversion()
    {
        using var workspace = await Workspace.Open(suite);
        var traceId = Guid.CreateVersion7().ToString("N");
        var now = TimeProvider.System.GetUtcNow();
        var content = Api.Json(new
        {
            batch = new object[]
            {
                new
                {
                    type = "track", @event = "Form Submitted", messageId = traceId, anonymousId = traceId, timestamp = now,
                    properties = new
                    {
                        formId = "demo",
                        formType = "demo",
                        fields = new { email = $"{traceId}@example.com", title = "VP Marketing", company = "Example", employees = 300 }
                    },
                },
            },
        });

        await workspace.Api.Send(
            HttpMethod.Post, "/v1/batch", content, request => request.Headers.Add("traceparent", $"00-{traceId}-{traceId[..16]}-01"));

        HashSet<string> services = [];
        await Eventually.True("the trace of all services", async () =>
        {
            services = ServicesOf(await suite.Trace(traceId));
            return services.IsSupersetOf(["gateway", "capture", "scoring", "conversion"]);
        });
    }

    private static HashSet<string> ServicesOf(JsonNode? trace) => trace is null ? [] :
    [
        .. trace["data"]!["resourceSpans"]!.AsArray().Select(resource => resource!["resource"]!["attributes"]!.AsArray()
            .First(attribute => attribute!.Text("key") == "service.name")!.Text("value.stringValue")),
    ];
}
