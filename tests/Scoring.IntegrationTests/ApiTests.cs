using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class ApiTests(ScoringFixture scoring)
{
    [Fact]
    public async Task Scores_OfAnotherWorkspace_AreNotThere()
    {
        var (workspace, stranger, lead, now) = (await scoring.Workspace(), await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
        await scoring.Bus.Until<LeadScoreChanged>(1, e => e.LeadId == lead);

        Assert.Equal(HttpStatusCode.NotFound, (await scoring.Call(HttpMethod.Get, $"/v1/scores/{lead}", stranger)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await scoring.Call(HttpMethod.Get, $"/v1/scores/{lead}:explain", stranger)).Status);
        Assert.Empty((await scoring.Get("/v1/scores:top", stranger))["scores"]?.AsArray() ?? []);
        var batch = await scoring.Post("/v1/scores:batchGet", stranger, $$"""{"leadIds":["{{lead}}"]}""");
        Assert.Equal([lead.ToString()], batch["missingLeadIds"]!.AsArray().Select(id => (string)id!));
        var own = await scoring.Post("/v1/scores:batchGet", workspace, $$"""{"leadIds":["{{stranger}}","{{lead}}"]}""");
        Assert.Equal(30.0, (double)own["scores"]!.AsArray().Single()!["total"]!);
    }

    [Theory]
    [InlineData("GET", "/v1/scores/nobody", null, "leadId")]
    [InlineData("GET", "/v1/scores:top?limit=1001", null, "limit")]
    [InlineData("GET", "/v1/scores:top?limit=x", null, "limit")]
    [InlineData("POST", "/v1/scores:batchGet", "{}", "leadIds")]
    [InlineData("POST", "/v1/scores:batchGet", """{"leadIds":["a","b"],"more":1}""", "more")]
    [InlineData("GET", "/v1/scoring/model?version=-1", null, "version")]
    [InlineData("POST", "/v1/scoring/model:simulate", """{"from":"x","to":"2026-01-01","sampleSize":2000}""", "model,sampleSize,from")]
    [InlineData("PUT", "/v1/scoring/model",
        """{"rules":[{"id":"A","condition":"lead.nope = 1","points":"Infinity"}],"bands":[{"name":"x"}]}""",
        "model.rules[0].id,model.rules[0].name,model.rules[0].category,model.rules[0].points,model.rules[0].condition,model.thresholds.mql,model.thresholds.demote,model.bands[0].name")]
    [InlineData("POST", "/v1/scoring/model:simulate",
        """{"model":{"scoreName":"No!","rules":[{"id":"a","name":"A","category":"FIT","condition":"true","points":1,"oncePer":"-5"}],"thresholds":{"mql":2,"hot":3},"bands":[{"name":"X"}]}}""",
        "model.rules[0].oncePer,model.rules[0].oncePer,model.scoreName")]
    [InlineData("PUT", "/v1/scoring/model",
        """{"rules":[{"id":"a","name":"A\u0000","category":"FIT","condition":"lead.title = 'x\u0000'","points":1}],"thresholds":{"mql":2,"hot":3},"bands":[{"name":"X"}]}""",
        "model.rules[0].name,model.rules[0].condition")]
    [InlineData("GET", "/v1/metrics/scoring?from=2026-01-01&to=2025-01-01&metrics=nope&groupBy=title", null, "metrics,groupBy,to")]
    public async Task BadInput_EveryFault_IsNamed(string method, string path, string? json, string fields)
    {
        var (status, body) = await scoring.Call(new HttpMethod(method), path, await scoring.Workspace(), json);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("INVALID_ARGUMENT", (string)body["code"]!);
        Assert.Equal(fields.Split(','), body["errors"]!.AsArray().Select(error => (string)error!["field"]!));
    }

    [Fact]
    public async Task Score_OfANameThatTheWorkspaceHasNot_IsToldApartFromAnUnknownLead()
    {
        var (workspace, lead) = (await scoring.Workspace(), Guid.CreateVersion7());
        foreach (var path in new[]
        {
            $"/v1/scores/{lead}?scoreName=typo", $"/v1/scores/{lead}:explain?scoreName=typo", "/v1/scores:top?scoreName=typo",
            "/v1/scores:watch?scoreName=typo", "/v1/accountScores/acme?scoreName=typo", "/v1/accountScores:top?scoreName=typo",
        })
        {
            await IsUnknown(HttpMethod.Get, path, null, "Score typo");
        }

        await IsUnknown(HttpMethod.Post, "/v1/scores:batchGet", $$"""{"leadIds":["{{lead}}"],"scoreName":"typo"}""", "Score typo");
        await IsUnknown(HttpMethod.Get, $"/v1/scores/{lead}", null, $"Lead {lead}");

        async Task IsUnknown(HttpMethod method, string path, string? json, string what)
        {
            var (status, body) = await scoring.Call(method, path, workspace, json);
            Assert.Equal((HttpStatusCode.NotFound, $"{what} does not exist in this workspace."), (status, (string)body["detail"]!));
        }
    }

    [Fact]
    public async Task Model_PutTwiceWithOneKey_IsOneVersionAndScoresAnew()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
        await scoring.Bus.Until<LeadScoreChanged>(1, e => e.LeadId == lead);
        var builtIn = await scoring.Get("/v1/scoring/model", workspace);
        Assert.Null(builtIn["createTime"]);
        var model = Writable(builtIn);
        model["rules"]!.AsArray().First(rule => (string)rule!["id"]! == "fit-senior-title")!["points"] = 45;
        model["categoryCaps"]!["fit"] = 70;

        var first = await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model.ToJsonString(), requestId: "one");
        var again = await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model.ToJsonString(), requestId: "one");
        Assert.Equal((HttpStatusCode.OK, 1), (first.Status, (int)first.Body["version"]!));
        Assert.Equal(first.Body.ToJsonString(), again.Body.ToJsonString());
        Assert.Equal("key:test", (string)first.Body["actor"]!);
        model["categoryCaps"]!["fit"] = 60;
        Assert.Equal(
            HttpStatusCode.Conflict,
            (await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model.ToJsonString(), requestId: "one")).Status);
        Assert.Equal(
            HttpStatusCode.Conflict,
            (await scoring.Call(HttpMethod.Put, "/v1/scoring/model?baseVersion=0", workspace, model.ToJsonString())).Status);

        // 45 + 10 for the company: scored anew in the background, and not yet enough to qualify.
        await Eventually.Equal((55.0, 1), async () =>
        {
            var score = await scoring.Get($"/v1/scores/{lead}", workspace);
            return ((double)score["total"]!, (int)score["modelVersion"]!);
        }, "the new model counts");

        model["thresholds"]!["mql"] = 50;
        var second = await scoring.Call(HttpMethod.Put, "/v1/scoring/model?baseVersion=1", workspace, model.ToJsonString());
        Assert.Equal(2, (int)second.Body["version"]!);
        var qualified = Assert.Single(await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead));
        Assert.True(qualified.OccurredAt > now);
        Assert.Equal(60.0, (double)(await scoring.Get("/v1/scoring/model", workspace))["categoryCaps"]!["fit"]!);
        Assert.Equal(70.0, (double)(await scoring.Get("/v1/scoring/model?version=1", workspace))["categoryCaps"]!["fit"]!);
    }

    [Fact]
    public async Task Simulate_Draft_TellsWhoWouldHaveQualifiedAndBought()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now.AddDays(-1));
        var leads = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var (index, lead) in leads.Index())
        {
            await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
            await scoring.Bus.Publish(Given.Recorded(workspace, Given.Form(lead, now, index < 2 ? "demo" : "contact")));
        }

        await scoring.Bus.Publish(Given.Moved(workspace, leads[0], now.AddHours(2), 3, "OPPORTUNITY", "CUSTOMER", "WON"));
        await scoring.Bus.Publish(Given.Moved(workspace, leads[2], now.AddHours(2), 3, "OPPORTUNITY", "CUSTOMER", "WON"));
        await Eventually.Equal(2L, () => scoring.Database.Scalar<long>(
            "select count(*) from lead where workspace_id = $1 and customer_time is not null", workspace), "won");
        await Eventually.Equal(
            14L, () => scoring.Database.Scalar<long>("select count(*) from ledger where workspace_id = $1", workspace), "scored");

        var draft = Writable(await scoring.Get("/v1/scoring/model", workspace));
        draft["thresholds"]!["mql"] = 45;
        var simulated = await scoring.Post("/v1/scoring/model:simulate", workspace, new JsonObject { ["model"] = draft }.ToJsonString());

        // In force: 30 + 25 + 5 = 60 qualify two, of whom one bought. The draft's 45 takes those with 30 + 15 in as well.
        Assert.Equal((4, 2), ((int)simulated["leads"]!, (int)simulated["customers"]!));
        Assert.Equal((2, 1, 0.5, 0.5), Outcome(simulated["current"]!));
        Assert.Equal((4, 2, 0.5, 1.0), Outcome(simulated["draft"]!));
        Assert.Equal(4, simulated["draft"]!["sample"]!.AsArray().Count);
        Assert.Equal(0, (int)(await scoring.Get("/v1/scoring/model", workspace))["version"]!);
    }

    private static (int Qualified, int Customers, double Precision, double Recall) Outcome(JsonNode outcome) =>
        ((int)outcome["qualified"]!, (int)outcome["becameCustomers"]!, (double)outcome["precision"]!, (double)outcome["recall"]!);

    private static JsonNode Writable(JsonNode model) => model.DeepClone();
}
