using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Leads go to sales and out of marketing, come back, and count as reopened.</summary>
public sealed class HandOverTests(NurtureFixture fixture)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Threshold_Crossed_TakesTheLeadOutOfMarketing_AndAHandBackBringsItInByRule()
    {
        var workspace = await fixture.NewWorkspace();
        var lead = Guid.CreateVersion7();
        var marketing = await Program(workspace, ",\"exitOnStages\":[\"MQL\"]");
        var silent = await Program(workspace, "");
        var receipts = await Program(workspace, ",\"transactional\":true");
        var toSql = await Program(workspace, ",\"goalStage\":\"SQL\"");
        var untilSql = await Program(workspace, ",\"exitOnStages\":[\"SQL\"]");
        var winBack = await Program(
            workspace, ",\"reentry\":\"AFTER_EXIT\",\"exitOnStages\":[\"MQL\"]", """{"stageChanged":{"to":"LEAD","reason":"RECYCLED"}}""");
        var withSales = await Program(workspace, ",\"reentry\":\"AFTER_EXIT\"", """{"stageChanged":{"to":"MQL"}}""");
        await workspace.Publish(workspace.Captured(lead, $"{lead:N}@example.com"));
        foreach (var program in new[] { marketing, silent, receipts, toSql, untilSql })
        {
            await Eventually.Equal("ACTIVE", () => State(workspace, program), "it enters", Deadline);
        }

        await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 2));
        await Eventually.Equal("EXITED STAGE", () => State(workspace, marketing), "marketing lets go", Deadline);
        Assert.Equal(
            ["ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", ""],
            await Task.WhenAll(
                new[] { silent, receipts, toSql, untilSql, withSales, winBack }.Select(program => State(workspace, program))));

        await workspace.Publish(workspace.Moved(lead, "MQL", "SQL", "ACCEPTED", 3));
        await Eventually.Equal("CONVERTED", () => State(workspace, toSql), "the goal is reached", Deadline);
        Assert.Equal(
            ["EXITED STAGE", "ACTIVE", "ACTIVE"],
            await Task.WhenAll(new[] { untilSql, receipts, withSales }.Select(program => State(workspace, program))));

        await workspace.Publish(workspace.Moved(lead, "SQL", "LEAD", "RECYCLED", 4));
        await Eventually.Equal("ACTIVE", () => State(workspace, winBack), "sales hand it back", Deadline);
        // Once in a lifetime is once.
        Assert.Equal("EXITED STAGE", await State(workspace, marketing));
        await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 5));
        await Eventually.Equal("EXITED STAGE", () => State(workspace, winBack), "it is qualified again", Deadline);
        await workspace.Publish(workspace.Moved(lead, "MQL", "LEAD", "RECYCLED", 6));
        await Eventually.Equal("EXITED STAGE, ACTIVE", () => State(workspace, winBack), "and comes back again", Deadline);
        // An old move that comes late changes nothing.
        await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 5));
        Assert.Equal("ACTIVE", await State(workspace, receipts));
    }

    [Theory]
    [InlineData("program", "Nurture")]
    [InlineData("step", "Nurture / mail")]
    [InlineData("email", "Welcome")]
    [InlineData("segment", "Handed back")]
    [InlineData("source", "google")]
    public async Task Reopened_Lead_CountsOnceByEachDimension(string dimension, string group)
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        await workspace.Post("/v1/segments", """{"displayName":"Handed back","condition":"lead.returnReason = 'NO_BUDGET'"}""");
        await workspace.NewProgram($$$"""
            {"displayName":"Nurture","entryTriggers":[{"stageChanged":{"to":"LEAD","reason":"RECYCLED"}}],
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{await workspace.NewEmail()}}}"}}]}
            """);
        var start = TestWorkspace.Now.AddMinutes(-10);
        var (back, silent) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var lead in new[] { back, silent })
        {
            await workspace.Publish(workspace.Captured(lead, $"{lead:N}@example.com", start));
            await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 2, start));
            await workspace.Publish(workspace.Moved(lead, "MQL", "LEAD", "RECYCLED", 3, start.AddMinutes(1)));
            await workspace.Publish(
                new LeadReturned(Guid.CreateVersion7(), workspace.Id, start.AddMinutes(1), 1, Guid.CreateVersion7(), lead, "NO_BUDGET"));
            await fixture.Bus.Until<EmailSent>(1, e => e.WorkspaceId == workspace.Id && e.LeadId == lead);
        }

        await workspace.Publish(workspace.Did(back, "PAGE", "Pricing", start.AddMinutes(2)));
        await workspace.Publish(workspace.Did(back, "PAGE", "Pricing", start.AddMinutes(3)));

        await Eventually.Equal(
            "reopened_leads 1, new_leads 2, mqls 2, lead_to_mql_rate 1",
            async () =>
            {
                var answer = await workspace.Get(
                    $"/v1/metrics/nurture?from={workspace.Day(0)}&to={workspace.Day(1)}&groupBy={dimension}"
                    + "&metrics=reopened_leads,new_leads,mqls,lead_to_mql_rate");
                var series = answer["series"]!.AsArray()
                    .Where(series => series!["group"]![dimension]!.GetValue<string>() == group).ToList();
                return string.Join(", ", new[] { "reopened_leads", "new_leads", "mqls", "lead_to_mql_rate" }.Select(metric =>
                    $"{metric} {series.SingleOrDefault(one => one!["metric"]!.GetValue<string>() == metric)?["points"]![0]!["value"]}"));
            },
            "one of two is reopened",
            Deadline);
    }

    private static async Task<string> Program(
        TestWorkspace workspace, string more, string trigger = """{"leadCaptured":{}}""") => await workspace.NewProgram(
        $$$"""{"displayName":"P","entryTriggers":[{{{trigger}}}],"steps":[{"id":"year","wait":{"duration":"8640000s"}}]{{{more}}}}""");

    /// <summary>States of the enrollments, with why they ended.</summary>
    private static async Task<string> State(TestWorkspace workspace, string program) => string.Join(
        ", ",
        (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray()
            .Select(item => $"{item!["state"]} {item["exitReason"]}".Trim()));
}
