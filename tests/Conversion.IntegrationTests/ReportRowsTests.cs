using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Every figure of every report against the rows behind it.</summary>
public sealed class ReportRowsTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private const string Quarter = "from=2026-01-01&to=2026-04-01";

    private readonly TestWorkspace workspace = new(fixture);

    [Theory]
    [InlineData("COHORT")]
    [InlineData("SNAPSHOT")]
    public async Task Rows_OfTheFunnel_AreAsManyAsEachFigureTells(string view)
    {
        await Tell();
        foreach (var cut in new[] { "", "&granularity=MONTH&groupBy=channel,campaign" })
        {
            var report = await workspace.Get($"/v1/reports/funnel?{Quarter}{cut}&view={view}");
            var blocks = cut.Length == 0 ? [report] : report["blocks"]!.AsArray().Select(block => block!.AsObject()).ToArray();
            var figures = 0;
            foreach (var block in blocks)
            {
                foreach (var stage in block["stages"]!.AsArray())
                {
                    foreach (var figure in new[] { "entered", "converted", "current", "stalled" })
                    {
                        var rows = await Rows("funnel", figure, $"{cut}&view={view}{Cell(block)}&stage={stage!["stage"]}");
                        Assert.Equal((figure, Number(stage[figure])), (figure, rows.Count));
                        Assert.Equal(rows.Count, rows.Select(row => row["leadId"]!.GetValue<string>()).Distinct().Count());
                        figures += rows.Count;
                    }
                }
            }

            Assert.True(figures > 10);
        }
    }

    [Theory]
    [InlineData("FIRST_TOUCH")]
    [InlineData("LINEAR")]
    [InlineData("SHAPLEY")]
    public async Task Rows_OfTheSourceReport_AddUpToEachFigure(string model)
    {
        await Tell();
        var cut = "&granularity=MONTH&groupBy=channel,campaign";
        foreach (var row in (await workspace.Get($"/v1/reports/source?{Quarter}{cut}&model={model}"))["rows"]!.AsArray()
            .Select(row => row!.AsObject()))
        {
            var cell = $"{cut}&model={model}{Cell(row)}";
            foreach (var figure in new[] { "leads", "formLeads", "callLeads", "chatLeads", "mqls", "sqls", "opportunities" })
            {
                Assert.Equal((figure, Number(row[figure])), (figure, (await Rows("source", figure, cell)).Count));
            }

            Assert.Equal(
                row["customers"]!.GetValue<double>(),
                (await Rows("source", "customers", cell)).Sum(one => one["credit"]!.GetValue<double>()), 6);
            Assert.Equal(Amount(row["revenue"]), (await Rows("source", "revenue", cell)).Sum(one => Amount(one["amount"])));
            var spend = await Rows("source", "spend", cell);
            Assert.Equal((Amount(row["spend"]), Number(row["clicks"])), (
                spend.Sum(one => Amount(one["amount"])), spend.Sum(one => Number(one["clicks"]))));
        }

        foreach (var row in (await workspace.Get($"/v1/reports/attribution?{Quarter}&model={model}"))["rows"]!.AsArray())
        {
            var rows = await Rows("attribution", "value", $"&model={model}{Cell(row!.AsObject())}");
            Assert.Equal(Amount(row["value"]), rows.Sum(one => Amount(one["amount"])));
            Assert.Equal(row["conversions"]!.GetValue<double>(), rows.Sum(one => one["credit"]!.GetValue<double>()), 6);
        }

        foreach (var row in (await workspace.Get($"/v1/reports/roi?{Quarter}&model={model}"))["rows"]!.AsArray())
        {
            var rows = await Rows("roi", "bookings", $"&model={model}{Cell(row!.AsObject())}");
            Assert.Equal(Amount(row["bookings"]), rows.Sum(one => Amount(one["amount"])));
        }
    }

    [Fact]
    public async Task Rows_OfOpportunitiesAndSteps_AreAsManyAsEachFigureTells()
    {
        await Tell();
        foreach (var row in (await workspace.Get($"/v1/reports/opportunity?{Quarter}&groupBy=channel"))["rows"]!.AsArray())
        {
            var cell = $"{Cell(row!.AsObject())}&stage={row["stage"]}&state={row["state"]}&pipeline={row["pipeline"]}";
            var rows = await Rows("opportunity", "count", cell);
            Assert.Equal((Number(row["count"]), Amount(row["amount"])), (rows.Count, rows.Sum(one => Amount(one["amount"]))));
            Assert.Equal(Amount(row["weightedAmount"]), Math.Round(
                (await Rows("opportunity", "weightedAmount", cell)).Sum(one => Amount(one["amount"])), 2));
            // Open deals grow older between the two questions.
            var age = (await Rows("opportunity", "ageDays", cell)).Average(one => one["days"]!.GetValue<double>());
            Assert.InRange(age, row["ageDays"]!.GetValue<double>() - 1e-6, row["ageDays"]!.GetValue<double>() + 0.1);
        }

        var velocity = await workspace.Get($"/v1/reports/velocity?{Quarter}&groupBy=campaign");
        var won = 0;
        foreach (var row in velocity["rows"]!.AsArray())
        {
            var cell = Cell(row!.AsObject());
            Assert.Equal(Number(row["openOpportunities"]), (await Rows("velocity", "openOpportunities", cell)).Count);
            var (closed, sold) = (await Rows("velocity", "winRate", cell), await Rows("velocity", "averageWon", cell));
            Assert.Equal(row["winRate"]?.GetValue<double>(), closed.Count == 0 ? (double?)null : sold.Count / (double)closed.Count);
            Assert.Equal(Amount(row["averageWon"]), sold.Count == 0 ? 0 : Math.Round(sold.Average(one => Amount(one["amount"])), 2));
            Assert.Equal(
                row["cycleDays"]?.GetValue<double>() ?? 0,
                sold.Count == 0 ? 0 : (await Rows("velocity", "cycleDays", cell)).Average(one => one["days"]!.GetValue<double>()),
                5);
            won += sold.Count;
        }

        Assert.Equal(2, won);
        foreach (var step in velocity["transitions"]!.AsArray())
        {
            var rows = await Rows("velocity", "leads", $"{Cell(step!.AsObject())}&fromStage={step["from"]}&stage={step["to"]}");
            Assert.Equal(Number(step["leads"]), rows.Count);
            Assert.Equal(step["meanDays"]!.GetValue<double>(), rows.Average(one => one["days"]!.GetValue<double>()), 5);
        }
    }

    [Fact]
    public async Task Rows_PageByPage_ComeOnceAndInOrder()
    {
        await Tell();
        var all = await Rows("source", "leads", "");
        var (paged, token) = (new List<JsonNode>(), "");
        do
        {
            var page = await workspace.Get($"/v1/reports/source:rows?{Quarter}&figure=leads&pageSize=2&pageToken={token}");
            paged.AddRange(page["rows"]!.AsArray()!);
            token = page["nextPageToken"]!.GetValue<string>();
        }
        while (token.Length > 0);
        Assert.Equal(all.Select(row => row.ToJsonString()), paged.Select(row => row.ToJsonString()));
    }

    [Fact]
    public async Task Rows_BadQuestion_NamesEveryFault()
    {
        var problem = await workspace.Get(
            "/v1/reports/funnel:rows?from=x&to=2026-01-01&figure=entered&group.colour=red&pageToken=abc", HttpStatusCode.BadRequest);
        Assert.Equal(
            ["from", "group", "pageToken", "stage"],
            problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        var unknown = await workspace.Get($"/v1/reports/weather:rows?{Quarter}&figure=rain", HttpStatusCode.BadRequest);
        Assert.Equal("report", unknown["errors"]![0]!["field"]!.GetValue<string>());
    }

    /// <summary>
    /// Two won deals, a lost and an open one, a lead handed back and qualified again, two leads that are one person, spend.
    /// </summary>
    private async Task Tell()
    {
        foreach (var (campaign, day) in new[] { ("spring", 20), ("autumn", 25) })
        {
            var lead = await workspace.Lead(Times.March(1), campaign: campaign);
            Fixture.Capture.Know(
                lead, FakeCapture.Touch("Paid Search", Times.March(1), "google", campaign),
                FakeCapture.Touch("Organic Social", Times.March(3), "linkedin"),
                FakeCapture.Touch("Paid Search", Times.March(4), "google", campaign));
            var handoff = await workspace.Qualify(lead, Times.March(3));
            await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { acceptTime = Times.March(4) });
            var deal = await workspace.Post("/v1/opportunities", new
            {
                leadId = lead,
                createTime = Times.March(5),
                amount = new { currencyCode = "USD", amount = "100.01" },
            });
            await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { closeTime = Times.March(day) });
        }

        var lost = await workspace.Post(
            "/v1/opportunities",
            new { leadId = await workspace.Lead(Times.March(1), "Referral", "partner", "CALL"), createTime = Times.March(2) });
        await workspace.Post($"/v1/opportunities/{lost["id"]}:lose", new { reason = "Price", closeTime = Times.March(8) });
        await workspace.Post(
            "/v1/opportunities", new { leadId = await workspace.Lead(Times.March(1), captureType: "CHAT"), createTime = Times.March(2) });
        var again = await workspace.Lead(new DateTimeOffset(2026, 2, 10, 0, 0, 0, TimeSpan.Zero), "Email", "news");
        var first = await workspace.Qualify(again, Times.March(2));
        await workspace.Post($"/v1/handoffs/{first["id"]}:return", new { reason = "OTHER", returnTime = Times.March(3) });
        await workspace.Qualify(again, Times.March(9), version: 3);
        var (source, target) = (await workspace.Lead(Times.March(6)), await workspace.Lead(Times.March(7), "Email", "news"));
        await workspace.Qualify(source, Times.March(8));
        await workspace.Bus.Publish(new LeadsMerged(Guid.CreateVersion7(), workspace.Id, Times.March(10), 5, source, target));
        await workspace.UntilStage(target, "MQL");
        await workspace.Bus.Publish(workspace.Spend(new DateOnly(2026, 3, 1), 250, clicks: 7));
        await Eventually.Equal(
            1L, () => Fixture.Database.Scalar<long>("select count(*) from spend where workspace_id = $1", workspace.Id), "spend is there");
        // A journey that was not to be had at first is asked for again only in a workspace that is known.
        await workspace.Announce();
        await Eventually.Equal(
            0L, () => Fixture.Database.Scalar<long>(
                "select count(*) from journey where workspace_id = $1 and touches is null", workspace.Id),
            "journeys are frozen");
    }

    private async Task<IReadOnlyList<JsonNode>> Rows(string report, string figure, string cell) =>
        [.. (await workspace.Get($"/v1/reports/{report}:rows?{Quarter}&figure={figure}&pageSize=1000{cell}"))["rows"]!.AsArray()!];

    private static string Cell(JsonObject row) => string.Concat(
        (row["group"]?.AsObject() ?? []).Select(pair => $"&group.{pair.Key}={Uri.EscapeDataString(pair.Value!.GetValue<string>())}")
            .Append(row["start"]?.GetValue<string>() is { Length: > 0 } start ? $"&start={start}" : ""));

    private static int Number(JsonNode? node) => node is null ? 0 : int.Parse(node.GetValue<string>(), null);

    private static decimal Amount(JsonNode? node) =>
        node is null ? 0 : decimal.Parse(node["amount"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);
}
