using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class ActivityEffectTests(ScoringFixture scoring)
{
    [Fact]
    public async Task Effect_FortyLeads_TellsWithFromWithout()
    {
        var (workspace, time) = (await scoring.Workspace(), new DateTimeOffset(2026, 5, 4, 9, 0, 0, TimeSpan.Zero));
        // 20 ask for a demo and qualify (30 + 30 points), 12 of them buy; 20 do not, and 3 of them buy. A download after the purchase
        // counts for nothing.
        var leads = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var (index, lead) in leads.Index())
        {
            await scoring.Bus.Publish(Given.Captured(workspace, lead, time));
            await scoring.Bus.Publish(
                Given.Recorded(workspace, Given.Page(lead, time, "/"), index < 20 ? Given.Form(lead, time) : Given.Page(lead, time, "/x")));
        }

        await scoring.Bus.Until<LeadQualified>(20, e => e.WorkspaceId == workspace);
        foreach (var lead in leads[..12].Concat(leads[20..23]))
        {
            await scoring.Bus.Publish(Given.Moved(workspace, lead, time.AddDays(1), 3, "LEAD", "CUSTOMER", "WON"));
            await scoring.Bus.Publish(Given.Recorded(workspace, Given.Download(lead, time.AddDays(2))));
        }

        await Eventually.Equal(
            (95L, 40L, 15L),
            async () => (await scoring.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace),
                await scoring.Database.Scalar<long>("select count(*) from lead where workspace_id = $1 and profile is not null", workspace),
                await scoring.Database.Scalar<long>(
                    "select count(*) from lead where workspace_id = $1 and customer_time is not null", workspace)),
            "all is in");

        var report = await scoring.Get("/v1/reports/activityEffect?from=2026-05-01&to=2026-06-01", workspace);

        Assert.Equal((40, 20, 15), ((int)report["leads"]!, (int)report["qualified"]!, (int)report["customers"]!));
        var form = Kind(report, "FORM");
        Assert.Equal(("demo", 20), ((string)form["detail"]!, (int)form["leads"]!));
        Assert.Equal((20, 12, 20, 3), Counts(form["conversion"]!));
        Assert.Equal((4.0, "RAISES"), (Math.Round((double)form["conversion"]!["ratio"]!, 10), (string)form["conversion"]!["verdict"]!));
        Assert.Equal(0.45, (double)form["conversion"]!["difference"]!, 10);
        Assert.Equal((20, 20, 20, 0), Counts(form["qualification"]!));
        Assert.Null(form["qualification"]!["ratio"]);
        Assert.Equal("RAISES", (string)form["qualification"]!["verdict"]!);
        // Everybody saw a page: there is nobody to compare with. Nobody downloaded before buying: 15 count as without.
        Assert.Equal("TOO_FEW", (string)Kind(report, "PAGE")["conversion"]!["verdict"]!);
        Assert.Equal((0, 0, 40, 15), Counts(Kind(report, "DOWNLOAD")["conversion"]!));
        Assert.Equal("", (string)report["emptyReason"]!);
    }

    [Fact]
    public async Task Effect_NoLeads_SaysWhy()
    {
        var workspace = await scoring.Workspace();

        var report = await scoring.Get("/v1/reports/activityEffect?from=2026-05-01&to=2026-06-01", workspace);

        Assert.Equal("Nobody became a lead from 2026-05-01 to before 2026-06-01.", (string)report["emptyReason"]!);
        var (status, problem) = await scoring.Call(HttpMethod.Get, "/v1/reports/activityEffect?from=x", workspace);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["from", "to"], problem["errors"]!.AsArray().Select(error => (string)error!["field"]!));
    }

    private static JsonNode Kind(JsonNode report, string type) =>
        report["activities"]!.AsArray().Single(kind => (string)kind!["type"]! == type)!;

    private static (int With, int Results, int Without, int Others) Counts(JsonNode lift) =>
        ((int)lift["withLeads"]!, (int)lift["withResults"]!, (int)lift["withoutLeads"]!, (int)lift["withoutResults"]!);
}
