using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class PredictionTests(ScoringFixture scoring)
{
    private const string Train = "/v1/scoring/predictionModel:train";

    [Fact]
    public async Task Train_TooFewLeads_SaysWhatIsMissing()
    {
        var workspace = await scoring.Workspace();
        var lead = await Decided(workspace, Times.Now.AddDays(-3), "CEO", "demo", won: true);
        await Eventually.Equal(
            1L, () => scoring.Database.Scalar<long>("select count(*) from outcome where lead_id = $1 and won_time is not null", lead),
            "it is won");

        var (status, problem) = await scoring.Call(HttpMethod.Post, Train, workspace, "{}");

        Assert.Equal((HttpStatusCode.BadRequest, "FAILED_PRECONDITION"), (status, (string)problem["code"]!));
        Assert.EndsWith(
            "there are 1 won and 0 lost: 49 more won and 50 more lost are missing.", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await scoring.Call(HttpMethod.Get, "/v1/scoring/predictionModel", workspace)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await scoring.Call(HttpMethod.Get, $"/v1/scores/{lead}:predict", workspace)).Status);
    }

    [Fact]
    public async Task Train_WonAndLostLeads_PredictsByWhatWasKnownBeforeSales()
    {
        var (workspace, start) = (await scoring.Workspace(), Times.Now.AddDays(-10));
        for (var index = 0; index < 60; index++)
        {
            // Who asks for a demo buys, nine times in ten; what happens in sales' hands says it all, and must not be learnt from.
            await Decided(
                workspace, start.AddMinutes(index), index % 2 == 0 ? "CEO" : "Buyer", index % 10 == 9 ? "content" : "demo", won: true);
            await Decided(
                workspace, start.AddMinutes(index), index % 2 == 0 ? "CEO" : "Buyer", index % 10 == 9 ? "demo" : "content", won: false);
        }

        // Activities and moves have queues of their own, and the moves of a lead come in any order.
        await Eventually.Equal(
            (120L, 240L),
            async () => (
                await scoring.Database.Scalar<long>(
                    """
                    select count(*) from outcome
                    where workspace_id = $1 and sales_time < coalesce(won_time, lost_time) and profile is not null
                    """,
                    workspace),
                await scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace)),
            "all went to sales and are decided, and what they did is known");
        var lead = Guid.CreateVersion7();
        await scoring.Bus.Publish(Given.Captured(workspace, lead, start, "Buyer"));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Form(lead, start)));
        var other = Guid.CreateVersion7();
        await scoring.Bus.Publish(Given.Captured(workspace, other, start, "Buyer"));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Form(other, start, "content")));
        await Eventually.Equal(
            2L, () => scoring.Database.Scalar<long>(
                "select count(*) from lead where workspace_id = $1 and stage is null and profile is not null and exists (select from ledger where ledger.lead_id = lead.lead_id and category = 2)",
                workspace),
            "new leads");

        var first = await scoring.Call(HttpMethod.Post, Train, workspace, "{}", requestId: "one");
        Assert.Equal(HttpStatusCode.OK, first.Status);
        var model = first.Body;
        Assert.Equal(
            model.ToJsonString(), (await scoring.Call(HttpMethod.Post, Train, workspace, "{}", requestId: "one")).Body.ToJsonString());
        Assert.Equal(model.ToJsonString(), (await scoring.Get("/v1/scoring/predictionModel", workspace)).ToJsonString());

        Assert.Equal((1, 60, 60, 0.5), (
            (int)model["version"]!, (int)model["quality"]!["wonLeads"]!, (int)model["quality"]!["lostLeads"]!,
            (double)model["quality"]!["baseRate"]!));
        var features = model["features"]!.AsArray();
        Assert.Equal(4, features.Count);
        Assert.DoesNotContain(features, feature => ((string)feature!["name"]!).Contains("contract", StringComparison.OrdinalIgnoreCase));
        var demo = features.Single(
            feature => (string)feature!["condition"]! == "activity.type = 'FORM' and activity.properties.formType = 'demo'")!;
        Assert.Equal((54, 6), ((int)demo["wonLeads"]!, (int)demo["lostLeads"]!));
        Assert.InRange((double)demo["points"]!, 20, 100);
        Assert.InRange((double)model["quality"]!["auc"]!, 0.8, 0.97);

        var score = await scoring.Get($"/v1/scores/{lead}:predict", workspace);
        Assert.InRange((double)score["probability"]!, 0.8, 0.97);
        Assert.Contains(
            score["factors"]!.AsArray(), factor => (string)factor!["name"]! == "Did form: demo" && (double)factor["logOdds"]! > 0);
        var batch = await scoring.Post("/v1/scores:batchPredict", workspace, $$"""{"leadIds":["{{other}}","{{workspace}}","{{lead}}"]}""");
        Assert.Equal([other.ToString(), lead.ToString()], batch["predictions"]!.AsArray().Select(entry => (string)entry!["leadId"]!));
        Assert.InRange((double)batch["predictions"]![0]!["probability"]!, 0.03, 0.2);
        Assert.Equal([workspace.ToString()], batch["missingLeadIds"]!.AsArray().Select(id => (string)id!));

        // The draft is ready to be tried and put.
        var tried = await scoring.Post(
            "/v1/scoring/model:simulate", workspace, new JsonObject { ["model"] = model["draft"]!.DeepClone() }.ToJsonString());
        Assert.InRange((double)tried["draft"]!["precision"]!, 0.8, 1);
        Assert.Equal(
            HttpStatusCode.OK, (await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model["draft"]!.ToJsonString())).Status);
    }

    [Fact]
    public async Task Outcome_MergedAndErasedLeads_FollowTheirPerson()
    {
        var (workspace, now) = (await scoring.Workspace(), Times.Now.AddDays(-3));
        var source = await Decided(workspace, now, "CEO", "demo", won: false);
        var target = Guid.CreateVersion7();
        await scoring.Bus.Publish(Given.Captured(workspace, target, now, "CFO"));
        await Eventually.Equal(1L, () => Outcomes(source), "it is lost");

        await scoring.Bus.Publish(Given.Merged(workspace, source, target, now.AddHours(9)));
        await Eventually.Equal((0L, 1L), async () => (await Outcomes(source), await Outcomes(target)), "the outcome moved");
        Assert.Equal(
            "CEO", await scoring.Database.Scalar<string>("select profile->'traits'->>'title' from outcome where lead_id = $1", target));
        Assert.Single((await Export(workspace, target)).AsArray());

        await scoring.Bus.Publish(Given.Erased(workspace, target, now.AddHours(10)));
        await Eventually.Equal(0L, () => Outcomes(target), "it is forgotten");
    }

    private async Task<JsonNode> Export(Guid workspace, Guid lead)
    {
        using var client = ScoringFixture.Client(scoring.Service);
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(scoring.Service.Grpc);
        var answer = await new Lifecycle.Common.V1.PersonDataService.PersonDataServiceClient(channel).ExportPersonAsync(
            new() { LeadId = lead.ToString() }, new Grpc.Core.Metadata { { "x-lifecycle-identity", IdentityTokens.Issue(workspace) } });
        return JsonNode.Parse(answer.Data.ToString())!["outcomes"]!;
    }

    private Task<long> Outcomes(Guid lead) => scoring.Database.Scalar<long>("select count(*) from outcome where lead_id = $1", lead);

    /// <summary>A lead that asks by a form, goes to sales, does something there and is won or lost.</summary>
    private async Task<Guid> Decided(Guid workspace, DateTimeOffset time, string title, string form, bool won)
    {
        var lead = Guid.CreateVersion7();
        await scoring.Bus.Publish(Given.Captured(workspace, lead, time, title));
        await Eventually.Equal(
            1L, () => scoring.Database.Scalar<long>("select count(*) from lead where lead_id = $1 and profile is not null", lead),
            "it is known");
        await scoring.Bus.Publish(Given.Recorded(
            workspace, Given.Form(lead, time.AddMinutes(1), form), Given.Page(lead, time.AddMinutes(90), won ? "/contract" : "/goodbye")));
        await scoring.Bus.Publish(Given.Moved(workspace, lead, time.AddHours(1), 2, "LEAD", "SQL", "ACCEPTED"));
        await scoring.Bus.Publish(
            Given.Moved(workspace, lead, time.AddHours(2), 3, "SQL", won ? "CUSTOMER" : "LEAD", won ? "WON" : "LOST"));
        return lead;
    }
}
