using System.Globalization;
using System.Net;

namespace Capture.IntegrationTests;

/// <summary>A device taken for a robot by its rate can be declared human, and nothing is lost by the mistake.</summary>
public sealed class DeclareHumanTests(CaptureFixture fixture)
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task DeclareHuman_DeviceTakenForARobot_IsAsIfNothingHadBeen()
    {
        var (judged, spared) = (fixture.Workspace(), fixture.Workspace());
        // The second workspace sees the same visit at a rate that no judgement catches, as the measure of what must be there in the end.
        await judged.Batch(
            [.. Visit("d1", 0.01, "a"), Messages.Page("d1", At(7200), "https://acme.example/?utm_source=news&utm_medium=email")]);
        await judged.Batch(Messages.Page("d1", At(7260), "https://acme.example/late"));
        await spared.Batch(
            [.. Visit("d1", 1, "a"), Messages.Page("d1", At(7200), "https://acme.example/?utm_source=news&utm_medium=email")]);
        await spared.Batch(Messages.Page("d1", At(7260), "https://acme.example/late"));
        Assert.Equal([0d], await judged.Metric("sessions", "2026-03-01", "2026-04-01"));
        Assert.Equal([72d], await judged.Metric("bot_hits", "2026-03-01", "2026-04-01"));

        var (status, answer) = await judged.Post("/v1/visitors:declareHuman", new { anonymousId = "d1", requestId = "human-1" });
        var (_, again) = await judged.Post("/v1/visitors:declareHuman", new { anonymousId = "d1", requestId = "human-1" });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(("72", "2"), (answer["restoredActivities"]!.GetValue<string>(), answer["sessions"]!.GetValue<string>()));
        Assert.Equal(answer.ToJsonString(), again.ToJsonString());
        foreach (var metric in new[] { "visitors", "sessions", "page_views", "bot_hits" })
        {
            Assert.Equal(await spared.Metric(metric, "2026-03-01", "2026-04-01"), await judged.Metric(metric, "2026-03-01", "2026-04-01"));
        }

        Assert.Equal(await spared.Metric("sessions", "2026-03-01", "2026-04-01", group: "channel=Email"), await judged.Metric(
            "sessions", "2026-03-01", "2026-04-01", group: "channel=Email"));

        // It is not judged again, and what it did belongs to the person that it proves to be.
        await judged.Batch(Messages.Form("d1", At(7290), "ada@acme.example"));
        var lead = (await judged.Get("/v1/leads")).Body["leads"]!.AsArray().Single()!;
        var journey = (await judged.Get($"/v1/leads/{lead["id"]}/journey")).Body;
        Assert.Equal((2, 73), (journey["sessionCount"]!.GetValue<int>(), journey["activityCount"]!.GetValue<int>()));
        Assert.Equal("Paid Search", lead["firstTouch"]!["channel"]!.GetValue<string>());
        Assert.Equal(
            0L, await fixture.Database.Scalar<long>("select count(*) from robot_activity where workspace_id = $1", judged.WorkspaceId));
    }

    [Fact]
    public async Task DeclareHuman_DeviceThatIsNotKnown_Is404AndOneThatWasNeverJudgedStays()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Page("d1", At(0)));

        Assert.Equal(HttpStatusCode.NotFound, (await workspace.Post("/v1/visitors:declareHuman", new { anonymousId = "d9" })).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await workspace.Post("/v1/visitors:declareHuman", new { })).Status);
        var (_, answer) = await workspace.Post("/v1/visitors:declareHuman", new { anonymousId = "d1" });
        Assert.Equal("0", answer["restoredActivities"]!.GetValue<string>());
        await workspace.Batch(Visit("d1", 0.01, "b"));
        Assert.Equal([1d], await workspace.Metric("sessions", "2026-03-01", "2026-04-01"));
        Assert.Equal([71d], await workspace.Metric("page_views", "2026-03-01", "2026-04-01"));
    }

    private static string At(double seconds) => Start.AddSeconds(seconds).ToString("yyyy-MM-ddTHH:mm:ss.ffZ", CultureInfo.InvariantCulture);

    // Seventy pages within a second, or within a minute.
    private static object[] Visit(string device, double pause, string name) =>
    [
        .. Enumerable.Range(0, 70).Select(index => Messages.Page(
            device, At(index * pause),
            index == 0 ? "https://acme.example/?utm_source=google&utm_medium=cpc" : $"https://acme.example/{name}/{index}",
            id: $"{name}-{index}")),
    ];
}
