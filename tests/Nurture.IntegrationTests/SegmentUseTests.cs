using System.Net;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>No segment is removed from under a program.</summary>
public sealed class SegmentUseTests(NurtureFixture fixture)
{
    [Fact]
    public async Task DeleteSegment_ThatStepsAskForOrChange_IsRefusedByTheProgramsNames()
    {
        var workspace = await fixture.NewWorkspace();
        var asked = await NewSegment(workspace, """{"displayName":"Asked","condition":"score.total >= 50"}""");
        var list = await NewSegment(workspace, """{"displayName":"Noted","kind":"LIST"}""");
        var free = await NewSegment(workspace, """{"displayName":"Free","condition":"score.total >= 60"}""");
        foreach (var name in new[] { "First", "Second" })
        {
            // A draft is refused its segment too: it could not be started any more.
            await workspace.Post("/v1/programs", $$$"""
                {"displayName":"{{{name}}}","entryTriggers":[{"manual":{}}],
                 "steps":[{"id":"ask","branch":{"condition":"in_segment('{{{asked}}}') and score.total < 90"}},{"id":"end","exit":{}}]}
                """);
        }

        await workspace.Post("/v1/programs", $$$"""
            {"displayName":"Notes","entryTriggers":[{"manual":{}}],"steps":[{"id":"note","updateList":{"segmentId":"{{{list}}}"}}]}
            """);

        Assert.Contains("First, Second", await Refusal(workspace, asked), StringComparison.Ordinal);
        Assert.Contains("Notes", await Refusal(workspace, list), StringComparison.Ordinal);
        await workspace.Call(HttpMethod.Delete, $"/v1/segments/{free}");
    }

    [Fact]
    public async Task DeleteSegment_AskedForInAnEarlierVersion_IsRefusedWhileSomebodyGoesByIt()
    {
        var workspace = await fixture.NewWorkspace();
        var (asked, lead) = (
            await NewSegment(workspace, """{"displayName":"Asked","condition":"score.total >= 50"}"""), Guid.CreateVersion7());
        const string Wait = """{"id":"year","wait":{"duration":"8640000s"}}""";
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Slow","entryTriggers":[{"manual":{}}],
             "steps":[{{{Wait}}},{"id":"ask","branch":{"condition":"in_segment('{{{asked}}}')"}},{"id":"end","exit":{}}]}
            """);
        await workspace.Publish(workspace.Captured(lead, $"{lead:N}@example.com"));
        await Eventually.Passes(
            () => workspace.Post($"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{lead}}"}"""), "the lead is known and enters");
        await workspace.Post($"/v1/programs/{program}:pause");
        await workspace.Call(HttpMethod.Patch, $"/v1/programs/{program}", $$"""{"steps":[{{Wait}}]}""");

        Assert.Contains("Slow", await Refusal(workspace, asked), StringComparison.Ordinal);
        await workspace.Call(HttpMethod.Delete, $"/v1/programs/{program}");
        await workspace.Call(HttpMethod.Delete, $"/v1/segments/{asked}");
    }

    private static async Task<string> NewSegment(TestWorkspace workspace, string body) =>
        (await workspace.Post("/v1/segments", body))["id"]!.GetValue<string>();

    private static async Task<string> Refusal(TestWorkspace workspace, string segment) =>
        (await workspace.Call(HttpMethod.Delete, $"/v1/segments/{segment}", null, HttpStatusCode.BadRequest))["detail"]!.GetValue<string>();
}
