using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class SimulationTests(ScoringFixture scoring)
{
    [Fact]
    public async Task Stream_MoreLeadsThanAPage_TellsProgressAndThenTheResultOfOneAnswer()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now.AddDays(-2));
        await scoring.Database.Query(
            """
            insert into lead (workspace_id, lead_id, profile_version, profile, create_time, since, stage_version, customer_time, qualified, returned, model_version, state, version, change_time)
            select $1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1,
              jsonb_build_object('createTime', $2::timestamptz, 'firstTouch', '{}'::jsonb, 'traits', '{"title": "VP Marketing"}'::jsonb), $2, '{}', 0,
              case when n % 100 = 0 then $2::timestamptz + interval '1 day' end, false, false, 0,
              jsonb_build_object('at', $2::timestamptz, 'fit', '{"constant": 20, "buckets": []}'::jsonb, 'behavior', '{"constant": 0, "buckets": []}'::jsonb, 'bant', '{"constant": 0, "buckets": []}'::jsonb),
              1, now()
            from generate_series(1, 1200) n
            """,
            workspace, now);
        await scoring.Database.Query(
            """
            insert into activity (workspace_id, activity_id, lead_id, type, name, time, properties)
            select $1, gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'FORM', 'Form Submitted',
              $2::timestamptz + case when n = 100 then interval '2 days' else interval '1 hour' end, '{"formType": "demo"}'
            from generate_series(1, 1200) n where n % 4 = 0
            """,
            workspace, now);
        var model = await scoring.Get("/v1/scoring/model", workspace);
        model["thresholds"]!["mql"] = 50;

        var messages = new List<JsonNode>();
        await foreach (var message in scoring.Post(
            "/v1/scoring/model:streamSimulation", workspace, new JsonObject { ["model"] = model.DeepClone() }))
        {
            messages.Add(message);
        }

        Assert.All(messages.SkipLast(1), message => Assert.Null(message["result"]));
        Assert.Equal(("1200", "1200", "300"), (
            (string)messages[^1]["progress"]!["leads"]!, (string)messages[^1]["progress"]!["totalLeads"]!,
            (string)messages[^1]["progress"]!["activities"]!));
        // 20 for the title, 25 and 5 for the demo request: 50 qualify by the draft, 60 are needed today. One asked when it was a customer
        // already.
        var result = messages[^1]["result"]!;
        Assert.Equal((1200, 12, 299, 11), (
            (int)result["leads"]!, (int)result["customers"]!, (int)result["draft"]!["qualified"]!,
            (int)result["draft"]!["becameCustomers"]!));
        Assert.Equal((0, 299, 11, 0), (
            (int)result["current"]!["qualified"]!, (int)result["comparison"]!["newlyQualified"]!,
            (int)result["comparison"]!["newlyQualifiedCustomers"]!, (int)result["comparison"]!["noLongerQualified"]!));
        Assert.Equal(20, result["comparison"]!["newlyQualifiedSample"]!.AsArray().Count);
        var answer = await scoring.Post(
            "/v1/scoring/model:simulate", workspace, new JsonObject { ["model"] = model.DeepClone() }.ToJsonString());
        Assert.Equal(answer.ToJsonString(), result.ToJsonString());
    }

    [Fact]
    public async Task Simulate_DraftOfANamedScore_CountsItsAdjustmentsAndIsComparedWithItsModel()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now.AddDays(-1));
        var model = JsonNode.Parse(
            """
            {"scoreName":"product-x","rules":[{"id":"page","name":"Page","category":"BEHAVIOR","points":7,"condition":"activity.type = 'PAGE'"}],
             "thresholds":{"mql":20,"hot":30,"demote":5},"bands":[{"name":"ALL","min":0}]}
            """)!;
        await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, now.AddMinutes(1), "/")));
        await Eventually.Equal(
            31.0, async () => Math.Round((double)(await scoring.Get($"/v1/scores/{lead}", workspace))["total"]!), "all is in");
        await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model.ToJsonString());
        await scoring.Post(
            $"/v1/scores/{lead}:adjust", workspace, """{"points":10,"reason":"Saw it at the fair","scoreName":"product-x"}""");

        // 7 for the page and 10 by hand: the draft asks for 15, the score's model for 20.
        model["thresholds"]!["mql"] = 15;
        Assert.Equal((1, 0), await Qualified());
        model["scoreName"] = "default";
        Assert.Equal((0, 0), await Qualified());

        async Task<(int Draft, int Current)> Qualified()
        {
            var answer = await scoring.Post(
                "/v1/scoring/model:simulate", workspace, new JsonObject { ["model"] = model.DeepClone() }.ToJsonString());
            return ((int)answer["draft"]!["qualified"]!, (int)answer["current"]!["qualified"]!);
        }
    }
}

internal static class SimulationStreams
{
    /// <summary>Posts and reads the answer's stream to its end.</summary>
    public static async IAsyncEnumerable<JsonNode> Post(this ScoringFixture scoring, string path, Guid workspace, JsonNode body)
    {
        using var client = ScoringFixture.Client(scoring.Service);
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace));
        request.Headers.Accept.Add(new("application/x-ndjson"));
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}");
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await lines.ReadLineAsync() is { } line)
        {
            if (line.Length > 0)
            {
                yield return JsonNode.Parse(line)!;
            }
        }
    }
}
