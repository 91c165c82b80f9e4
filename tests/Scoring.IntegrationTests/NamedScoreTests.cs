using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>Several scores a lead, adjustments by hand, companies, and points that begin and end by time.</summary>
public sealed class NamedScoreTests(ScoringFixture scoring)
{
    private const string Product =
        """
        {"scoreName":"product-x","displayName":"Product X",
         "rules":[{"id":"page-view","name":"Looked at X","category":"BEHAVIOR","points":7,"condition":"activity.type = 'PAGE'"},
                  {"id":"size","name":"Size fits","category":"FIT","points":12.5,"condition":"company.employees >= 100"}],
         "thresholds":{"mql":10,"hot":30,"demote":5},"bands":[{"name":"ALL","min":0}]}
        """;

    [Fact]
    public async Task Score_OfItsOwnName_InformsAndDecidesNothing()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, now, "/pricing"), Given.Page(lead, now.AddSeconds(1), "/")));
        await Eventually.Equal(37.0, () => Total(lead, workspace), "the default score");

        Assert.Equal(
            HttpStatusCode.NotFound, (await scoring.Call(HttpMethod.Get, $"/v1/scores/{lead}?scoreName=product-x", workspace)).Status);
        var put = await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, Product);
        Assert.Equal((HttpStatusCode.OK, 1, "product-x"), (put.Status, (int)put.Body["version"]!, (string)put.Body["scoreName"]!));
        await Eventually.Equal(26.5, () => Total(lead, workspace, "?scoreName=product-x"), "known leads get the new score");

        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, now.AddSeconds(2), "/")));
        await Eventually.Equal(33.5, () => Total(lead, workspace, "?scoreName=product-x"), "activities count for it");
        Assert.Equal(38.0, await Total(lead, workspace));
        var score = await scoring.Get($"/v1/scores/{lead}?scoreName=product-x", workspace);
        Assert.Equal(("product-x", true, false), ((string)score["scoreName"]!, (bool)score["hot"]!, (bool)score["qualified"]!));
        var explained = await scoring.Get($"/v1/scores/{lead}:explain?scoreName=product-x", workspace);
        Assert.Equal(4, explained["contributions"]!.AsArray().Count);
        await Eventually.Equal(
            1, async () => (await scoring.Get("/v1/scores:top?scoreName=product-x", workspace))["scores"]?.AsArray().Count ?? 0, "ranked");
        var batch = await scoring.Post("/v1/scores:batchGet", workspace, $$"""{"leadIds":["{{lead}}"],"scoreName":"product-x"}""");
        Assert.Equal(33.5, (double)batch["scores"]![0]!["total"]!);
        Assert.Equal(
            ["default", "product-x"],
            (await scoring.Get("/v1/scoringModels", workspace))["models"]!.AsArray().Select(model => (string)model!["scoreName"]!));

        await scoring.Redis.Command("FLUSHALL");
        var rebuilt = await scoring.Post("/v1/scoring:rebuild", workspace);
        Assert.Equal("2", (string)rebuilt["leads"]!);
        Assert.Equal(33.5, await Total(lead, workspace, "?scoreName=product-x"));

        var other = Guid.CreateVersion7();
        await scoring.Bus.Publish(Given.Captured(workspace, other, now));
        await scoring.Bus.Publish(Given.Merged(workspace, lead, other, now.AddSeconds(5)));
        await Eventually.Equal(33.5, () => Total(other, workspace, "?scoreName=product-x"), "a merge moves every score");
        await Eventually.Equal(
            other.ToString(), async () => (string)(await scoring.Get($"/v1/scores/{lead}?scoreName=product-x", workspace))["leadId"]!,
            "the merged lead has none of its own");

        Assert.Equal(HttpStatusCode.OK, (await scoring.Call(HttpMethod.Delete, "/v1/scoringModels/product-x", workspace)).Status);
        Assert.Equal(
            HttpStatusCode.NotFound, (await scoring.Call(HttpMethod.Get, "/v1/scoring/model?scoreName=product-x", workspace)).Status);
        await Eventually.Equal(
            HttpStatusCode.NotFound,
            async () => (await scoring.Call(HttpMethod.Get, $"/v1/scores/{other}?scoreName=product-x", workspace)).Status, "it is ended");
        await Eventually.Equal(
            0L, () => scoring.Database.Scalar<long>(
                "select count(*) from ledger where workspace_id = $1 and score_name <> 'default'", workspace),
            "its points are gone");
        Assert.Equal(HttpStatusCode.BadRequest, (await scoring.Call(HttpMethod.Delete, "/v1/scoringModels/default", workspace)).Status);
        Assert.Equal(2, (int)(await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, Product)).Body["version"]! - 1);
        Assert.DoesNotContain(
            scoring.Bus.Received, delivery => delivery.Event is LeadQualified qualified && qualified.WorkspaceId == workspace);
    }

    [Fact]
    public async Task Agreement_AndRequirements_AreKeptWithTheVersion()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        var model = JsonNode.Parse(Product)!;
        model["scoreName"] = "default";
        model["requirements"] = JsonNode.Parse("""{"minFit":10,"minGrade":"C"}""");
        model["agreement"] = JsonNode.Parse(
            """{"definition":"Fits and looked at pricing","agreedBy":["Head of Sales","Head of Marketing"],"agreeTime":"2026-03-01T09:00:00Z"}""");
        await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model.ToJsonString());
        var kept = await scoring.Get("/v1/scoring/model?version=1", workspace);
        Assert.Equal(model["agreement"]!.ToJsonString(), kept["agreement"]!.ToJsonString());

        await scoring.Bus.Publish(Given.Captured(workspace, lead, now, employees: 20));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, now, "/a"), Given.Page(lead, now.AddSeconds(1), "/b")));
        await Eventually.Equal(14.0, () => Total(lead, workspace), "enough points, and no fit");
        await scoring.Bus.Publish(Given.Updated(workspace, lead, now, now.AddSeconds(3), 2, "CEO"));
        var qualified = Assert.Single(await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead));
        Assert.Equal(26.5m, qualified.Score);
        Assert.StartsWith("page /b, ", qualified.RecentActivities![0], StringComparison.Ordinal);
        Assert.StartsWith("The score rose from 14 to 26.5: Size fits (+12.5).", qualified.Changes![0], StringComparison.Ordinal);
        Assert.False(qualified.Hot);

        var told = (await scoring.Get($"/v1/scores/{lead}/qualifications", workspace))["qualifications"]!.AsArray();
        Assert.Equal(
            (true, 1, qualified.Changes[0]),
            ((bool)told[0]!["qualified"]!, (int)told[0]!["modelVersion"]!, (string)told[0]!["changes"]![0]!));
        model["agreement"]!["agreedBy"] = new JsonArray();
        model["requirements"]!["minGrade"] = "E";
        var bad = await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model.ToJsonString());
        Assert.Equal(
            ["model.requirements.minGrade", "model.agreement.agreedBy"],
            bad.Body["errors"]!.AsArray().Select(error => (string)error!["field"]!));
    }

    [Fact]
    public async Task Adjustment_SurvivesRescoring_AndMayBeUndone()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
        await scoring.Bus.Until<LeadScoreChanged>(1, e => e.LeadId == lead);

        const string Json = """{"points":35,"category":"BANT","reason":"Asked for an offer at the fair"}""";
        var (status, first) = await scoring.Call(HttpMethod.Post, $"/v1/scores/{lead}:adjust", workspace, Json, requestId: "once");
        var (_, again) = await scoring.Call(HttpMethod.Post, $"/v1/scores/{lead}:adjust", workspace, Json, requestId: "once");
        Assert.Equal((HttpStatusCode.OK, 65.0, 35.0), (status, (double)first["score"]!["total"]!, (double)first["score"]!["bant"]!));
        Assert.Equal(first.ToJsonString(), again.ToJsonString());
        var qualified = Assert.Single(await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead));
        Assert.StartsWith("Adjusted by hand (Asked for an offer at the fair, ", qualified.Reasons[0].Text, StringComparison.Ordinal);

        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, now, "/pricing")));
        await Eventually.Equal(71.0, () => Total(lead, workspace), "scored anew, it stays");
        var explained = await scoring.Get($"/v1/scores/{lead}:explain", workspace);
        var entry = explained["contributions"]!.AsArray().Single(one => one!["adjustmentId"] is { } given && (string)given! != "")!;
        Assert.Equal((35.0, "by:hand", (string)first["adjustment"]!["id"]!), (
            (double)entry["points"]!, (string)entry["ruleId"]!, (string)entry["adjustmentId"]!));

        var target = Guid.CreateVersion7();
        await scoring.Bus.Publish(Given.Captured(workspace, target, now, title: null, employees: null));
        await scoring.Bus.Publish(Given.Merged(workspace, lead, target, now.AddSeconds(5)));
        await Eventually.Equal(41.0, () => Total(target, workspace), "a merge takes it along");
        var undone = await scoring.Post($"/v1/scores/{lead}/adjustments/{first["adjustment"]!["id"]!}:undo", workspace);
        Assert.Equal((6.0, "key:test"), ((double)undone["score"]!["total"]!, (string)undone["adjustment"]!["undoActor"]!));
        Assert.Equal(
            undone["adjustment"]!.ToJsonString(),
            (await scoring.Post(
                $"/v1/scores/{target}/adjustments/{first["adjustment"]!["id"]!}:undo", workspace))["adjustment"]!.ToJsonString());
        Assert.NotNull((await scoring.Get($"/v1/scores/{target}/adjustments", workspace))["adjustments"]![0]!["undoTime"]);

        var bad = await scoring.Call(HttpMethod.Post, $"/v1/scores/{lead}:adjust", workspace, """{"points":0,"halfLife":"x"}""");
        Assert.Equal(["points", "reason", "halfLife"], bad.Body["errors"]!.AsArray().Select(error => (string)error!["field"]!));
        Assert.Equal(
            HttpStatusCode.NotFound, (await scoring.Call(HttpMethod.Post, $"/v1/scores/{workspace}:adjust", workspace, Json)).Status);
        await scoring.Bus.Publish(Given.Erased(workspace, target, now));
        await Eventually.Equal(
            0L, () => scoring.Database.Scalar<long>("select count(*) from adjustment where workspace_id = $1 and reason <> ''", workspace),
            "erased with the person");
    }

    [Fact]
    public async Task TimedPoints_BeginAndEndByThemselves_ReadExactlyAtOnce()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now);
        var leads = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).ToArray();
        await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace,
            """
            {"rules":[{"id":"a","name":"Looked","category":"BEHAVIOR","points":10,"condition":"activity.type = 'PAGE'","expireAfter":"4s","floor":1},
                      {"id":"b","name":"Quiet","category":"BEHAVIOR","points":-2,"condition":"inactive(6s)"}],
             "thresholds":{"mql":9,"hot":30,"demote":5},"bands":[{"name":"ALL","min":0}]}
            """);
        foreach (var lead in leads)
        {
            await scoring.Bus.Publish(Given.Captured(workspace, lead, now));
            await scoring.Bus.Publish(Given.Recorded(workspace, Given.Page(lead, now, "/")));
        }

        foreach (var lead in leads)
        {
            await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead);
        }

        foreach (var lead in leads)
        {
            var gone = Assert.Single(await scoring.Bus.Until<LeadDisqualified>(1, e => e.LeadId == lead));
            Assert.Equal(("SCORE_DECAYED", now.AddSeconds(4), 1m), (gone.Reason, gone.OccurredAt, gone.Score));
        }

        await Eventually.Equal(-1.0, async () =>
        {
            var score = await scoring.Get($"/v1/scores/{leads[0]}", workspace);
            var asOf = DateTimeOffset.Parse((string)score["asOf"]!, null);
            var total = (double)score["total"]!;

            // Whenever it is asked, before the timer or after it, the answer is that of the moment.
            Assert.Equal(asOf < now.AddSeconds(4) ? 10 : asOf < now.AddSeconds(6) ? 1 : -1, total);
            Assert.All((await scoring.Get("/v1/scores:top", workspace))["scores"]!.AsArray(), one =>
                Assert.Equal(DateTimeOffset.Parse((string)one!["asOf"]!, null) < now.AddSeconds(6) ? 1 : -1, (double)one["total"]!));
            return total;
        }, "it went quiet");
        var explained = await scoring.Get($"/v1/scores/{leads[0]}:explain", workspace);
        Assert.Equal([-2.0, 1.0], explained["contributions"]!.AsArray().Select(one => (double)one!["decayedPoints"]!));
    }

    [Fact]
    public async Task Account_Score_IsMadeOfItsLeads()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now);
        var leads = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var (index, lead) in leads.Index())
        {
            var captured = Given.Captured(workspace, lead, now, title: index == 0 ? "CEO" : "Clerk");
            await scoring.Bus.Publish(
                captured with { Company = captured.Company! with { Domain = index < 3 ? "https://www.Acme.example/" : "other.example" } });
            await scoring.Bus.Publish(Given.Recorded(
                workspace, Enumerable.Range(0, index + 1).Select(page => Given.Page(lead, now.AddMilliseconds(page), "/")).ToArray()));
        }

        await Eventually.Equal(14.0, () => Total(leads[3], workspace), "all are scored");
        await Eventually.Equal(31.0, () => Total(leads[0], workspace), "all are scored");
        await Eventually.Equal(13.0, () => Total(leads[2], workspace), "all are scored");
        await Eventually.Equal(12.0, () => Total(leads[1], workspace), "all are scored");
        var sum = await scoring.Get("/v1/accountScores/ACME.example", workspace);
        Assert.Equal((56.0, 56.0, 31.0, "Example", 3, "SUM"), (
            (double)sum["score"]!, (double)sum["sum"]!, (double)sum["max"]!, (string)sum["displayName"]!, (int)sum["leadCount"]!,
            (string)sum["method"]!));
        Assert.Equal([leads[0], leads[2], leads[1]], sum["leads"]!.AsArray().Select(lead => Guid.Parse((string)lead!["leadId"]!)));
        var top = await scoring.Get("/v1/accountScores/acme.example?method=TOP_K&k=2", workspace);
        Assert.Equal(44.0, (double)top["score"]!);
        Assert.Equal([31.0, 13.0, 0.0], top["leads"]!.AsArray().Select(lead => (double)lead!["counted"]!));
        Assert.Equal(31.0, (double)(await scoring.Get("/v1/accountScores/acme.example?method=MAX", workspace))["score"]!);

        var accounts = (await scoring.Get("/v1/accountScores:top", workspace))["accounts"]!.AsArray();
        Assert.Equal(["acme.example", "other.example"], accounts.Select(account => (string)account!["companyKey"]!));
        Assert.Single((await scoring.Get("/v1/accountScores:top?method=MAX&minScore=20", workspace))["accounts"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, (await scoring.Call(HttpMethod.Get, "/v1/accountScores/nobody.example", workspace)).Status);
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await scoring.Call(HttpMethod.Get, "/v1/accountScores/acme.example", await scoring.Workspace())).Status);
    }

    private async Task<double> Total(Guid lead, Guid workspace, string query = "")
    {
        var (status, body) = await scoring.Call(HttpMethod.Get, $"/v1/scores/{lead}{query}", workspace);
        return status == HttpStatusCode.OK ? Math.Round((double)body["total"]!, 1) : double.NaN;
    }
}
