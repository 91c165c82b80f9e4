using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>A CRM that takes what is told, tells what it knows, and is pulled.</summary>
public sealed class CrmSyncTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private readonly TestWorkspace workspace = new(fixture);
    private readonly FakeCrm crm = new(FreePorts.Find(1)[0]);

    public override async ValueTask DisposeAsync()
    {
        await crm.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Outbound_LeadQualifies_IsToldSignedAndMapped()
    {
        var connection = await Connect(new
        {
            url = $"{crm.Address}/hook",
            fieldMap = new Dictionary<string,
            string>
            {
                ["Email"] = "/email",
                ["Source"] = "/firstTouch/source",
                ["Score"] = "/score",
                ["Why"] = "/reasons/0/text",
                ["Plan"] = "/traits/plan",
                ["Country"] = "/company/country"
            }
        });
        var whole = await workspace.Post("/v1/crmConnections",
            new { displayName = "Elsewhere", outbound = new { url = "http://10.11.12.13/hook" } });
        var lead = await Qualified();

        await Eventually.Equal(1, () => Task.FromResult(crm.Received.Count), "the CRM was told");
        var body = crm.Received.Single().Body;
        Assert.Equal("lead.qualified", body["type"]!.GetValue<string>());
        Assert.Equal(
            $$"""{"Email":"{{lead:N}}@example.com","Source":"google","Score":72.5,"Why":"Asked for a demo","Plan":"pro","Country":"AT"}""",
            Sorted(body["data"]!, "Email", "Source", "Score", "Why", "Plan", "Country"));
        var delivery = await Delivery(connection, "DELIVERED");
        Assert.Equal((crm.Received.Single().Id, lead.ToString(), 204),
            (delivery["webhookId"]!.GetValue<string>(), delivery["leadId"]!.GetValue<string>(),
            delivery["attempts"]![0]!["status"]!.GetValue<int>()));
        // A private address is refused at the connection, and told in the log.
        await Eventually.True(async () => (await Deliveries(whole))[0]!["attempts"]!.AsArray().Count > 0, "the other was tried");
        var refused = (await Deliveries(whole))[0]!;
        Assert.Contains("private address", refused["attempts"]![0]!["error"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(lead.ToString(), JsonNode.Parse(refused["body"]!.GetValue<string>())!["data"]!["leadId"]!.GetValue<string>());
        // The secret is told once.
        Assert.Equal("", (await workspace.Get($"/v1/crmConnections/{connection}"))["secret"]!.GetValue<string>());

        await workspace.Bus.Publish(new LeadErased(Guid.CreateVersion7(), workspace.Id, Times.March(10), 9, lead));
        await Eventually.Equal("CANCELLED ", async () =>
            $"{(await Deliveries(whole))[0]!["state"]} {(await Deliveries(whole))[0]!["body"]}", "nothing more is told of the person");
        await workspace.Post($"/v1/crmConnections/{connection}/deliveries/{delivery["id"]}:replay", new { }, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Outbound_EndpointFailsAndGoes_IsTriedAgainDisabledAndReplayed()
    {
        var connection = await Connect(new { url = $"{crm.Address}/hook" });
        crm.Statuses.Enqueue(500);
        crm.Statuses.Enqueue(410);
        await workspace.Post($"/v1/crmConnections/{connection}:test", new { });

        var cancelled = await Delivery(connection, "CANCELLED");
        Assert.Equal([500, 410], cancelled["attempts"]!.AsArray().Select(attempt => attempt!["status"]!.GetValue<int>()));
        var disabled = await workspace.Get($"/v1/crmConnections/{connection}");
        Assert.Equal(("DISABLED", "The endpoint answered 410 Gone."),
            (disabled["state"]!.GetValue<string>(), disabled["disableReason"]!.GetValue<string>()));
        await workspace.Post($"/v1/crmConnections/{connection}:test", new { }, HttpStatusCode.BadRequest);

        // With a new secret; the old one holds for another day.
        await workspace.Patch($"/v1/crmConnections/{connection}", new { state = "ENABLED" });
        var rotated = await workspace.Post($"/v1/crmConnections/{connection}:rotateSecret", new { });
        Assert.NotEqual(crm.Secret, rotated["secret"]!.GetValue<string>());
        await workspace.Post($"/v1/crmConnections/{connection}/deliveries/{cancelled["id"]}:replay", new { });
        await Delivery(connection, "DELIVERED");
        Assert.Single(crm.Received.Select(one => one.Id).Distinct());
    }

    [Fact]
    public async Task Inbound_DealsOutOfOrderAndTwice_EndAsTheLatestChangeSays()
    {
        var lead = await workspace.Lead(Times.March(1));
        var connection = await Connect(null);
        var path = (await workspace.Get($"/v1/crmConnections/{connection}"))["inboundPath"]!.GetValue<string>();
        string Deal(string fields, int hour) =>
            $$$"""{"type":"deal.updated","data":{"externalId":"X1",{{{fields}}},"changeTime":"2026-03-05T{{{hour:00}}}:00:00Z"}}""";
        async Task<string> Send(string body, string? id = null)
        {
            var (status, answer) = await crm.Send(Fixture.Service.Http, path, body, id);
            return $"{status} {answer!["applied"]}{answer["unchanged"]}{answer["ignored"]}{answer["rejected"]}{answer["duplicate"]}";
        }

        Assert.Equal("200 1000false", await Send(Deal($"\"leadId\":\"{lead}\",\"name\":\"Acme\",\"amount\":100,\"stage\":\"qualified\"",
            8), "m1"));
        Assert.Equal("200 1000true", await Send(Deal("\"name\":\"Acme again\"", 9), "m1"));
        Assert.Equal("200 1000false", await Send(Deal("\"amount\":300", 12)));
        // Older than the amount, newer than the stage: each field by itself.
        Assert.Equal("200 1000false", await Send(Deal("\"amount\":200,\"stage\":\"Proposal\"", 10)));
        Assert.Equal("200 0010false", await Send(Deal("\"amount\":250", 11)));
        Assert.Equal("200 0100false", await Send(Deal("\"amount\":300", 13)));
        var deal = (await workspace.Get("/v1/opportunities?filter=externalId%3DX1"))["opportunities"]![0]!;
        Assert.Equal(("Acme", "300.00", "Proposal"),
            (deal["name"]!.GetValue<string>(), deal["amount"]!["amount"]!.GetValue<string>(), deal["stage"]!.GetValue<string>()));
        // What was changed here since is newer.
        await workspace.Patch($"/v1/opportunities/{deal["id"]}", new { name = "Acme, ours" });
        Assert.Equal("200 0010false", await Send(Deal("\"name\":\"Theirs\"", 23)));
        Assert.Equal("200 1000false", await Send(Deal("\"stage\":\"closedwon\",\"closeTime\":\"2026-03-06\"", 14)));
        Assert.Equal("200 0010false", await Send(Deal("\"stage\":\"Proposal\"", 20)));
        Assert.Equal("CUSTOMER", await workspace.Stage(lead));
        Assert.Single(await workspace.Bus.Until<RevenueBooked>(1, e => e.LeadId == lead));
        Assert.Equal("200 0001false", await Send("""{"type":"deal.updated","data":[{"name":"No id"}]}"""));

        var receipts = (await workspace.Get($"/v1/crmConnections/{connection}/receipts?pageSize=2"))["receipts"]!.AsArray();
        Assert.Contains("externalId", receipts[0]!["errors"]![0]!.GetValue<string>(), StringComparison.Ordinal);
        var timeline = (await workspace.Get($"/v1/opportunities/{deal["id"]}/timeline"))["changes"]!.AsArray();
        Assert.Equal("crm:CRM", timeline[0]!["actor"]!.GetValue<string>());
    }

    [Fact]
    public async Task Inbound_NotSignedOldOrNoJson_IsRefused()
    {
        var connection = await Connect(null);
        var path = (await workspace.Get($"/v1/crmConnections/{connection}"))["inboundPath"]!.GetValue<string>();
        var service = Fixture.Service.Http;

        Assert.Equal(401, (await crm.Send(service, path, "{}", secret: "whsec_" + Convert.ToBase64String(new byte[32]))).Status);
        Assert.Equal(401, (await crm.Send(service, path, "{}", secondsAgo: 400)).Status);
        Assert.Equal(400, (await crm.Send(service, path, "nonsense")).Status);
        Assert.Equal(400, (await crm.Send(service, path, "{}")).Status);
        Assert.Equal(404, (await crm.Send(service, "/v1/crm/nonsense/inbound", "{}")).Status);
        Assert.Equal(413, (await crm.Send(service, path, new string(' ', 1024 * 1024 + 1))).Status);
        await workspace.Patch($"/v1/crmConnections/{connection}", new { state = "DISABLED" });
        Assert.Equal(404, (await crm.Send(service, path, "{}")).Status);
        Assert.Empty((await workspace.Get($"/v1/crmConnections/{connection}/receipts"))["receipts"]!.AsArray());
    }

    [Fact]
    public async Task Inbound_StagesOfLeads_AnswerTheirHandoffs()
    {
        var connection = await Connect(null);
        var path = (await workspace.Get($"/v1/crmConnections/{connection}"))["inboundPath"]!.GetValue<string>();
        var (taken, back, ruledOut) = (await workspace.Lead(Times.March(1)), await workspace.Lead(Times.March(1)),
            await workspace.Lead(Times.March(1)));
        foreach (var lead in new[] { taken, back, ruledOut })
        {
            await workspace.Qualify(lead, Times.March(2));
        }

        var (_, answer) = await crm.Send(Fixture.Service.Http, path, $$"""
            {"type":"lead.updated","data":[
              {"leadId":"{{taken}}","stage":"SQL","owner":"ann","changeTime":"2026-03-03T08:00:00Z"},
              {"leadEmail":"{{back:N}}@example.com","stage":"LEAD","reason":"NO_BUDGET","changeTime":"2026-03-03T08:00:00Z"},
              {"leadId":"{{ruledOut}}","stage":"DISQUALIFIED","reason":"Student","changeTime":"2026-03-03T08:00:00Z"},
              {"leadId":"{{taken}}","stage":"LEAD","changeTime":"2026-03-02T08:00:00Z"},
              {"leadEmail":"nobody@example.com","stage":"SQL"},
              {"leadId":"{{taken}}","stage":"CUSTOMER"}]}
            """);

        Assert.Equal("3012", $"{answer!["applied"]}{answer["unchanged"]}{answer["ignored"]}{answer["rejected"]}");
        Assert.Equal(
            ["ACCEPTED  ann", "RETURNED NO_BUDGET ", "DISQUALIFIED Student "],
            await Task.WhenAll(new[] { taken, back, ruledOut }.Select(async lead =>
                $"{(await workspace.Handoff(lead))["state"]} {(await workspace.Handoff(lead))["returnReason"]} {(await workspace.Handoff(lead))["owner"]}")));
        Assert.Equal("NO_BUDGET", (await workspace.Bus.Until<LeadReturned>(1, e => e.LeadId == back))[0].Reason);
        Assert.Equal("SQL", await workspace.Stage(taken));
    }

    [Fact]
    public async Task Pull_PagesAndLaterChanges_AreReadFromWhereItStopped()
    {
        await crm.Start();
        await workspace.Announce();
        crm.Pages[""] = """{"items":[{"id":"P1","value":"10","phase":"open","at":"2026-03-05T08:00:00Z"}],"next":"two"}""";
        crm.Pages["two"] = """{"items":[{"id":"P2","value":"20","phase":"won","at":"2026-03-06T08:00:00Z","done":"2026-03-06"}]}""";
        var pull = new
        {
            url = crm.Address + "/deals?since={updatedSince}&cursor={cursor}",
            authHeader = "X-Key",
            authSecret = "s3cret",
            nextCursor = "/next",
            intervalSeconds = 10,
            mapping = new
            {
                fields = new Dictionary<string, string>
                {
                    ["externalId"] = "/id",
                    ["amount"] = "/value",
                    ["stage"] = "/phase",
                    ["changeTime"] = "/at",
                    ["closeTime"] = "/done"
                },
                stages = new Dictionary<string, string> { ["open"] = "Prospecting" },
            },
        };
        var connection = (await workspace.Post("/v1/crmConnections", new { displayName = "Pulled", pull }))["id"]!.GetValue<string>();

        await Eventually.Equal(2, async () => (await workspace.Get("/v1/opportunities"))["opportunities"]!.AsArray().Count,
            "both are there");
        crm.Pages[""] = """{"items":[{"id":"P1","value":"15","phase":"open","at":"2026-03-07T08:00:00Z"}]}""";
        await Eventually.Equal("15.00", async () =>
        {
            await workspace.Post($"/v1/crmConnections/{connection}:pull", new { });
            return (await workspace.Get(
                "/v1/opportunities?filter=externalId%3DP1"))["opportunities"]![0]!["amount"]!["amount"]!.GetValue<string>();
        }, "the change is there");

        var read = await workspace.Get($"/v1/crmConnections/{connection}");
        Assert.Equal(("", ""), (read["pull"]!["authSecret"]!.GetValue<string>(), read["lastPullError"]!.GetValue<string>()));
        Assert.Equal(("?since=1970-01-01T00:00:00Z&cursor=", "?since=1970-01-01T00:00:00Z&cursor=two"),
            (crm.Pulled.First().Query, crm.Pulled.Skip(1).First().Query));
        Assert.Contains(crm.Pulled, request => request.Query == "?since=2026-03-06T08:00:00Z&cursor=");
        Assert.Equal("WON", (await workspace.Get(
            "/v1/opportunities?filter=externalId%3DP2"))["opportunities"]![0]!["state"]!.GetValue<string>());
        Assert.DoesNotContain("s3cret", await Fixture.Database.Scalar<string>("select auth_secret from crm_connection where id = $1",
            Guid.Parse(connection)), StringComparison.Ordinal);

        await workspace.Patch($"/v1/crmConnections/{connection}", new { pull = pull with { authSecret = "wrong" } });
        await Eventually.Equal(
            "The CRM answered 401.", async () => (await workspace.Get(
                $"/v1/crmConnections/{connection}"))["lastPullError"]!.GetValue<string>(), "the failure is told");
        await workspace.Delete($"/v1/crmConnections/{connection}");
        await workspace.Get($"/v1/crmConnections/{connection}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Connection_EverythingWrong_NamesEveryFault()
    {
        var problem = await workspace.Post("/v1/crmConnections", new
        {
            outbound = new { url = "ftp://crm", fieldMap = new Dictionary<string, string> { ["a"] = "b" } },
            inbound = new { items = "x" },
            pull = new { url = "nowhere", authHeader = "X Key", intervalSeconds = 1, nextCursor = "next" },
        }, HttpStatusCode.BadRequest);

        Assert.Equal(
            ["displayName", "inbound.items", "outbound.fieldMap", "outbound.url", "pull.authHeader", "pull.intervalSeconds",
                "pull.nextCursor", "pull.url"],
            problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        var stranger = new TestWorkspace(Fixture);
        var connection = await Connect(null);
        await stranger.Get($"/v1/crmConnections/{connection}", HttpStatusCode.NotFound);
        await stranger.Get($"/v1/crmConnections/{connection}/deliveries", HttpStatusCode.NotFound);
    }

    /// <summary>A connection named CRM; the fake one runs and knows its secret.</summary>
    private async Task<string> Connect(object? outbound)
    {
        await crm.Start();
        await workspace.Announce();
        var made = await workspace.Post("/v1/crmConnections", new
        {
            displayName = "CRM",
            outbound,
            inbound = new { stages = new Dictionary<string, string> { ["qualified"] = "Engaging", ["closedwon"] = "Won" } },
        });
        crm.Secret = made["secret"]!.GetValue<string>();
        return made["id"]!.GetValue<string>();
    }

    private async Task<Guid> Qualified()
    {
        var lead = Guid.CreateVersion7();
        await workspace.Bus.Publish(workspace.Captured(lead, Times.March(1)) with
        {
            Traits = new Dictionary<string, string> { ["plan"] = "pro" },
            Company = new("Acme", null, null, 80, null, "AT"),
        });
        await workspace.UntilStage(lead, "LEAD");
        await workspace.Qualify(lead, Times.March(2));
        return lead;
    }

    private async Task<JsonArray> Deliveries(JsonNode connection) =>
        (await workspace.Get($"/v1/crmConnections/{(connection as JsonObject)?["id"] ?? connection}/deliveries"))["deliveries"]!.AsArray();

    private async Task<JsonNode> Delivery(string connection, string state)
    {
        await Eventually.Equal(state, async () => (await Deliveries(JsonValue.Create(connection)))[0]!["state"]!.GetValue<string>(),
            $"the delivery is {state}");
        return (await Deliveries(JsonValue.Create(connection)))[0]!;
    }

    /// <summary>The members in that order, whatever order they came in.</summary>
    private static string Sorted(JsonNode data, params string[] names) =>
        new JsonObject(names.Select(name => KeyValuePair.Create(name, data[name]?.DeepClone()))).ToJsonString();
}
