using System.Net;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Segments follow every change of a lead.</summary>
public sealed class SegmentTests(NurtureFixture fixture)
{
    [Fact]
    public async Task Members_FollowProfileStageAndScore()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var (big, small) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await workspace.Publish(workspace.Captured(big, "big@example.com", employees: 250));
        await workspace.Publish(workspace.Captured(small, "small@example.com", employees: 10));
        await Eventually.Equal(2d, async () => (await workspace.MetricToday("new_leads"))[0] ?? 0, "both are known");

        const string BigAndWarm =
            """{"displayName":"Big and warm","condition":"company.employees >= 50 and (score.total >= 60 or lead.stage = \"MQL\")"}""";
        var segment = (await workspace.Post("/v1/segments", BigAndWarm))["id"]!.GetValue<string>();
        var everyone = (await workspace.Post(
            "/v1/segments", """{"displayName":"Everyone","condition":"exists lead.email"}"""))["id"]!.GetValue<string>();

        await Eventually.Equal(
            "2",
            async () => (await workspace.Get($"/v1/segments/{everyone}"))["memberCount"]!.GetValue<string>(),
            "existing leads are judged");
        await Eventually.True(
            async () => (await workspace.Get($"/v1/segments/{segment}"))["evaluated"]!.GetValue<bool>(), "the segment is judged");
        Assert.Empty(await Members(workspace, segment));

        await workspace.Publish(Score(workspace, big, 61, 2));
        await workspace.Publish(Score(workspace, big, 10, 1));
        await workspace.Publish(Score(workspace, small, 99, 1));
        await Eventually.Equal(
            big.ToString(), async () => string.Join(',', await Members(workspace, segment)), "the big lead enters by its score");

        await workspace.Publish(Score(workspace, big, 20, 3));
        await Eventually.Equal("", async () => string.Join(',', await Members(workspace, segment)), "and leaves by it");

        await workspace.Publish(workspace.Moved(big, "LEAD", "MQL", "QUALIFIED", 2));
        await Eventually.Equal(big.ToString(), async () => string.Join(',', await Members(workspace, segment)), "and enters by its stage");

        await workspace.Publish(workspace.Updated(big, "big@example.com", "Ada", 2, employees: 49));
        await Eventually.Equal("", async () => string.Join(',', await Members(workspace, segment)), "and leaves by its company");

        await workspace.Call(HttpMethod.Patch, $"/v1/segments/{segment}", """{"condition":"company.employees < 50"}""");
        await Eventually.Equal(
            "2",
            async () => (await workspace.Get($"/v1/segments/{segment}"))["memberCount"]!.GetValue<string>(),
            "a changed condition judges anew");
        await Eventually.Equal(
            ("1", "2", small.ToString()),
            async () =>
            {
                var preview = await workspace.Post("/v1/segments:preview", """{"condition":"score.total > 90"}""");
                return (
                    preview["count"]!.GetValue<string>(),
                    preview["evaluatedCount"]!.GetValue<string>(),
                    preview["sample"]![0]!["leadId"]!.GetValue<string>());
            },
            "the small lead's score, which no segment waited for");
        await workspace.Call(HttpMethod.Delete, $"/v1/segments/{segment}");
        await workspace.Call(HttpMethod.Get, $"/v1/segments/{segment}", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task EnteringASegment_EntersItsProgram()
    {
        var workspace = await fixture.NewWorkspace();
        var segment = (await workspace.Post(
            "/v1/segments", """{"displayName":"Hot","condition":"score.band = \"HOT\""}"""))["id"]!.GetValue<string>();
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Hot leads","entryTriggers":[{"segmentEntered":{"segmentId":"{{{segment}}}"}}],"steps":[{"wait":{"duration":"3600s"}}]}
            """);
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, "hot@example.com"));
        await workspace.Publish(Score(workspace, lead, 90, 1));

        await Eventually.Equal(
            "1", async () => (await workspace.Get($"/v1/programs/{program}/report"))["entered"]!.GetValue<string>(), "the lead enters");
        await workspace.Call(HttpMethod.Delete, $"/v1/segments/{segment}", null, HttpStatusCode.BadRequest);
    }

    private static LeadScoreChanged Score(TestWorkspace workspace, Guid lead, decimal total, long version) =>
        new(
            Guid.CreateVersion7(),
            workspace.Id,
            TestWorkspace.Now,
            version,
            lead,
            total,
            total,
            0,
            0,
            "B",
            total >= 85 ? "HOT" : "WARM",
            1);

    private static async Task<IEnumerable<string>> Members(TestWorkspace workspace, string segment) =>
        (await workspace.Get($"/v1/segments/{segment}/members"))["members"]!.AsArray()
            .Select(member => member!["leadId"]!.GetValue<string>());
}
