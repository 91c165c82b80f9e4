using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Leads of a program's control group would have entered, and do not.</summary>
public sealed class HoldOutTests(NurtureFixture fixture)
{
    [Fact]
    public async Task HeldOut_Leads_GetNothingAndAreCountedApart()
    {
        var workspace = await fixture.NewWorkspace();
        var program = await workspace.NewWelcome(",\"holdOutPercent\":50");
        var leads = Enumerable.Range(0, 12).Select(_ => Guid.CreateVersion7()).ToList();
        foreach (var lead in leads)
        {
            await workspace.Publish(workspace.Captured(lead, $"{lead:N}@example.com"));
        }

        var held = leads.Where(lead => HoldOut.Holds(Guid.Parse(program), lead, 50)).Order().ToList();
        await Eventually.Equal(
            $"{leads.Count - held.Count} {held.Count}",
            async () =>
            {
                var report = await workspace.Get($"/v1/programs/{program}/report");
                return $"{report["completed"]!.GetValue<string>()} {report["heldOut"]!.GetValue<string>()}";
            },
            "everybody is drawn one way or the other",
            TimeSpan.FromSeconds(120));
        var enrollments = (await workspace.Get($"/v1/programs/{program}/enrollments?pageSize=100"))["enrollments"]!.AsArray();
        Assert.Equal(
            held.Select(lead => lead.ToString()).Order(StringComparer.Ordinal),
            enrollments.Where(State("HELD_OUT")).Select(enrollment => enrollment!["leadId"]!.GetValue<string>())
                .Order(StringComparer.Ordinal));
        await Eventually.Equal(
            (long)(leads.Count - held.Count),
            () => fixture.Database.Scalar<long>("select count(*) from message where workspace_id = $1", workspace.Id),
            "mails are made for those that entered",
            TimeSpan.FromSeconds(120));
        Assert.Equal(50, (await workspace.Get($"/v1/programs/{program}"))["holdOutPercent"]!.GetValue<int>());
        foreach (var lead in held)
        {
            Assert.Empty(await workspace.LeadEmails(lead));
            await workspace.Post($"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{lead}}"}""", HttpStatusCode.BadRequest);
        }

        var fault = await workspace.Post(
            "/v1/programs", """{"displayName":"P","entryTriggers":[{"manual":{}}],"steps":[{"exit":{}}],"holdOutPercent":91}""",
            HttpStatusCode.BadRequest);
        Assert.Equal("holdOutPercent", fault["errors"]![0]!["field"]!.GetValue<string>());
    }

    private static Func<JsonNode?, bool> State(string state) => enrollment => enrollment!["state"]!.GetValue<string>() == state;
}
