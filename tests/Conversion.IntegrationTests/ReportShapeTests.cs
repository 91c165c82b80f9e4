using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Reports as CSV, by kind of conversion and look-back window, as snapshots, and empty ones; runs over all conversions.</summary>
public sealed class ReportShapeTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private const string Quarter = "from=2026-01-01&to=2026-04-01";

    private static readonly HttpClient Client = new();

    private readonly TestWorkspace workspace = new(fixture);

    [Fact]
    public async Task SourceReport_AsCsv_QuotesAndDisarmsFormulas()
    {
        await workspace.Lead(Times.March(1), campaign: "=HYPERLINK(\"http://x\",\"y\")");
        var (text, headers) = await Csv($"/v1/reports/source?{Quarter}&groupBy=channel,campaign");

        Assert.Equal("text/csv; charset=utf-8; header=present", headers["Content-Type"]);
        Assert.Equal(
            "channel,campaign,clicks,leads,formLeads,callLeads,chatLeads,mqls,sqls,opportunities,customers,revenue,revenueCurrency,spend,spendCurrency,roi,start\r\n"
            + "Paid Search,\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",0,1,1,0,0,0,0,0,0,0.00,USD,0.00,USD,,\r\n",
            text);
    }

    [Fact]
    public async Task EmptyReport_InEitherForm_SaysWhy()
    {
        var (text, headers) = await Csv($"/v1/reports/attribution?{Quarter}");
        Assert.Equal("conversions,value,valueCurrency,removalEffect,start\r\n", text);
        Assert.Equal("NOTHING_RECORDED", headers["lifecycle-empty-reason"]);
        Assert.Contains("No deal was won", headers["lifecycle-note"], StringComparison.Ordinal);

        await workspace.Lead(Times.March(1));
        var before = await workspace.Get("/v1/reports/source?from=2026-01-01&to=2026-02-01");
        Assert.Equal("NOTHING_IN_PERIOD", before["emptyReason"]!.GetValue<string>());
        Assert.Contains("from 2026-03-01 to 2026-03-01", before["note"]!.GetValue<string>(), StringComparison.Ordinal);
        foreach (var report in new[] { "funnel", "source", "opportunity", "attribution", "roi", "velocity" })
        {
            var future = await workspace.Get($"/v1/reports/{report}?from=2126-01-01&to=2126-02-01");
            if (report is not "funnel")
            {
                Assert.Equal("PERIOD_IN_FUTURE", future["emptyReason"]!.GetValue<string>());
            }
        }
    }

    [Fact]
    public async Task Funnel_AsCsv_HasOneRowForEachStageOfEachBlock()
    {
        await workspace.Lead(Times.March(1));
        var (text, _) = await Csv($"/v1/reports/funnel?{Quarter}&granularity=MONTH&groupBy=channel");
        var lines = text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("start,channel,stage,entered,current,conversionRate,medianDays,p90Days,stalled,converted", lines[0]);
        Assert.Equal(8, lines.Length - 1);
        Assert.StartsWith("2026-03-01,Paid Search,LEAD,1,1,0,,,", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attribution_ByKindAndWindow_CreditsTheTouchesBeforeTheStage()
    {
        var lead = await workspace.Lead(Times.March(1));
        Fixture.Capture.Know(
            lead, FakeCapture.Touch("Referral", Times.March(1).AddDays(-40)), FakeCapture.Touch("Paid Search", Times.March(1)),
            FakeCapture.Touch("Email", Times.March(10)), FakeCapture.Touch("Direct", Times.March(15)));
        await workspace.Announce();
        await workspace.Qualify(lead, Times.March(12));
        await Eventually.Equal(
            2L,
            () => Fixture.Database.Scalar<long>(
                "select count(*) from stage_journey where workspace_id = $1 and touches is not null", workspace.Id),
            "journeys before LEAD and MQL are frozen");

        // A lead without a session has its first touch alone; before MQL lie three touches, the visit of the 15th came later.
        Assert.Equal(["Paid Search 1"], await Credits("&conversionKind=LEAD&model=LINEAR"));
        Assert.Equal(
            ["Email 0.333333333", "Paid Search 0.333333333", "Referral 0.333333333"], await Credits("&conversionKind=MQL&model=LINEAR"));
        Assert.Equal(["Email 0.5", "Paid Search 0.5"], await Credits("&conversionKind=MQL&model=LINEAR&lookbackDays=30"));
        Assert.Equal([" 1"], await Credits("&conversionKind=MQL&model=LINEAR&lookbackDays=1"));
        await workspace.Put("/v1/attribution/settings", new { lookbacks = new[] { new { conversionKind = "MQL", days = 5 } } });
        Assert.Equal(["Email 1"], await Credits("&conversionKind=MQL&model=LINEAR"));
        Assert.Empty(await Credits("&conversionKind=SQL"));
    }

    [Fact]
    public async Task Funnel_AsSnapshot_LeavesOutWhatCameAfterThePeriod()
    {
        var lead = await workspace.Lead(Times.March(1));
        await workspace.Qualify(lead, Times.March(20));

        async Task<JsonNode> Stage(string view) =>
            (await workspace.Get($"/v1/reports/funnel?from=2026-03-01&to=2026-03-11&view={view}"))["stages"]![0]!;
        var (cohort, snapshot) = (await Stage("COHORT"), await Stage("SNAPSHOT"));
        Assert.Equal((1.0, 19.0), (cohort["conversionRate"]!.GetValue<double>(), cohort["medianDays"]!.GetValue<double>()));
        Assert.Equal((0.0, null, "1"), (
            snapshot["conversionRate"]!.GetValue<double>(), snapshot["medianDays"]?.GetValue<double>(),
            snapshot["current"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Velocity_OfTwoLeads_IsAsWorkedByHand()
    {
        foreach (var (day, amount) in new[] { (15, "100"), (25, "300") })
        {
            var lead = await workspace.Lead(Times.March(1));
            var handoff = await workspace.Qualify(lead, Times.March(3));
            await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { acceptTime = Times.March(4) });
            var deal = await workspace.Post(
                "/v1/opportunities", new { leadId = lead, createTime = Times.March(5), amount = new { currencyCode = "USD", amount } });
            await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { closeTime = Times.March(day) });
        }

        await workspace.Post("/v1/opportunities", new { createTime = Times.March(6) });
        var report = await workspace.Get($"/v1/reports/velocity?{Quarter}");
        Assert.Equal(
            ["LEAD>MQL 2 2", "LEAD>CUSTOMER 2 19", "MQL>SQL 2 1", "SQL>OPPORTUNITY 2 1", "OPPORTUNITY>CUSTOMER 2 15"],
            report["transitions"]!.AsArray().Select(step => $"{step!["from"]}>{step["to"]} {step["leads"]} {step["medianDays"]}"));
        var row = report["rows"]!.AsArray().Single(row => row!["group"]!.AsObject().Count == 0)!;
        // 1 open × 2 of 2 won × 200 on average / 15 days.
        Assert.Equal(("2", "1", 1.0, "200.00", 15.0, "13.33"), (
            row["qualified"]!.GetValue<string>(), row["openOpportunities"]!.GetValue<string>(), row["winRate"]!.GetValue<double>(),
            row["averageWon"]!["amount"]!.GetValue<string>(), row["cycleDays"]!.GetValue<double>(),
            row["pipelineVelocity"]!["amount"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("LINEAR")]
    [InlineData("MARKOV")]
    public async Task AttributionRun_OverAllDeals_CreditsAsTheReportDoes(string model)
    {
        await workspace.Announce();
        foreach (var amount in new[] { "100.00", "0.01" })
        {
            var lead = await workspace.Lead(Times.March(1));
            Fixture.Capture.Know(
                lead, FakeCapture.Touch("Paid Search", Times.March(1)), FakeCapture.Touch("Email", Times.March(3)),
                FakeCapture.Touch("Direct", Times.March(4)));
            var deal = await workspace.Post(
                "/v1/opportunities", new { leadId = lead, createTime = Times.March(5), amount = new { currencyCode = "USD", amount } });
            await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { closeTime = Times.March(20) });
        }

        await Eventually.Equal(
            2L, () => Fixture.Database.Scalar<long>(
                "select count(*) from journey where workspace_id = $1 and touches is not null", workspace.Id),
            "journeys are frozen");
        var run = await workspace.Post("/v1/attribution/runs", new { model });
        await Eventually.Equal(
            "DONE", async () => (run = await workspace.Get($"/v1/attribution/runs/{run["id"]}"))["state"]!.GetValue<string>(),
            "the run is done");

        Assert.Equal(("2", "2"), (run["done"]!.GetValue<string>(), run["total"]!.GetValue<string>()));
        var report = await workspace.Get($"/v1/reports/attribution?{Quarter}&model={model}");
        Assert.Equal(Told(report["rows"]!), Told(run["credits"]!));

        static string[] Told(JsonNode credits) => [.. credits.AsArray().Select(
            credit => $"{credit!["group"]!["channel"]} {credit["conversions"]} {credit["value"]!["amount"]} {credit["removalEffect"]}")
            .Order(StringComparer.Ordinal)];
    }

    private async Task<string[]> Credits(string question) =>
        [.. (await workspace.Get($"/v1/reports/attribution?{Quarter}{question}"))["rows"]!.AsArray()
            .Select(credit => $"{credit!["group"]!["channel"]} {credit["conversions"]}").Order(StringComparer.Ordinal)];

    private async Task<(string Text, Dictionary<string, string> Headers)> Csv(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Fixture.Service.Http, path));
        request.Headers.Add("x-lifecycle-identity", IdentityTokens.Issue(workspace.Id, "UTC", "USD"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/csv"));
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return (text, response.Headers.Concat(response.Content.Headers).ToDictionary(
            header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
    }
}
