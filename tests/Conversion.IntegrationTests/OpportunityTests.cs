using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Deals: what may be done to them, twice or at once, one by one or by import.</summary>
public sealed class OpportunityTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private const string Export =
        """
        opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
        1C1I7A6R,Moses Frase,GTX Plus Basic,Cancity,Won,2026-03-20,2026-04-01,1054
        Z063OYW0,Darcel Schlecht,GTXPro,Isdom,Lost,2026-03-25,2026-04-11,0
        EC4QE1BX,Darcel Schlecht,MG Special,Cancity,Engaging,2026-03-27,,
        UYJ1PPX1,Ann Li,MG Advanced,,Prospecting,,,
        BROKEN,Ann Li,MG Advanced,,Dreaming,,,much
        """;

    private readonly TestWorkspace workspace = new(fixture, "Europe/Berlin");

    [Fact]
    public async Task Win_Twice_IsFinalAndRepeatableByRequestIdOnly()
    {
        var deal = await workspace.Post(
            "/v1/opportunities", new { name = "Acme", amount = new { currencyCode = "USD", amount = "100.00" } });
        var path = $"/v1/opportunities/{deal["id"]}";
        var first = await workspace.Post($"{path}:win", new { amount = new { currencyCode = "USD", amount = "120.50" } }, key: "win-1");
        var again = await workspace.Post($"{path}:win", new { amount = new { currencyCode = "USD", amount = "120.50" } }, key: "win-1");

        Assert.Equal(first.ToJsonString(), again.ToJsonString());
        Assert.Equal("120.50", first["amount"]!["amount"]!.GetValue<string>());
        Assert.Equal(
            "ABORTED", (await workspace.Post($"{path}:win", new { }, HttpStatusCode.Conflict, "win-1"))["code"]!.GetValue<string>());
        foreach (var (verb,
            body) in new (string, object)[] { ("win", new { }), ("lose", new { reason = "x" }), ("advance", new { stage = "Proposal" }) })
        {
            var problem = await workspace.Post($"{path}:{verb}", body, HttpStatusCode.BadRequest);
            Assert.Equal("FAILED_PRECONDITION", problem["code"]!.GetValue<string>());
        }

        await workspace.Patch(path, new { name = "Other" }, HttpStatusCode.BadRequest);
        await workspace.Delete(path, HttpStatusCode.BadRequest);
        Assert.Single(await workspace.Bus.Until<RevenueBooked>(1, e => e.OpportunityId.ToString() == deal["id"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Win_TwentyAtOnce_BooksOnce()
    {
        var lead = await workspace.Lead(Times.March(1));
        var deal = await workspace.Post("/v1/opportunities", new { leadId = lead, amount = new { currencyCode = "USD", amount = "10" } });
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            try
            {
                await workspace.Post($"/v1/opportunities/{deal["id"]}:win", new { });
                return 1;
            }
            catch (Xunit.Sdk.TrueException)
            {
                return 0;
            }
        }));

        Assert.Equal(1, answers.Sum());
        Assert.Single(await workspace.Bus.Until<RevenueBooked>(1, e => e.LeadId == lead));
        Assert.Equal(3, (await workspace.Published(lead)).Length);
    }

    [Fact]
    public async Task AcceptAgainstDecay_AtOnce_EndsInOneOfTwoSoundStates()
    {
        for (var round = 0; round < 5; round++)
        {
            var lead = await workspace.Lead(Times.March(1));
            var handoff = await workspace.Qualify(lead, Times.March(2));
            var decay = workspace.Bus.Publish(workspace.Disqualified(lead, Times.March(3)));
            JsonObject? accepted = null;
            try
            {
                accepted = await workspace.Post($"/v1/handoffs/{handoff["id"]}:accept", new { });
            }
            catch (Xunit.Sdk.TrueException)
            {
                // The decay came first.
            }

            await decay;
            await workspace.UntilStage(lead, accepted is null ? "LEAD" : "SQL");
            Assert.Equal(accepted is null ? "EXPIRED" : "ACCEPTED", (await workspace.Handoff(lead))["state"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task Create_ExternalIdTwice_IsRefused()
    {
        await workspace.Post("/v1/opportunities", new { externalId = "A1" });
        Assert.Equal(
            "ALREADY_EXISTS",
            (await workspace.Post("/v1/opportunities", new { externalId = "A1" }, HttpStatusCode.Conflict))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Create_EverythingWrong_NamesEveryFaultAndChangesNothing()
    {
        var problem = await workspace.Post("/v1/opportunities", new
        {
            leadId = "7",
            pipelineId = "8",
            amount = new { currencyCode = "EUR", amount = "-1" },
            expectedCloseDate = "soon",
            createTime = "2999-01-01T00:00:00Z",
        }, HttpStatusCode.BadRequest);

        Assert.Equal(
            ["amount.amount", "amount.currencyCode", "createTime", "expectedCloseDate", "leadId", "pipelineId"],
            problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        Assert.Empty((await workspace.Get("/v1/opportunities"))["opportunities"]?.AsArray() ?? []);
    }

    [Fact]
    public async Task Create_LeadStillOnItsWay_IsAskedOfCapture()
    {
        var (known, unknown) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        Fixture.Capture.Leads[known.ToString()] = new Capture.V1.Lead
        {
            Id = known.ToString(),
            CaptureType = Capture.V1.Lead.Types.CaptureType.Api,
            CreateTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(Times.March(1)),
            FirstTouch = FakeCapture.Touch("Referral", Times.March(1)),
        };

        await workspace.PostOfStranger("/v1/opportunities", new { leadId = known, createTime = Times.March(2) });
        Assert.Equal(["VISITOR>LEAD:CAPTURED", "LEAD>OPPORTUNITY:OPPORTUNITY_OPENED"], await workspace.History(known));
        await workspace.PostOfStranger("/v1/opportunities", new { leadId = unknown }, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Import_CrmExport_IsTakenOnceAndFaultsAreToldByLine()
    {
        var dry = await workspace.Import("/v1/opportunities:import?dryRun=true", Export);
        var first = await workspace.Import("/v1/opportunities:import", Export);
        var again = await workspace.Import("/v1/opportunities:import", Export);

        Assert.Equal((4, 1), (Number(dry, "created"), Number(dry, "rejectedCount")));
        Assert.Equal(
            (4, 0, 0, 1), (Number(first, "created"), Number(first, "updated"), Number(first, "unchanged"), Number(first, "rejectedCount")));
        Assert.Equal(
            (0, 0, 4, 1), (Number(again, "created"), Number(again, "updated"), Number(again, "unchanged"), Number(again, "rejectedCount")));
        Assert.Equal((6, 2), (Number(first["rejected"]![0]!.AsObject(), "line"), first["rejected"]![0]!["errors"]!.AsArray().Count));
        var won = (await workspace.Get("/v1/opportunities?filter=externalId%20%3D%20%221C1I7A6R%22"))["opportunities"]![0]!;
        Assert.Equal(("WON", "1054.00", "2026-03-31T22:00:00Z"), (
            won["state"]!.GetValue<string>(), won["amount"]!["amount"]!.GetValue<string>(), won["closeTime"]!.GetValue<string>()));
        Assert.Equal(0.5, await workspace.Metric("win_rate", new(2026, 1, 1), new(2027, 1, 1)));
        Assert.Equal(1054, await workspace.Metric("bookings", new(2026, 4, 1), new(2026, 4, 2)));
    }

    [Fact]
    public async Task Import_OpenDealIsWonLater_UpdatesItAndItsLead()
    {
        var lead = await workspace.Lead(Times.March(1));
        var row =
            $$"""{"externalId":"D1","leadEmail":"{{lead:N}}@EXAMPLE.com","stage":"Proposal","amount":"50","createTime":"2026-03-02"}""";
        var opened = await workspace.Import("/v1/opportunities:import", row, "application/x-ndjson");
        Assert.Equal("OPPORTUNITY", await workspace.Stage(lead));
        var won = await workspace.Import(
            "/v1/opportunities:import",
            """{"externalId":"D1","stage":"Won","closeTime":"2026-03-09","amount":"60"}""", "application/x-ndjson");
        var reopened = await workspace.Import(
            "/v1/opportunities:import", """{"externalId":"D1","stage":"Proposal"}""", "application/x-ndjson");

        Assert.Equal((1, 1, 1), (Number(opened, "created"), Number(won, "updated"), Number(reopened, "rejectedCount")));
        Assert.Equal("CUSTOMER", await workspace.Stage(lead));
        Assert.Equal(60, (await workspace.Bus.Until<RevenueBooked>(1, e => e.LeadId == lead))[0].Amount.Amount);
    }

    [Fact]
    public async Task Pages_OfDeals_CoverAllOfThemOnce()
    {
        for (var index = 0; index < 5; index++)
        {
            await workspace.Post("/v1/opportunities", new { name = $"Deal {index}", createTime = Times.March(index + 1) });
        }

        var names = new List<string>();
        var token = "";
        do
        {
            var page = await workspace.Get($"/v1/opportunities?pageSize=2&orderBy=createTime&pageToken={token}");
            names.AddRange(page["opportunities"]!.AsArray().Select(deal => deal!["name"]!.GetValue<string>()));
            token = page["nextPageToken"]?.GetValue<string>() ?? "";
        }
        while (token.Length > 0);

        Assert.Equal(["Deal 0", "Deal 1", "Deal 2", "Deal 3", "Deal 4"], names);
    }

    [Fact]
    public async Task Pipelines_DefaultAndOwn_AreKeptSound()
    {
        var present = (await workspace.Get("/v1/pipelines"))["pipelines"]![0]!;
        Assert.True(present["isDefault"]!.GetValue<bool>());
        var own = await workspace.Post(
            "/v1/pipelines",
            new { displayName = "Partners", stages = new[] { new { name = "Talk", probability = 0.3 } }, isDefault = true });
        var deal = await workspace.Post("/v1/opportunities", new { name = "Acme" });
        Assert.Equal((own["id"]!.GetValue<string>(), "Talk"), (deal["pipelineId"]!.GetValue<string>(), deal["stage"]!.GetValue<string>()));

        await workspace.Patch(
            $"/v1/pipelines/{own["id"]}", new { stages = new[] { new { name = "Sign", probability = 0.9 } } }, HttpStatusCode.BadRequest);
        await workspace.Delete($"/v1/pipelines/{own["id"]}", HttpStatusCode.BadRequest);
        await workspace.Patch($"/v1/pipelines/{present["id"]}", new { isDefault = true });
        Assert.Equal(1, (await workspace.Get("/v1/pipelines"))["pipelines"]!.AsArray().Count(
            pipeline => pipeline!["isDefault"]?.GetValue<bool>() == true));
    }

    [Fact]
    public async Task AnotherWorkspace_SeesAndChangesNothing()
    {
        var lead = await workspace.Lead(Times.March(1));
        var handoff = await workspace.Qualify(lead, Times.March(2));
        var deal = await workspace.Post("/v1/opportunities", new { name = "Acme" });
        var pipeline = deal["pipelineId"]!.GetValue<string>();
        var stranger = new TestWorkspace(Fixture);

        await stranger.Get($"/v1/leads/{lead}/stage", HttpStatusCode.NotFound);
        await stranger.PostOfStranger($"/v1/leads/{lead}/stage:move", new { to = "CUSTOMER" }, HttpStatusCode.NotFound);
        await stranger.Post($"/v1/handoffs/{handoff["id"]}:accept", new { }, HttpStatusCode.NotFound);
        await stranger.Get($"/v1/opportunities/{deal["id"]}", HttpStatusCode.NotFound);
        await stranger.Post($"/v1/opportunities/{deal["id"]}:win", new { }, HttpStatusCode.NotFound);
        await stranger.Post("/v1/opportunities", new { pipelineId = pipeline }, HttpStatusCode.NotFound);
        await stranger.Delete($"/v1/pipelines/{pipeline}", HttpStatusCode.NotFound);
        Assert.Empty((await stranger.Get("/v1/handoffs"))["handoffs"]?.AsArray() ?? []);
        Assert.Equal("MQL", await workspace.Stage(lead));
    }

    private static int Number(JsonObject answer, string field) => answer[field]?.GetValue<int>() ?? 0;
}
