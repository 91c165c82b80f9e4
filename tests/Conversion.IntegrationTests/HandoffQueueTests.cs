using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Who gets a qualified lead, until when, and what the report says of it.</summary>
public sealed class HandoffQueueTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private readonly TestWorkspace workspace = new(fixture);

    [Fact]
    public async Task Qualify_TerritoryAndTurns_NameTheOwner()
    {
        await workspace.Post("/v1/salesTeams", new { displayName = "Everyone", priority = 9, members = new[] { new { owner = "zoe" } } });
        var dach = await workspace.Post("/v1/salesTeams", new
        {
            displayName = "DACH",
            rule = "company.country in (\"DE\", \"AT\")",
            members = new object[] { new { owner = "ann" }, new { owner = "bob", away = true }, new { owner = "cem" } },
        });

        var owners = new List<string>();
        foreach (var country in new[] { "DE", "AT", "FR", "DE" })
        {
            owners.Add((await Offer(country))["owner"]!.GetValue<string>());
        }

        Assert.Equal(["ann", "cem", "zoe", "ann"], owners);
        await workspace.Patch($"/v1/salesTeams/{dach["id"]}", new { members = new object[] { new { owner = "ann", away = true } } });
        Assert.Equal("zoe", (await Offer("DE"))["owner"]!.GetValue<string>());
        var problem = await workspace.Post(
            "/v1/salesTeams", new { rule = "company.planet = 3", members = new[] { new { owner = "" } } }, HttpStatusCode.BadRequest);
        Assert.Equal(["displayName", "members[0].owner", "rule"], Fields(problem));
    }

    [Fact]
    public async Task Turns_TwentyLeadsAtOnce_AreSharedEvenly()
    {
        await workspace.Post("/v1/salesTeams", new
        {
            displayName = "All",
            members = new[] { new { owner = "ann" }, new { owner = "bob" } }
        });
        var leads = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToArray();
        await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Captured(lead, Times.March(1)))));
        await Task.WhenAll(leads.Select(lead => workspace.Bus.Publish(workspace.Qualified(lead, Times.March(2)))));
        await Eventually.Equal(
            20L, () => Fixture.Database.Scalar<long>("select count(*) from handoff where workspace_id = $1", workspace.Id),
                "all are offered");

        Assert.Equal(10L, await Fixture.Database.Scalar<long>("select count(*) from handoff where workspace_id = $1 and owner = 'ann'",
            workspace.Id));
    }

    [Fact]
    public async Task Assign_ByHandByTeamAndByRule_KeepsWhoHadIt()
    {
        var team = await workspace.Post("/v1/salesTeams",
            new { displayName = "All", members = new[] { new { owner = "ann" }, new { owner = "bob" } } });
        var handoff = await Offer("DE");
        var path = $"/v1/handoffs/{handoff["id"]}";
        Assert.Equal((team["id"]!.GetValue<string>(), "ann"),
            (handoff["teamId"]!.GetValue<string>(), handoff["owner"]!.GetValue<string>()));
        await workspace.Post($"{path}:assign", new { owner = "dan" });
        await workspace.Post($"{path}:assign", new { teamId = team["id"]!.GetValue<string>() });
        await workspace.Post($"{path}:assign", new { });
        await workspace.Post($"{path}:assign", new { owner = "x", teamId = team["id"]!.GetValue<string>() }, HttpStatusCode.BadRequest);
        await workspace.Post($"{path}:assign", new { teamId = Guid.CreateVersion7() }, HttpStatusCode.NotFound);
        await workspace.Post($"{path}:accept", new { owner = "eve" });

        var read = await workspace.Get(path);
        Assert.Equal("eve", read["owner"]!.GetValue<string>());
        Assert.Equal(["ann", "dan", "bob", "ann", "eve"], read["assignments"]!.AsArray().Select(one => one!["owner"]!.GetValue<string>()));
        Assert.Equal("service:conversion", read["assignments"]![0]!["actor"]!.GetValue<string>());
        Assert.Empty((await workspace.Get("/v1/handoffs?owner=dan"))["handoffs"]!.AsArray());
        Assert.Single((await workspace.Get("/v1/handoffs?owner=eve"))["handoffs"]!.AsArray());
    }

    [Fact]
    public async Task Deadline_PassedWithoutAnswer_IsWarnedOfOnce()
    {
        await workspace.Announce();
        await workspace.Put("/v1/handoffSettings", new { responseMinutes = 30 });
        var (late, answered, old) = (await workspace.Lead(Times.March(1)), await workspace.Lead(Times.March(1)),
            await workspace.Lead(Times.March(1)));
        var begin = Times.Now.AddMinutes(-40);
        await workspace.Qualify(late, begin);
        var inTime = await workspace.Qualify(answered, Times.Now);
        await workspace.Post($"/v1/handoffs/{inTime["id"]}:accept", new { });
        await workspace.Qualify(old, Times.March(2));

        var warned = Assert.Single(await workspace.Bus.Until<HandoffOverdue>(1, e => e.WorkspaceId == workspace.Id));
        Assert.Equal((late, begin, begin.AddMinutes(30)), (warned.LeadId, warned.CreateTime, warned.DueTime));
        var overdue = (await workspace.Get("/v1/handoffs?overdue=true"))["handoffs"]!.AsArray();
        Assert.Equal(new[] { old, late }.Order(), overdue.Select(one => Guid.Parse(one!["leadId"]!.GetValue<string>())).Order());
        Assert.True(overdue[0]!["overdue"]!.GetValue<bool>());
        Assert.Equal(2, (await workspace.Get("/v1/handoffs?filter=overdue%3Dtrue"))["handoffs"]!.AsArray().Count);
        Assert.Single(Fixture.Bus.Of<HandoffOverdue>(), e => e.WorkspaceId == workspace.Id);
    }

    [Fact]
    public async Task Settings_WorkingHours_AreKeptAndSetTheDeadline()
    {
        var asked = new
        {
            responseMinutes = 120,
            workingHours = new
            {
                days = new[] { "MON", "TUE" },
                start = "09:00",
                end = "10:00",
                timeZone = "Europe/Berlin",
                holidays = new[] { "2026-03-03" }
            }
        };
        var kept = await workspace.Put("/v1/handoffSettings", asked);
        Assert.True(JsonNode.DeepEquals(kept, await workspace.Get("/v1/handoffSettings")));
        Assert.Equal(("09:00", "2026-03-03"), (kept["workingHours"]!["start"]!.GetValue<string>(),
            kept["workingHours"]!["holidays"]![0]!.GetValue<string>()));

        // Sunday, 1 March: an hour on Monday, none on the holiday, the second one on Monday after.
        var handoff = await workspace.Qualify(await workspace.Lead(Times.March(1)), Times.March(1));
        Assert.Equal("2026-03-09T09:00:00Z", handoff["dueTime"]!.GetValue<string>());
        var problem = await workspace.Put(
            "/v1/handoffSettings", new
            {
                responseMinutes = -1,
                workingHours = new { days = new[] { "X" }, start = "10:00", end = "09:00", timeZone = "Mars" }
            },
                HttpStatusCode.BadRequest);
        Assert.Equal(["responseMinutes", "workingHours.days", "workingHours.end", "workingHours.timeZone"], Fields(problem));
    }

    [Fact]
    public async Task Disqualify_OpenAndAccepted_RulesTheLeadOut()
    {
        var (open, accepted) = (await workspace.Lead(Times.March(1)), await workspace.Lead(Times.March(1)));
        var first = await workspace.Qualify(open, Times.March(2));
        var second = await workspace.Qualify(accepted, Times.March(2));
        await workspace.Post($"/v1/handoffs/{second["id"]}:accept", new { acceptTime = Times.March(3) });
        foreach (var handoff in new[] { first, second })
        {
            var ruledOut = await workspace.Post(
                $"/v1/handoffs/{handoff["id"]}:disqualify", new { reason = "Student", disqualifyTime = Times.March(4) });
            Assert.Equal(("DISQUALIFIED", "Student"),
                (ruledOut["state"]!.GetValue<string>(), ruledOut["returnReason"]!.GetValue<string>()));
        }

        Assert.Equal(["MQL>DISQUALIFIED:DISQUALIFIED", "SQL>DISQUALIFIED:DISQUALIFIED"],
            [(await workspace.History(open))[^1], (await workspace.History(accepted))[^1]]);
        await workspace.Post($"/v1/handoffs/{first["id"]}:disqualify", new { reason = "Again" }, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Report_OfHandoffs_TellsTimesReasonsAndReopenedBySource()
    {
        await workspace.Put("/v1/handoffSettings", new { responseMinutes = 120 });
        var (spring, again, autumn) = (await workspace.Lead(Times.March(1)), await workspace.Lead(Times.March(1)),
            await workspace.Lead(Times.March(1), campaign: "autumn"));
        await Answer(await workspace.Qualify(spring, Times.March(2)), "accept", new { acceptTime = Times.March(2).AddMinutes(60) });
        await Answer(await workspace.Qualify(again, Times.March(2)), "return",
            new { reason = "NO_BUDGET", returnTime = Times.March(2).AddMinutes(180) });
        await workspace.Qualify(again, Times.March(5), version: 3);
        await Answer(await workspace.Qualify(autumn, Times.March(2)), "disqualify",
            new { reason = "Student", disqualifyTime = Times.March(2).AddMinutes(30) });

        var rows = (await workspace.Get("/v1/reports/handoffs?from=2026-03-01&to=2026-04-01&groupBy=campaign"))["rows"]!.AsArray();

        var row = rows[0]!;
        Assert.Equal(["spring", "autumn"], rows.Select(one => one!["group"]!["campaign"]!.GetValue<string>()));
        Assert.Equal(
            ["3", "1", "1", "1", "0", "0", "1", "1"],
            new[] { "handoffs", "reopened", "accepted", "returned", "disqualified", "expired", "open", "overdue" }.Select(field =>
                row[field]!.GetValue<string>()));
        Assert.Equal((120, 168), (row["medianResponseMinutes"]!.GetValue<double>(), row["p90ResponseMinutes"]!.GetValue<double>()));
        Assert.Equal((1.0 / 3, 0.5), (row["inTimeRate"]!.GetValue<double>(), row["returnRate"]!.GetValue<double>()));
        Assert.Equal("NO_BUDGET 1", $"{row["returnReasons"]![0]!["reason"]} {row["returnReasons"]![0]!["count"]}");
        Assert.Equal(1, rows[1]!["inTimeRate"]!.GetValue<double>());
        Assert.Single((await workspace.Get("/v1/handoffs?filter=reopened%3Dtrue"))["handoffs"]!.AsArray());
        Assert.NotEqual("", (await workspace.Get("/v1/reports/handoffs?from=2025-01-01&to=2025-02-01"))["note"]!.GetValue<string>());
        await workspace.Get("/v1/reports/handoffs?from=2026-03-01&to=2026-04-01&groupBy=weather", HttpStatusCode.BadRequest);
    }

    private Task<JsonObject> Answer(JsonObject handoff, string verb, object body) =>
        workspace.Post($"/v1/handoffs/{handoff["id"]}:{verb}", body);

    private static IEnumerable<string> Fields(JsonObject problem) =>
        problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal);

    private async Task<JsonObject> Offer(string country)
    {
        var lead = Guid.CreateVersion7();
        await workspace.Bus.Publish(workspace.Captured(lead, Times.March(1)) with { Company = new("Acme", null, null, 80, null, country) });
        await workspace.UntilStage(lead, "LEAD");
        return await workspace.Qualify(lead, Times.March(2));
    }
}
