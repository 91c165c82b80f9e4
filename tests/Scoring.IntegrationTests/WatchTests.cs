using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>A watch that was cut off goes on where it ended.</summary>
public sealed class WatchTests(ScoringFixture scoring)
{
    [Fact]
    public async Task Watch_Resumed_TellsWhatWasMissed()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now);
        var (kept, changed, erased, late) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var lead in new[] { kept, changed, erased })
        {
            await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
            await scoring.Bus.Until<LeadScoreChanged>(1, e => e.LeadId == lead);
        }

        var token = "";
        await foreach (var (id, message) in Events(workspace, null))
        {
            Assert.Null(message["score"]);
            token = id;
            break;
        }

        // Nobody is looking.
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(changed, now, "/pricing")));
        await scoring.Bus.Publish(Given.Erased(workspace, erased, now));
        await scoring.Bus.Until<LeadScoreChanged>(2, e => e.LeadId == changed);
        await scoring.Bus.Until<LeadErasureConfirmed>(1, e => e.LeadId == erased);

        var told = new Dictionary<Guid, double?>();
        await foreach (var (id, message) in Events(workspace, token))
        {
            if (message["score"] is { } score)
            {
                told[Guid.Parse((string)score["leadId"]!)] = (double)score["total"]!;
            }
            else if (message["removedLeadId"] is { } removed && (string)removed! != "")
            {
                told[Guid.Parse((string)removed!)] = null;
            }
            else if (told.ContainsKey(changed) && told.ContainsKey(erased))
            {
                // It goes on with what changes from here.
                token = id;
                await scoring.Bus.Publish(Given.Captured(workspace, late, now));
            }

            if (told.ContainsKey(late))
            {
                break;
            }
        }

        Assert.Equal(36.0, told[changed]);
        Assert.Null(told[erased]);
        // What changed while an older transaction was still open may be told once more.
        await foreach (var (_, message) in Events(workspace, token))
        {
            if (message["score"] is { } score && (string)score["leadId"]! == late.ToString())
            {
                break;
            }
        }
    }

    [Theory]
    [InlineData("nonsense", HttpStatusCode.BadRequest, "INVALID_ARGUMENT")]
    [InlineData("s1-7fffffffffffffff", HttpStatusCode.BadRequest, "OUT_OF_RANGE")]
    public async Task Watch_TokenOfNoWatch_IsRefused(string token, HttpStatusCode status, string code)
    {
        var (answer, body) = await scoring.Call(HttpMethod.Get, $"/v1/scores:watch?resumeToken={token}", await scoring.Workspace());

        Assert.Equal((status, code), (answer, (string)body["code"]!));
    }

    private async IAsyncEnumerable<(string Id, JsonNode Message)> Events(Guid workspace, string? lastEventId)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        using var client = ScoringFixture.Client(scoring.Service);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/scores:watch")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace));
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(deadline.Token));
        var id = "";
        while (await reader.ReadLineAsync(deadline.Token) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line["id: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                yield return (id, JsonNode.Parse(line["data: ".Length..])!);
            }
        }
    }
}
