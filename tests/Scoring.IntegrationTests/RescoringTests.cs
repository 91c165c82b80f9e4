using System.Net;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class RescoringTests : IAsyncLifetime
{
    private const int Leads = 3_000;
    private readonly ScoringFixture scoring = new();

    public ValueTask InitializeAsync() => scoring.InitializeAsync();

    public ValueTask DisposeAsync() => scoring.DisposeAsync();

    [Fact]
    public async Task NewVersion_KilledInTheMiddle_GoesOnAndReadsOneVersionPerLead()
    {
        var (workspace, time) = (await scoring.Workspace(), Times.Now.AddDays(-20));
        await scoring.Database.Query(
            """
            insert into lead (workspace_id, lead_id, profile_version, profile, create_time, since, stage_version, qualified, returned, model_version, state, version, change_time)
            select $1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1,
              jsonb_build_object('createTime', $2::timestamptz, 'firstTouch', '{}'::jsonb, 'traits', '{"title": "VP Marketing"}'::jsonb), $2, '{}', 0, false, false, 0,
              jsonb_build_object('at', $2::timestamptz, 'fit', '{"constant": 0, "buckets": []}'::jsonb, 'behavior', '{"constant": 0, "buckets": []}'::jsonb, 'bant', '{"constant": 0, "buckets": []}'::jsonb),
              0, now()
            from generate_series(1, $3::int) n
            """,
            workspace, time, Leads);
        await scoring.Database.Query(
            """
            insert into activity (workspace_id, activity_id, lead_id, type, name, time, properties)
            select $1, gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(to_hex(1 + n % $3::int), 12, '0'))::uuid, 'FORM', 'Form Submitted', $2::timestamptz + n * interval '1 second', '{"formType": "contact"}'
            from generate_series(1, $3::int) n
            """,
            workspace, time, Leads);
        var model = await scoring.Get("/v1/scoring/model", workspace);
        model["rules"]!.AsArray().First(rule => (string)rule!["id"]! == "fit-senior-title")!["points"] = 33;
        var put = await scoring.Call(HttpMethod.Put, "/v1/scoring/model", workspace, model.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, put.Status);

        await Eventually.True(async () => await Done(workspace) >= 500, "some are scored", TimeSpan.FromSeconds(60));
        await scoring.Service.Kill();
        await scoring.Service.Start();

        await Eventually.Equal((Leads, true, 1), async () =>
        {
            var progress = await scoring.Get("/v1/scoring/rescoring", workspace);
            Assert.Equal($"{Leads}", (string)progress["totalLeads"]!);
            return (int.Parse((string)progress["rescoredLeads"]!, null), (bool)progress["done"]!, (int)progress["modelVersion"]!);
        }, "all are scored by the new version", TimeSpan.FromSeconds(120));
        Assert.Equal(Leads, await scoring.Database.Scalar<long>(
            "select count(*) from lead where workspace_id = $1 and model_version = 1 and (state->'fit'->>'constant')::numeric = 33",
            workspace));
        Assert.Equal(2L * Leads, await scoring.Database.Scalar<long>(
            "select count(*) from ledger where workspace_id = $1 and ((rule_id = 'fit-senior-title' and points = 33) or (rule_id = 'contact-form' and points = 15))",
            workspace));
        var explained = await scoring.Get("/v1/scores/00000000-0000-7000-8000-000000000007:explain", workspace);
        Assert.Equal(1, (int)explained["score"]!["modelVersion"]!);
        Assert.Equal(
            (decimal)(double)explained["score"]!["total"]!,
            explained["contributions"]!.AsArray().Sum(entry => (decimal)(double)entry!["decayedPoints"]!));
    }

    private async Task<int> Done(Guid workspace) =>
        int.Parse((string)(await scoring.Get("/v1/scoring/rescoring", workspace))["rescoredLeads"]!, null);
}
