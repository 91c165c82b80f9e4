using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;
using Npgsql;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>What deals hold, what became of them, what they will bring.</summary>
public sealed class DealTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private readonly TestWorkspace workspace = new(fixture);

    [Fact]
    public async Task Advance_StageWithRequiredFields_AsksForThemAll()
    {
        var pipeline = await Pipeline("Strict", new { name = "Talk", probability = 0.2 }, new
        {
            name = "Offer",
            probability = 0.6,
            requiredFields = new[] { "amount", "lines", "contacts", "expectedCloseDate" },
        });
        var buyer = await workspace.Lead(Times.March(1));
        var deal = await workspace.Post("/v1/opportunities", new { name = "Acme", pipelineId = pipeline });
        var path = $"/v1/opportunities/{deal["id"]}";
        var problem = await workspace.Post($"{path}:advance", new { stage = "Offer" }, HttpStatusCode.BadRequest);
        Assert.Equal(["amount", "contacts", "expectedCloseDate", "lines"], Fields(problem));
        await workspace.Post("/v1/opportunities", new { pipelineId = pipeline, stage = "Offer" }, HttpStatusCode.BadRequest);

        await workspace.Patch(path, new
        {
            expectedCloseDate = "2026-04-30",
            contacts = new { contacts = new[] { new { leadId = buyer, role = "DECISION_MAKER" } } },
            lines = new { lines = new[] { Line("Suite", "2", "99.50"), Line("Hours", "1.5", "100") } },
        });
        var moved = await workspace.Post($"{path}:advance", new { stage = "offer" });

        Assert.Equal(("Offer", "349.00"), (moved["stage"]!.GetValue<string>(), moved["amount"]!["amount"]!.GetValue<string>()));
        Assert.Equal((buyer.ToString(), "DECISION_MAKER"),
            (moved["contacts"]![0]!["leadId"]!.GetValue<string>(), moved["contacts"]![0]!["role"]!.GetValue<string>()));
        Assert.Equal(("Hours", "1.5", "100.00"), (moved["lines"]![1]!["product"]!.GetValue<string>(),
            moved["lines"]![1]!["quantity"]!.GetValue<string>(), moved["lines"]![1]!["unitPrice"]!["amount"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Create_WithFaultyParts_NamesEveryFault()
    {
        var problem = await workspace.Post("/v1/opportunities", new
        {
            contacts = new[] { new { leadId = "x", role = "boss" } },
            lines = new object[] { new { product = "", quantity = "0", unitPrice = new { currencyCode = "EUR", amount = "1" } } },
        }, HttpStatusCode.BadRequest);

        Assert.Equal(
            ["contacts[0].leadId", "contacts[0].role", "lines[0].product", "lines[0].quantity", "lines[0].unitPrice.currencyCode"],
                Fields(problem));
        var stranger = new { leadId = Guid.CreateVersion7(), role = "USER" };
        await workspace.PostOfStranger("/v1/opportunities", new { contacts = new[] { stranger } }, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Timeline_LostAndReopened_KeepsBothAndTheLossStays()
    {
        var lead = await workspace.Lead(Times.March(1));
        var deal = await workspace.Post("/v1/opportunities",
            new { leadId = lead, externalId = "C7", createTime = Times.March(2), amount = Usd("100") });
        var path = $"/v1/opportunities/{deal["id"]}";
        await workspace.Post($"{path}:reopen", new { reason = "Too early" }, HttpStatusCode.BadRequest);
        await workspace.Post($"{path}:advance", new { stage = "Proposal", advanceTime = Times.March(6) });
        await workspace.Patch(path, new { amount = Usd("120") });
        var lost = await workspace.Post($"{path}:lose", new { reason = "Price", competitor = "Rival", closeTime = Times.March(10) });
        var again = await workspace.Post($"{path}:reopen",
            new { reason = "They called", stage = "Negotiation", reopenTime = Times.March(12) });
        await workspace.Post($"{path}:reopen", new { reason = "Once more" }, HttpStatusCode.BadRequest);
        Assert.Equal("OPPORTUNITY", await workspace.Stage(lead));
        var won = await workspace.Post($"/v1/opportunities/{again["id"]}:win", new { closeTime = Times.March(20) });
        await workspace.Post($"/v1/opportunities/{again["id"]}:reopen", new { reason = "No" }, HttpStatusCode.BadRequest);

        Assert.Equal(("LOST", "Rival", "WON", "C7"),
            (lost["state"]!.GetValue<string>(), lost["competitor"]!.GetValue<string>(), won["state"]!.GetValue<string>(),
            won["externalId"]!.GetValue<string>()));
        Assert.Equal("LOST", (await workspace.Get(path))["state"]!.GetValue<string>());
        Assert.Equal(again["id"]!.GetValue<string>(), (await workspace.Get(path))["reopenedAsId"]!.GetValue<string>());
        var timeline = (await workspace.Get($"/v1/opportunities/{again["id"]}/timeline"))["changes"]!.AsArray();
        Assert.Equal(
            ["OPENED >Prospecting", "ADVANCED Prospecting>Proposal", "LOST Proposal>Proposal", "REOPENED >Negotiation",
                "WON Negotiation>Negotiation", "UPDATED Proposal>Proposal"],
            timeline.Select(one => $"{one!["type"]} {one["fromStage"]}>{one["toStage"]}"));
        Assert.Equal((4, 8), (timeline[1]!["daysInStage"]!.GetValue<double>(), timeline[4]!["daysInStage"]!.GetValue<double>()));
        Assert.Equal(4, (await workspace.Get($"{path}/timeline"))["changes"]!.AsArray().Count);
        Assert.Equal(0.5, await workspace.Metric("win_rate", new(2026, 1, 1), new(2027, 1, 1)));
        // The external id now speaks of the deal that was won.
        var import = await workspace.Import("/v1/opportunities:import", """{"externalId":"C7","stage":"Won"}""", "application/x-ndjson");
        Assert.Equal(1, import["unchanged"]!.GetValue<int>());
        await workspace.Post("/v1/opportunities", new { externalId = "C7" }, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Past_WhoeverTriesToRewriteIt_IsRefusedByTheDatabase()
    {
        var lead = await workspace.Lead(Times.March(1));
        var handoff = await workspace.Qualify(lead, Times.March(2));
        await workspace.Post($"/v1/handoffs/{handoff["id"]}:assign", new { owner = "ann" });
        var deal = await workspace.Post("/v1/opportunities", new { leadId = lead, createTime = Times.March(2) });
        await workspace.Post($"/v1/opportunities/{deal["id"]}:lose", new { reason = "Price", closeTime = Times.March(3) });
        string[] rewrites =
        [
            "update stage_change set to_stage = 'CUSTOMER'", "update stage_change set note = 'better'", "delete from stage_change",
            "update opportunity_change set amount = 1", "update opportunity_change set reason = 'better'", "delete from opportunity_change",
            "update handoff_assignment set owner = 'bob'", "delete from handoff_assignment",
            "update opportunity set amount = 1 where state = 'LOST'", "update opportunity set state = 'OPEN'",
                "delete from opportunity where state = 'LOST'",
            "update opportunity set name = 'better' where state = 'LOST'",
        ];
        foreach (var rewrite in rewrites)
        {
            // Of this workspace alone: it locks rows until the first that is refused, and those of other tests are worked on.
            var own = $"{rewrite} {(rewrite.Contains(" where ", StringComparison.Ordinal) ? "and" : "where")} workspace_id = $1";
            var refused = await Assert.ThrowsAsync<PostgresException>(() => Fixture.Database.Query(own, workspace.Id));
            Assert.Equal(PostgresErrorCodes.RestrictViolation, refused.SqlState);
        }

        // An erasure may take words away, and nothing else.
        await workspace.Bus.Publish(new LeadErased(Guid.CreateVersion7(), workspace.Id, Times.March(10), 9, lead));
        await Eventually.Equal("Erased", async () =>
            (await workspace.Get($"/v1/opportunities/{deal["id"]}"))["name"]!.GetValue<string>(), "the name is gone");
        var timeline = (await workspace.Get($"/v1/opportunities/{deal["id"]}/timeline"))["changes"]!.AsArray();
        Assert.Equal(("LOST", ""), (timeline[1]!["type"]!.GetValue<string>(), timeline[1]!["reason"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Contacts_MergedAndErased_FollowThePerson()
    {
        var (source, target, other) = (await workspace.Lead(Times.March(1)), await workspace.Lead(Times.March(1)),
            await workspace.Lead(Times.March(1)));
        var deal = await workspace.Post("/v1/opportunities", new
        {
            name = "Acme",
            contacts = new[] { new { leadId = source, role = "CHAMPION" }, new { leadId = target, role = "USER" },
                new { leadId = other, role = "BLOCKER" } },
        });
        var path = $"/v1/opportunities/{deal["id"]}";
        await workspace.Post($"{path}:win", new { });
        await workspace.Bus.Publish(new LeadsMerged(Guid.CreateVersion7(), workspace.Id, Times.March(10), 5, source, target));
        await Eventually.Equal($"CHAMPION {target}, BLOCKER {other}", Contacts, "the two are one contact");
        await workspace.Bus.Publish(new LeadErased(Guid.CreateVersion7(), workspace.Id, Times.March(10), 9, target));
        await Eventually.Equal($"BLOCKER {other}", Contacts, "the person is forgotten");

        async Task<string> Contacts() => string.Join(
            ", ", (await workspace.Get(path))["contacts"]!.AsArray().Select(one => $"{one!["role"]} {one["leadId"]}"));
    }

    [Fact]
    public async Task Forecast_OpenDealsAndHistory_AreWeighed()
    {
        var pipeline = await Pipeline("Two", new { name = "Talk", probability = 0.2 }, new { name = "Offer", probability = 0.6 });
        for (var index = 0; index < 20; index++)
        {
            var deal = await workspace.Post("/v1/opportunities", new { pipelineId = pipeline, createTime = Times.March(1) });
            await workspace.Post($"/v1/opportunities/{deal["id"]}:advance", new { stage = "Offer", advanceTime = Times.March(1 + index) });
            var (verb, body) = index < 15 ? ("win", (object)new { closeTime = Times.March(25) })
                : ("lose", new { reason = "Price", closeTime = Times.March(25) });
            await workspace.Post($"/v1/opportunities/{deal["id"]}:{verb}", body);
        }

        var next = DateOnly.FromDateTime(Times.Now.UtcDateTime).AddMonths(2);
        await workspace.Post("/v1/opportunities", new
        {
            name = "Stalled",
            pipelineId = pipeline,
            amount = Usd("1000"),
            createTime = Times.March(1),
            expectedCloseDate = $"{next:yyyy-MM-dd}"
        });
        await workspace.Post("/v1/opportunities", new { name = "Fresh", pipelineId = pipeline, stage = "Offer", amount = Usd("3000") });
        await workspace.Post("/v1/opportunities", new
        {
            name = "Late",
            pipelineId = pipeline,
            stage = "Offer",
            amount = Usd("10"),
            expectedCloseDate = "2026-01-31"
        });

        var report = await workspace.Get($"/v1/reports/forecast?pipelineId={pipeline}&historyDays=1000");

        var (talk, offer) = (report["stages"]![0]!, report["stages"]![1]!);
        Assert.Equal(("15", "5", 0.75, 17.0 / 30),
            (talk["won"]!.GetValue<string>(), talk["lost"]!.GetValue<string>(), talk["winRate"]!.GetValue<double>(),
            talk["expectedProbability"]!.GetValue<double>()));
        Assert.Equal((9.5, 17.1), (talk["medianDays"]!.GetValue<double>(), Math.Round(talk["p90Days"]!.GetValue<double>(), 6)));
        Assert.Equal(("1", "0"), (talk["stalled"]!.GetValue<string>(), offer["stalled"]!.GetValue<string>()));
        Assert.Equal(["OVERDUE", $"{next:yyyy-MM}-01", "UNDATED"], report["rows"]!.AsArray()
            .Select(row => row!["month"]!.GetValue<string>()));
        var total = report["total"]!;
        Assert.Equal(
            ("3", "4010.00", "2006.00", "2673.67"),
            (total["count"]!.GetValue<string>(), Amount(total, "amount"), Amount(total, "weightedAmount"),
                Amount(total, "expectedAmount")));
        Assert.Equal("4010.00", Amount(total, "highAmount"));
        var stalled = (await workspace.Get("/v1/opportunities?stalled=true"))["opportunities"]!.AsArray();
        Assert.Equal("Stalled", Assert.Single(stalled)!["name"]!.GetValue<string>());
        await workspace.Get("/v1/reports/forecast?level=2&historyDays=5", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Import_RowsOfSeveralPipelines_AreReadByTheirOwnStages()
    {
        await Pipeline("Partners", new { name = "Sign", probability = 0.9 });
        var answer = await workspace.Import("/v1/opportunities:import", """
            externalId,pipeline,stage,competitor,closeTime
            P1,partners,Sign,,
            P2,,Sign,,
            P3,Nowhere,Sign,,
            P4,Partners,Lost,Rival,2026-03-09
            P1,,Proposal,,
            """);

        Assert.Equal((2, 3), (answer["created"]!.GetValue<int>(), answer["rejectedCount"]!.GetValue<int>()));
        Assert.Equal([3, 4, 6], answer["rejected"]!.AsArray().Select(row => row!["line"]!.GetValue<int>()).Order());
        var deals = (await workspace.Get("/v1/opportunities?filter=competitor%3DRival"))["opportunities"]!.AsArray();
        Assert.Equal("P4", Assert.Single(deals)!["externalId"]!.GetValue<string>());
    }

    private async Task<string> Pipeline(string name, params object[] stages) =>
        (await workspace.Post("/v1/pipelines", new { displayName = name, stages }))["id"]!.GetValue<string>();

    private static object Usd(string amount) => new { currencyCode = "USD", amount };

    private static object Line(string product, string quantity, string price) => new { product, quantity, unitPrice = Usd(price) };

    private static string Amount(JsonNode row, string field) => row[field]!["amount"]!.GetValue<string>();

    private static IEnumerable<string> Fields(JsonObject problem) =>
        problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal);
}
