using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class MetricsTests(ScoringFixture scoring)
{
    [Fact]
    public async Task Metrics_OverTheChangeToSummerTime_FollowTheWorkspacesZone()
    {
        const string Zone = "Europe/Berlin";
        var workspace = await scoring.Workspace(Zone);

        // Berlin's April begins at 22:00 UTC on 31 March, after the change of 29 March; its March began at 23:00 UTC on 28 February.
        var march = new DateTimeOffset(2026, 3, 31, 21, 30, 0, TimeSpan.Zero);
        var april = new DateTimeOffset(2026, 3, 31, 22, 30, 0, TimeSpan.Zero);
        var (hot, plain, later) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await scoring.Bus.Publish(Given.Captured(workspace, hot, march));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Form(hot, march)));
        await scoring.Bus.Publish(Given.Captured(workspace, plain, march, title: "Engineer", employees: 10, channel: "Direct"));
        await scoring.Bus.Publish(Given.Captured(workspace, later, april));
        await scoring.Bus.Publish(Given.Recorded(workspace, Given.Form(later, april.AddDays(1))));
        await scoring.Bus.Until<LeadQualified>(2, e => e.WorkspaceId == workspace);
        await Eventually.Equal(
            3L, () => scoring.Database.Scalar<long>("select count(*) from lead where workspace_id = $1 and profile is not null", workspace),
            "all");

        var all = await Series(workspace, Zone, "");
        Assert.Equal([1.0, 1.0], all["scored_leads"]);
        Assert.Equal([1.0, 1.0], all["qualified_leads"]);
        // At March's end (35 + 25 · 2^(−0.5 h / 30 d) and 0) / 2, at April's 35 + 25 · 2^(−28.98 d / 30 d).
        Assert.Equal([29.995, 47.8], all["average_score"].Select(value => Math.Round(value, 3)));
        Assert.Equal([1.0, 0.0], all["score_profile COLD"]);
        // 59.99 by the end of March: qualified at 60, and a little less warm by then.
        Assert.Equal([1.0, 1.0], all["score_profile WARM"]);
        Assert.Equal([0.0, 0.0], all["score_profile QUALIFIED"]);
        Assert.Equal([0.0, 0.0], all["score_profile HOT"]);

        var byChannel = await Series(workspace, Zone, "&groupBy=channel");
        Assert.Equal([1.0, 0.0], byChannel["score_profile COLD Direct"]);
        Assert.Equal([1.0, 1.0], byChannel["qualified_leads Paid Search"]);
        Assert.Equal([0.0], byChannel["average_score Direct"]);
    }

    [Fact]
    public async Task Metrics_NothingHappened_HaveNoAverage()
    {
        var all = await Series(await scoring.Workspace(), "UTC", "");

        Assert.Equal([0.0, 0.0], all["scored_leads"]);
        Assert.Empty(all["average_score"]);
        Assert.Equal([0.0, 0.0], all["score_profile HOT"]);
    }

    private async Task<Dictionary<string, double[]>> Series(Guid workspace, string zone, string more) =>
        (await scoring.Get($"/v1/metrics/scoring?from=2026-03-01&to=2026-05-01{more}", workspace, zone))["series"]!.AsArray().ToDictionary(
            series => string.Join(' ', new[] { (string)series!["metric"]! }.Concat(
                (series["group"]?.AsObject() ?? []).OrderBy(group => group.Key, StringComparer.Ordinal)
                    .Select(group => (string)group.Value!))),
            series => series!["points"]!.AsArray().Where(point => point!["value"] is not null)
                .Select(point => (double)point!["value"]!).ToArray());
}
