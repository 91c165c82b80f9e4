using System.Net;
using System.Net.Http.Json;

namespace Capture.IntegrationTests;

/// <summary>Robots are counted apart, by name, and are never visitors or leads.</summary>
public sealed class BotTests(CaptureFixture fixture)
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Batch_UserAgentsAndHeaders_AreCountedApartByName()
    {
        var workspace = fixture.Workspace();

        await workspace.Batch(
            Agent("a", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), Agent("b", "Mozilla/5.0 zgrab/0.x"),
            Messages.Page("c", At(0)));
        await Send(workspace, Messages.Page("d", At(1)), ("User-Agent", "Mozilla/5.0 Chrome/126.0"), ("Accept-Language", "en"), (
            "Sec-Purpose", "prefetch;prerender"));
        await Send(workspace, Messages.Page("e", At(2)), ("User-Agent", "Mozilla/5.0 Chrome/126.0"));
        await Send(workspace, Messages.Page("f", At(3)), ("User-Agent", "Mozilla/5.0 Chrome/126.0"), ("Accept-Language", "en"));
        await Send(workspace, Messages.Page("h", At(5)), ("User-Agent", "Mozilla/5.0 HeadlessChrome/126.0"), ("Accept-Language", "en"));
        await Send(workspace, Messages.Page("g", At(4)), ("User-Agent", "analytics-node/2.1.0"));

        Assert.Equal([("googlebot", 1L), ("headlesschrome", 1L), ("no-accept-language", 1L), ("prefetch", 1L), ("zgrab", 1L)], await Hits(
            workspace));
        Assert.Equal([3d], await workspace.Metric("visitors", "2026-03-01", "2026-04-01"));
        Assert.Equal([5d], await workspace.Metric("bot_hits", "2026-03-01", "2026-04-01"));
        Assert.Equal([1d], await workspace.Metric("bot_hits", "2026-03-01", "2026-04-01", group: "bot=zgrab"));
    }

    [Fact]
    public async Task Batch_ImpossibleRate_TakesTheVisitorOutOfAllCounts()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Page("person", At(0)));
        // A first part that a person could have seen, then pages faster than anybody reads.
        await workspace.Batch(Pages("robot", 0, 40).ToArray());
        Assert.Equal([2d], await workspace.Metric("visitors", "2026-03-01", "2026-04-01"));

        await workspace.Batch(Pages("robot", 40, 30).ToArray());
        await workspace.Batch([.. Pages("robot", 70, 5), Messages.Form("robot", At(20), "spam@robot.example")]);

        Assert.Equal([("rate", 76L)], await Hits(workspace));
        Assert.Equal([1d], await workspace.Metric("visitors", "2026-03-01", "2026-04-01"));
        Assert.Equal([1d], await workspace.Metric("page_views", "2026-03-01", "2026-04-01"));
        Assert.Equal([0d], await workspace.Metric("leads", "2026-03-01", "2026-04-01"));
        Assert.Equal([76d], await workspace.Metric("bot_hits", "2026-03-01", "2026-04-01"));
        Assert.Equal(
            1L, await fixture.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace.WorkspaceId));
        await RollupChecks.AreThoseOfARebuild(workspace, fixture.Database);
    }

    [Fact]
    public async Task Batch_ImpossibleRateOfAKnownPerson_IsKept()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Form("known", At(-5), "ada@acme.example"));

        await workspace.Batch(Pages("known", 0, 100).ToArray());

        Assert.Empty(await Hits(workspace));
        Assert.Equal([100d], await workspace.Metric("page_views", "2026-03-01", "2026-04-01"));
    }

    private static string At(double minutes) => Messages.At(Start, minutes);

    private static object Agent(string device, string userAgent) => new
    {
        type = "page",
        anonymousId = device,
        messageId = device,
        timestamp = At(0),
        context = new { userAgent, page = new { url = "https://acme.example/" } },
    };

    private static IEnumerable<object> Pages(string device, int from, int count) =>
        Enumerable.Range(from, count).Select(index => Messages.Page(device, At(10 + (index / 600d)), $"https://acme.example/{index}"));

    private static async Task Send(CaptureClient workspace, object message, params (string Name, string Value)[] headers)
    {
        var content = JsonContent.Create(new { batch = new[] { message } });
        var (status, body) = await workspace.Send(HttpMethod.Post, "/v1/batch", content, headers: headers);
        Assert.Equal((HttpStatusCode.OK, 1), (status, body["accepted"]!.GetValue<int>()));
    }

    private async Task<IEnumerable<(string, long)>> Hits(CaptureClient workspace) =>
        (await fixture.Database.Query(
            "select detail, sum(hits)::bigint from hit_count where workspace_id = $1 and kind = 'bot' group by 1 order by 1",
            workspace.WorkspaceId))
            .Select(row => ((string)row[0]!, (long)row[1]!));
}
