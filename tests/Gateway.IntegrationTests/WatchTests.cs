using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Grpc.Core;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>Streams pass the gateway as they come, and can be taken up again.</summary>
[Collection(nameof(GatewayGroup))]
public sealed class WatchTests(GatewayFixture gateway)
{
    [Fact]
    public async Task ServerSentEvents_WhileTheStreamIsOpen_ComeWithTheirIds()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/scores:watch");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Key);
        request.Headers.Add("Last-Event-ID", "s1-7");
        using var response = await gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(patience.Token));
        var lines = new List<string>();
        while (lines.Count < 2 && await reader.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Length > 0 && line[0] != ':')
            {
                lines.Add(line);
            }
        }

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("id: s1-7+1", lines[0]);
        Assert.Equal(gateway.Workspace, (string?)JsonNode.Parse(lines[1]["data: ".Length..])!["score"]!["leadId"]);
    }

    [Fact]
    public async Task Grpc_WhileTheStreamIsOpen_ComesWithItsToken()
    {
        using var call = new ScoringService.ScoringServiceClient(gateway.Channel).WatchScores(
            new() { ResumeToken = "s1-7" }, new Metadata { { "authorization", $"Bearer {gateway.Key}" } });

        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(("s1-7+1", gateway.Workspace), (call.ResponseStream.Current.ResumeToken, call.ResponseStream.Current.Score.LeadId));
    }
}
