using System.Net;
using System.Text.Json.Nodes;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Moves by hand that are asked for at the same time: each is answered as it would be alone.</summary>
public sealed class MoveTogetherTests(ConversionFixture fixture) : ConversionTest(fixture)
{
    private const int Leads = 30;

    [Fact]
    public async Task Moves_OfManyLeadsAtOnceEachAskedTwice_HappenOnceAndAreToldInOrder()
    {
        var workspace = new TestWorkspace(Fixture);
        var leads = await Captured(workspace);

        foreach (var to in new[] { "MQL", "SQL" })
        {
            var answers = await Task.WhenAll(
                leads.Concat(leads).Select(lead => Move(workspace, lead, to, HttpStatusCode.OK, $"{lead} {to}")));
            for (var index = 0; index < Leads; index++)
            {
                Assert.Equal((leads[index].ToString(), to), (
                    answers[index]["leadId"]!.GetValue<string>(), answers[index]["current"]!.GetValue<string>()));
                Assert.Equal(answers[index].ToJsonString(), answers[Leads + index].ToJsonString());
            }
        }

        foreach (var lead in leads)
        {
            Assert.Equal(["VISITOR>LEAD:CAPTURED", "LEAD>MQL:MANUAL", "MQL>SQL:MANUAL"], await workspace.History(lead));
            Assert.Equal([1, 2, 3], (await workspace.Published(lead)).Select(change => (int)change.Version).Order());
            Assert.Equal("ACCEPTED", (await workspace.Handoff(lead))["state"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task Moves_SomeOfWhichAreRefused_LeaveTheirNeighboursAlone()
    {
        var workspace = new TestWorkspace(Fixture);
        var leads = await Captured(workspace);

        var answers = await Task.WhenAll(leads.Select((lead, index) => (index % 5) switch
        {
            // There already; no reason that leads there; no way there.
            0 => Move(workspace, lead, "LEAD", HttpStatusCode.BadRequest),
            1 => workspace.Post($"/v1/leads/{lead}/stage:move", new { to = "MQL", reason = "WON" }, HttpStatusCode.BadRequest),
            2 => Move(workspace, lead, "CHURNED", HttpStatusCode.BadRequest),
            _ => Move(workspace, lead, "OPPORTUNITY", HttpStatusCode.OK),
        }));

        foreach (var (index, lead) in leads.Index())
        {
            var moved = index % 5 > 2;
            Assert.Equal(moved ? "OPPORTUNITY" : "LEAD", await workspace.Stage(lead));
            Assert.Equal(moved ? 2 : 1, (await workspace.History(lead)).Length);
        }

        Assert.All(answers.Where((_, index) => index % 5 == 2), answer => Assert.Contains(
            "cannot move from LEAD to CHURNED", answer.ToJsonString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Moves_OfOneLeadAtOnce_AreMadeOneAfterAnother()
    {
        var workspace = new TestWorkspace(Fixture);
        var lead = await workspace.Lead(Times.March(1));

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => TryMove(workspace, lead, "MQL")));

        var answer = Assert.Single(answers, one => one["current"] is not null);
        Assert.Equal(2, answer["history"]!.AsArray().Count);
        Assert.Equal(["VISITOR>LEAD:CAPTURED", "LEAD>MQL:MANUAL"], await workspace.History(lead));
    }

    [Fact]
    public async Task Offers_OfManyLeadsAtOnceBySeveralTeams_TakeTurns()
    {
        var workspace = new TestWorkspace(Fixture);
        await workspace.Post("/v1/salesTeams", Team("Spring", 2, "lead.campaign = \"spring\"", "ann", "ben", "cem"));
        await workspace.Post("/v1/salesTeams", Team("Autumn", 1, "lead.campaign = \"autumn\"", "dan", "eve"));
        var leads = new List<Guid>();
        for (var index = 0; index < Leads; index++)
        {
            leads.Add(Guid.CreateVersion7());
            await workspace.Bus.Publish(workspace.Captured(leads[index], Times.March(1), campaign: index % 5 < 3 ? "spring" : "autumn"));
        }

        foreach (var lead in leads)
        {
            await workspace.UntilStage(lead, "LEAD");
        }

        await Task.WhenAll(leads.Select(lead => Move(workspace, lead, "MQL", HttpStatusCode.OK)));

        var owners = new List<string>();
        foreach (var lead in leads)
        {
            owners.Add((await workspace.Handoff(lead))["owner"]!.GetValue<string>());
        }

        Assert.Equal(
            [("ann", 6), ("ben", 6), ("cem", 6), ("dan", 6), ("eve", 6)],
            owners.CountBy(owner => owner).Select(pair => (pair.Key, pair.Value)).Order());
    }

    private static object Team(string name, int priority, string rule, params string[] members) =>
        new { displayName = name, priority, rule, members = members.Select(owner => new { owner }) };

    private static async Task<Guid[]> Captured(TestWorkspace workspace)
    {
        var leads = Enumerable.Range(0, Leads).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var lead in leads)
        {
            await workspace.Bus.Publish(workspace.Captured(lead, Times.March(1)));
        }

        foreach (var lead in leads)
        {
            await workspace.UntilStage(lead, "LEAD");
        }

        return leads;
    }

    private static Task<JsonObject> Move(TestWorkspace workspace, Guid lead, string to, HttpStatusCode expected, string? key = null) =>
        workspace.Post($"/v1/leads/{lead}/stage:move", new { to }, expected, key);

    private static async Task<JsonObject> TryMove(TestWorkspace workspace, Guid lead, string to)
    {
        try
        {
            return await Move(workspace, lead, to, HttpStatusCode.OK);
        }
        catch (Xunit.Sdk.TrueException)
        {
            return await Move(workspace, lead, to, HttpStatusCode.BadRequest);
        }
    }
}
