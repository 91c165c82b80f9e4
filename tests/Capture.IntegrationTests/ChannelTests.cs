using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>A workspace's own channel rules, from now on and over its history.</summary>
public sealed class ChannelTests(CaptureFixture fixture)
{
    private static readonly object Partners = new
    {
        rules = new[]
        {
            new { channel = "Partners", condition = "referrer endsWith \"partner.example\" or source = \"partner\"" },
            new { channel = "Events", condition = "landingPath startsWith \"/booth\"" },
        },
        excludedReferrers = new[] { "pay.example" },
    };

    [Fact]
    public async Task UpdateChannels_NextMessage_GoesByTheNewRules()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Page("a", "2026-03-02T10:00:00Z", referrer: "https://blog.partner.example/"));

        var (status, settings) = await Put(workspace, Partners);
        await workspace.Batch(
            Messages.Page("b", "2026-03-02T10:00:00Z", referrer: "https://blog.partner.example/"),
            Messages.Page("c", "2026-03-02T10:00:00Z", "https://acme.example/booth/7"),
            Messages.Page("d", "2026-03-02T10:00:00Z", referrer: "https://checkout.pay.example/done"));
        await workspace.Post("/v1/leads", new { email = "ada@acme.example", firstTouch = new { source = "partner", medium = "cpc" } });
        await workspace.Import(
            "/v1/leads:import", "email,source,medium,channel\nbob@acme.example,partner,cpc,\ncyd@acme.example,partner,cpc,Fair\n");
        await workspace.Import("/v1/spend:import", "date,source,medium,amount\n2026-03-02,partner,cpc,10\n");

        Assert.Equal((HttpStatusCode.OK, 1, "2026-11/1"), (
            status, settings["version"]!.GetValue<int>(), settings["rulesVersion"]!.GetValue<string>()));
        Assert.True(settings["paymentAndLoginExcluded"]!.GetValue<bool>());
        Assert.Equal(settings.ToJsonString(), (await workspace.Get("/v1/channels")).Body.ToJsonString());
        Assert.Equal(
            [("Direct", 1), ("Events", 1), ("Partners", 1), ("Referral", 1)],
            await Sessions(workspace));
        Assert.Equal(
            [("ada@acme.example", "Partners"), ("bob@acme.example", "Partners"), ("cyd@acme.example", "Fair")],
            (await workspace.Get("/v1/leads?orderBy=email")).Body["leads"]!.AsArray()
                .Select(lead => (lead!["email"]!.GetValue<string>(), Channel(lead))));
        Assert.Equal("Partners", (await workspace.Get("/v1/spend")).Body["spend"]![0]!["channel"]!.GetValue<string>());
    }

    [Fact]
    public async Task UpdateChannels_StaleBaseOrFaults_IsRefusedWithAll()
    {
        var workspace = fixture.Workspace();
        await Put(workspace, Partners);

        var (stale, _) = await workspace.Send(HttpMethod.Put, "/v1/channels?baseVersion=0", JsonContent.Create(Partners));
        var (status, problem) = await Put(
            workspace, new
            {
                rules = new[] { new { channel = "", condition = "colour = \"red\"" } },
                ownDomains = new[] { "https://acme.example" },
                excludedReferrers = new[] { "a b" }
            });

        Assert.Equal(HttpStatusCode.Conflict, stale);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(
            ["settings.excludedReferrers[0]", "settings.ownDomains[0]", "settings.rules[0].channel", "settings.rules[0].condition"],
            problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        Assert.Equal(HttpStatusCode.NotFound, (await workspace.Get("/v1/channels?version=2")).Status);
        Assert.Equal(1, (await workspace.Get("/v1/channels?version=1")).Body["version"]!.GetValue<int>());
    }

    [Fact]
    public async Task GetChannels_NothingSet_AnswersTheDefault()
    {
        var (status, settings) = await fixture.Workspace().Get("/v1/channels");

        Assert.Equal((HttpStatusCode.OK, 0, "2026-11"), (
            status, settings["version"]!.GetValue<int>(), settings["rulesVersion"]!.GetValue<string>()));
        Assert.True(settings["aiAssistantChannel"]!.GetValue<bool>());
    }

    [Fact]
    public async Task ReclassifyChannels_HistoryUnderOlderRules_ChangesSessionsLeadsSpendAndMetrics()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Messages.Page("a", "2026-03-02T10:00:00Z", referrer: "https://blog.partner.example/"),
            Messages.Form("a", "2026-03-02T10:05:00Z", "ada@acme.example"),
            Messages.Page("b", "2026-03-02T10:00:00Z", "https://acme.example/booth/7"),
            Messages.Page("c", "2026-03-02T10:00:00Z", referrer: "https://pay.example/"),
            Messages.Page("d", "2026-03-02T10:00:00Z", "https://acme.example/?utm_source=google&utm_medium=cpc"));
        await workspace.Import(
            "/v1/leads:import",
            "email,source,medium,channel,createTime\nbob@acme.example,partner,cpc,,2026-03-02\ncyd@acme.example,partner,cpc,Fair,2026-03-02\n");
        await workspace.Import("/v1/spend:import", "date,source,medium,amount\n2026-03-02,partner,cpc,10\n2026-03-02,google,cpc,20\n");
        Assert.Equal(HttpStatusCode.NotFound, (await workspace.Get("/v1/channels/reclassification")).Status);
        await Put(workspace, Partners);
        Assert.Equal([("Direct", 1), ("Paid Search", 1), ("Referral", 2)], await Sessions(workspace));

        var (status, begun) = await workspace.Post("/v1/channels:reclassify", new { });
        var done = await Done(workspace);

        Assert.Equal((HttpStatusCode.OK, "RUNNING", "8"), (status, begun["state"]!.GetValue<string>(), begun["total"]!.GetValue<string>()));
        Assert.Equal(
            ("2026-11/1", "8", "8", "3", "2", "1"),
            (Text(done["rulesVersion"]), Text(done["total"]), Text(done["processed"]), Text(done["changedSessions"]),
                Text(done["changedLeads"]), Text(done["changedSpend"])));
        Assert.Equal([("Direct", 1), ("Events", 1), ("Paid Search", 1), ("Partners", 1)], await Sessions(workspace));
        Assert.Equal([1d], await workspace.Metric("sessions", "2026-03-01", "2026-04-01", group: "channel=Partners"));
        Assert.Equal([2d], await workspace.Metric("leads", "2026-03-01", "2026-04-01", group: "channel=Partners"));
        Assert.Equal([10d], await workspace.Metric("spend", "2026-03-01", "2026-04-01", group: "channel=Partners"));
        await RollupChecks.AreThoseOfARebuild(workspace, fixture.Database);
        var updated = await fixture.Bus.Until<LeadUpdated>(2, e => e.WorkspaceId == workspace.WorkspaceId);
        Assert.Equal([("ada@acme.example", "Partners", "Partners"), ("bob@acme.example", "Partners", "Partners")],
            updated.OrderBy(e => e.Email).Select(e => (e.Email!, e.FirstTouch.Channel, e.LastTouch.Channel)));
        var spend = (await fixture.Bus.Until<SpendRecorded>(2, e => e.WorkspaceId == workspace.WorkspaceId)).MaxBy(e => e.Version)!;
        Assert.Equal([("partner", "Partners", 10m)], spend.Rows.Select(row => (row.Source, row.Channel, row.Amount.Amount)));
    }

    [Fact]
    public async Task ReclassifyChannels_LateMessageAfterwards_KeepsTheNewRules()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Messages.Page("a", "2026-03-02T10:00:00Z", referrer: "https://blog.partner.example/"),
            Messages.Page("a", "2026-03-02T10:20:00Z"), Messages.Form("a", "2026-03-02T10:25:00Z", "ada@acme.example"));
        await Put(workspace, Partners);
        await workspace.Post("/v1/channels:reclassify", new { });
        await Done(workspace);

        // Falls into the session, which is cut anew.
        await workspace.Batch(Messages.Page("a", "2026-03-02T10:10:00Z", "https://acme.example/pricing"));

        Assert.Equal([("Partners", 1)], await Sessions(workspace));
        var lead = (await workspace.Get("/v1/leads")).Body["leads"]![0]!;
        var journey = (await workspace.Get($"/v1/leads/{lead["id"]}/journey")).Body;
        Assert.Equal(("Partners", "2026-11/1"), (Text(journey["touches"]![0]!["channel"]), Text(journey["sessions"]![0]!["channelRules"])));
    }

    [Fact]
    public async Task ReclassifyChannels_BackToEarlierRules_RestoresWhatWas()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Walk("a", "ada@acme.example"));
        await workspace.Batch(Messages.Page("b", "2026-03-02T10:00:00Z", referrer: "https://pay.example/"));
        var before = await Sources(workspace);
        await Put(workspace, Partners);
        await workspace.Post("/v1/channels:reclassify", new { });
        await Done(workspace);
        Assert.NotEqual(before, await Sources(workspace));

        await Put(workspace, new { });
        await workspace.Post("/v1/channels:reclassify", new { });
        await Done(workspace);

        Assert.Equal(before, await Sources(workspace));
    }

    private static string Text(JsonNode? node) => node!.GetValue<string>();

    private static string Channel(JsonNode? lead) => Text(lead!["firstTouch"]!["channel"]);

    private static Task<(HttpStatusCode Status, JsonNode Body)> Put(CaptureClient workspace, object settings) =>
        workspace.Send(HttpMethod.Put, "/v1/channels", JsonContent.Create(settings));

    private static async Task<JsonNode> Done(CaptureClient workspace)
    {
        await Eventually.Equal(
            "DONE", async () => Text((await workspace.Get("/v1/channels/reclassification")).Body["state"]), "the reclassification is done",
            TimeSpan.FromSeconds(60));
        return (await workspace.Get("/v1/channels/reclassification")).Body;
    }

    private async Task<IEnumerable<(string, int)>> Sessions(CaptureClient workspace) =>
        (await fixture.Database.Query(
            "select channel, count(*)::int from session where workspace_id = $1 group by 1 order by 1", workspace.WorkspaceId))
            .Select(row => ((string)row[0]!, (int)row[1]!));

    private async Task<IEnumerable<string>> Sources(CaptureClient workspace) =>
        (await fixture.Database.Query(
            "select concat_ws('|', visitor_id, start_time, source_kind, channel, source, medium, campaign) from session where workspace_id = $1 order by 1",
            workspace.WorkspaceId))
            .Select(row => (string)row[0]!);
}
