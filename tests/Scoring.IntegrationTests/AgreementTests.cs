using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>Ledger, Redis and replay agree, whatever order things come in.</summary>
public sealed class AgreementTests(ScoringFixture scoring)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AnyOrder_WithMergesModelsAndDuplicates_LedgerRedisAndReplayAgree(int seed)
    {
        var (first, second) = (await scoring.Workspace(), await scoring.Workspace());
        var scenario = new Scenario(seed, first, Times.Now.AddDays(-30), leads: 12, activities: 150);
        foreach (var workspace in new[] { first, second })
        {
            foreach (var name in new[] { "default", "other" })
            {
                await scoring.Call(
                    HttpMethod.Put, "/v1/scoring/model", workspace, Scenario.Model(name, name == "default" ? 3 : 4.25).ToJsonString());
            }
        }

        foreach (var (left, right) in scenario.Deliveries(seed + 10).Zip(scenario.Deliveries(seed + 10).Reverse()))
        {
            await scoring.Bus.Publish(left);
            await scoring.Bus.Publish(Scenario.For(second, right));
        }

        // Every activity but those of the erased, and one click of each lead.
        var expected = scenario.Activities.Count(activity => activity.LeadId != scenario.Erased) + scenario.Leads.Count - 1L;
        foreach (var workspace in new[] { first, second })
        {
            await Eventually.Equal(
                (expected, 3L, 1L),
                async () => (
                    await scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace),
                    await scoring.Database.Scalar<long>(
                        "select count(*) from lead where workspace_id = $1 and merged_into is not null", workspace),
                    await scoring.Database.Scalar<long>(
                        "select count(*) from lead where workspace_id = $1 and erase_time is not null", workspace)),
                "all is in", TimeSpan.FromSeconds(90));
            // The last lead that is left has a score of each name: nine, less the erased one.
            await Eventually.Passes(
                async () => Assert.Equal(16, await new Replay(scoring, workspace).Check()), "they agree", TimeSpan.FromSeconds(60));
        }

        // The other order made the same ledger.
        const string Ledger =
            """
            select lead_id::text || score_name || rule_id || activity_id || points || time || coalesce(end_time::text, '') from ledger
            where workspace_id = $1 and lead_id <> $2 order by 1
            """;
        Assert.Equal(await Lines(first), await Lines(second));

        // A new model for everybody, beside traffic.
        await scoring.Call(HttpMethod.Put, "/v1/scoring/model", first, Scenario.Model("default", 5).ToJsonString());
        await scoring.Call(HttpMethod.Delete, "/v1/scoringModels/other", first);
        await Eventually.Passes(
            async () => Assert.Equal(8, await new Replay(scoring, first).Check()), "they agree again", TimeSpan.FromSeconds(60));
        Assert.Equal(
            0L, await scoring.Database.Scalar<long>(
                "select count(*) from ledger where workspace_id = $1 and score_name = 'other' and lead_id <> $2", first, scenario.Erased));

        async Task<List<string>> Lines(Guid workspace) =>
            [.. (await scoring.Database.Query(Ledger, workspace, scenario.Erased)).Select(row => (string)row[0]!)];
    }
}
