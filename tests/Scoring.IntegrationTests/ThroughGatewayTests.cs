using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>What a client does with scores besides reading them, by REST through the gateway.</summary>
public sealed class ThroughGatewayTests(ScoringFixture scoring)
{
    private const string Product =
        """
        {"scoreName":"product-x","rules":[{"id":"visit","name":"Looked","category":"BEHAVIOR","points":7,"condition":"activity.type = 'PAGE'"}],
         "thresholds":{"mql":20,"hot":30,"demote":10},"bands":[{"name":"ALL","min":0}]}
        """;

    [Fact]
    public async Task NamedScore_PutReadRescoredEnded_ByRest()
    {
        await using var gateway = await ThroughGateway.Start(scoring);
        var lead = await Lead(gateway, Times.Now, pages: 2);

        var put = await gateway.Ask(HttpMethod.Put, "/v1/scoring/model", Product);
        Assert.Equal(("product-x", 1), ((string)put["scoreName"]!, (int)put["version"]!));
        await Eventually.Passes(
            async () =>
            {
                var progress = await gateway.Get("/v1/scoring/rescoring");
                Assert.Equal(
                    (true, "1", "1"), ((bool)progress["done"]!, (string)progress["totalLeads"]!, (string)progress["rescoredLeads"]!));
            },
            "everybody is scored anew", TimeSpan.FromSeconds(60));
        await Eventually.Equal(
            14.0, () => Total(gateway, lead, "?scoreName=product-x"), "the new score is there", TimeSpan.FromSeconds(60));
        Assert.Equal(
            ["default", "product-x"],
            (await gateway.Get("/v1/scoringModels"))["models"]!.AsArray().Select(model => (string)model!["scoreName"]!));
        var explained = await gateway.Get($"/v1/scores/{lead}:explain?scoreName=product-x");
        Assert.Equal(14.0, explained["contributions"]!.AsArray().Sum(entry => (double)entry!["decayedPoints"]!));
        await Eventually.Equal(
            lead.ToString(),
            async () => string.Join(
                ',', ((await gateway.Get("/v1/scores:top?scoreName=product-x"))["scores"]?.AsArray() ?? [])
                    .Select(score => (string)score!["leadId"]!)),
            "it is ranked", TimeSpan.FromSeconds(60));

        await gateway.Ask(HttpMethod.Delete, "/v1/scoringModels/product-x");
        Assert.Equal(404, (await gateway.Call(HttpMethod.Delete, "/v1/scoringModels/product-x")).Status);
        await Eventually.Equal(
            404, async () => (await gateway.Call(HttpMethod.Get, $"/v1/scores/{lead}?scoreName=product-x")).Status, "it is ended",
            TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Adjustment_GivenTwiceListedUndone_ByRest()
    {
        await using var gateway = await ThroughGateway.Start(scoring);
        var lead = await Lead(gateway, Times.Now, pages: 1);
        var before = await Total(gateway, lead);

        const string Json = """{"points":35,"category":"BANT","reason":"Asked for an offer at the fair"}""";
        var (status, first) = await gateway.Call(HttpMethod.Post, $"/v1/scores/{lead}:adjust", Json, requestId: "once");
        var again = await gateway.Call(HttpMethod.Post, $"/v1/scores/{lead}:adjust", Json, requestId: "once");
        Assert.Equal((200, before + 35), (status, (double)first["score"]!["total"]!));
        Assert.Equal(first.ToJsonString(), again.Body.ToJsonString());
        var other = await gateway.Call(HttpMethod.Post, $"/v1/scores/{lead}:adjust", """{"points":1,"reason":"x"}""", requestId: "once");
        Assert.Equal((409, "ABORTED"), (other.Status, (string)other.Body["code"]!));

        var listed = Assert.Single((await gateway.Get($"/v1/scores/{lead}/adjustments"))["adjustments"]!.AsArray())!;
        Assert.Equal((35.0, "Asked for an offer at the fair"), ((double)listed["points"]!, (string)listed["reason"]!));
        var undone = await gateway.Ask(HttpMethod.Post, $"/v1/scores/{lead}/adjustments/{listed["id"]!}:undo", "{}");
        Assert.Equal(before, (double)undone["score"]!["total"]!);
        var bad = await gateway.Call(HttpMethod.Post, $"/v1/scores/{lead}:adjust", """{"points":0,"halfLife":"x"}""");
        Assert.Equal((400, "INVALID_ARGUMENT"), (bad.Status, (string)bad.Body["code"]!));
        Assert.Equal(["points", "reason", "halfLife"], bad.Body["errors"]!.AsArray().Select(error => (string)error!["field"]!));
    }

    [Fact]
    public async Task Accounts_OfACompanysLeads_ByRest()
    {
        await using var gateway = await ThroughGateway.Start(scoring);
        var leads = new List<Guid>();
        foreach (var pages in new[] { 1, 2, 3 })
        {
            leads.Add(await Lead(gateway, Times.Now, pages, pages < 3 ? "acme.example" : "other.example"));
        }

        var totals = await Task.WhenAll(leads.Select(lead => Total(gateway, lead)));
        var account = await gateway.Get("/v1/accountScores/acme.example?method=TOP_K&k=1");
        Assert.Equal(
            (totals[1], totals[0] + totals[1], 2), ((double)account["score"]!, (double)account["sum"]!, (int)account["leadCount"]!));
        Assert.Equal([leads[1], leads[0]], account["leads"]!.AsArray().Select(lead => Guid.Parse((string)lead!["leadId"]!)));
        var top = (await gateway.Get("/v1/accountScores:top?method=MAX"))["accounts"]!.AsArray();
        Assert.Equal(["other.example", "acme.example"], top.Select(entry => (string)entry!["companyKey"]!));
        Assert.Equal(404, (await gateway.Call(HttpMethod.Get, "/v1/accountScores/nobody.example")).Status);
    }

    [Fact]
    public async Task Predictions_AndActivityEffect_ByRest()
    {
        await using var gateway = await ThroughGateway.Start(scoring);
        var refused = await gateway.Call(HttpMethod.Post, "/v1/scoring/predictionModel:train", "{}");
        Assert.Equal((400, "FAILED_PRECONDITION"), (refused.Status, (string)refused.Body["code"]!));
        Assert.Equal(404, (await gateway.Call(HttpMethod.Get, "/v1/scoring/predictionModel")).Status);

        var start = Times.Now.AddDays(-10);
        for (var index = 0; index < 55; index++)
        {
            await Decided(gateway, start.AddMinutes(index), index % 10 == 9 ? "content" : "demo", won: true);
            await Decided(gateway, start.AddMinutes(index), index % 10 == 9 ? "demo" : "content", won: false);
        }

        await Eventually.Equal(
            (110L, 110L, 220L),
            async () => (
                await scoring.Database.Scalar<long>(
                    "select count(*) from outcome where workspace_id = $1 and coalesce(won_time, lost_time) is not null",
                    gateway.Workspace),
                await scoring.Database.Scalar<long>(
                    "select count(*) from lead where workspace_id = $1 and profile is not null", gateway.Workspace),
                await scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", gateway.Workspace)),
            "all are decided", TimeSpan.FromSeconds(120));
        var lead = await Lead(gateway, start.AddHours(2), pages: 1);
        await scoring.Bus.Publish(Given.Recorded(gateway.Workspace, Given.Form(lead, start.AddHours(3))));
        await Eventually.Equal(
            222L, () => scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", gateway.Workspace),
            "the form is in");

        var model = await gateway.Ask(HttpMethod.Post, "/v1/scoring/predictionModel:train", "{}");
        Assert.Equal((1, 55, 55), ((int)model["version"]!, (int)model["quality"]!["wonLeads"]!, (int)model["quality"]!["lostLeads"]!));
        Assert.Equal(model.ToJsonString(), (await gateway.Get("/v1/scoring/predictionModel")).ToJsonString());
        Assert.InRange((double)(await gateway.Get($"/v1/scores/{lead}:predict"))["probability"]!, 0.7, 0.99);
        var batch = await gateway.Ask(HttpMethod.Post, "/v1/scores:batchPredict", $$"""{"leadIds":["{{lead}}","{{gateway.Workspace}}"]}""");
        Assert.Equal((1, 1), (batch["predictions"]!.AsArray().Count, batch["missingLeadIds"]!.AsArray().Count));

        var (from, to) = (start.AddDays(-1), start.AddDays(2));
        var effect = await gateway.Get($"/v1/reports/activityEffect?from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}");
        Assert.Equal((111, 55), ((int)effect["leads"]!, (int)effect["customers"]!));
        var demo = effect["activities"]!.AsArray().Single(kind => (string)kind!["type"]! == "FORM" && (string)kind["detail"]! == "demo")!;
        Assert.Equal("RAISES", (string)demo["conversion"]!["verdict"]!);
        Assert.Equal(400, (await gateway.Call(HttpMethod.Get, "/v1/reports/activityEffect?from=x")).Status);
    }

    /// <summary>A known lead that looked at so many pages.</summary>
    private async Task<Guid> Lead(ThroughGateway gateway, DateTimeOffset time, int pages, string domain = "acme.example")
    {
        var lead = Guid.CreateVersion7();
        var captured = Given.Captured(gateway.Workspace, lead, time);
        await scoring.Bus.Publish(captured with { Company = captured.Company! with { Domain = domain } });
        await scoring.Bus.Publish(Given.Recorded(
            gateway.Workspace, [.. Enumerable.Range(0, pages).Select(page => Given.Page(lead, time.AddMilliseconds(page), "/"))]));
        await Eventually.Passes(
            async () =>
            {
                var explained = await gateway.Get($"/v1/scores/{lead}:explain");
                var given = (explained["contributions"]?.AsArray() ?? []).Select(entry => (string)entry!["ruleId"]!).ToList();
                Assert.Equal(pages, given.Count(rule => rule == "page-view"));
                Assert.Contains(given, rule => rule == "fit-senior-title");
                // Redis is written after the commit.
                Assert.Equal((double)explained["score"]!["total"]!, await Total(gateway, lead));
            },
            "it is scored", TimeSpan.FromSeconds(90));
        return lead;
    }

    private async Task Decided(ThroughGateway gateway, DateTimeOffset time, string form, bool won)
    {
        var (lead, workspace) = (Guid.CreateVersion7(), gateway.Workspace);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, time));
        await scoring.Bus.Publish(Given.Recorded(
            workspace, Given.Form(lead, time.AddMinutes(1), form), Given.Page(lead, time.AddMinutes(90), "/contract")));
        await scoring.Bus.Publish(Given.Moved(workspace, lead, time.AddHours(1), 2, "LEAD", "SQL", "ACCEPTED"));
        await scoring.Bus.Publish(
            Given.Moved(workspace, lead, time.AddHours(2), 3, "SQL", won ? "CUSTOMER" : "LEAD", won ? "WON" : "LOST"));
    }

    private static async Task<double> Total(ThroughGateway gateway, Guid lead, string query = "")
    {
        var (status, body) = await gateway.Call(HttpMethod.Get, $"/v1/scores/{lead}{query}");
        return status == 200 ? (double)body["total"]! : double.NaN;
    }
}
