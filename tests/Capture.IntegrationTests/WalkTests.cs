using Lifecycle.Contracts;

namespace Capture.IntegrationTests;

public sealed class WalkTests(CaptureFixture fixture)
{
    [Fact]
    public async Task Batch_TheWalk_MakesTheLeadWithItsJourneyAndTellsEverybody()
    {
        var workspace = fixture.Workspace();

        await workspace.Batch(Messages.Walk("anon-1", " Ada@Acme.Example "));

        var lead = (await workspace.Get("/v1/leads")).Body["leads"]!.AsArray().Single()!;
        Assert.Equal("ada@acme.example", lead["email"]!.GetValue<string>());
        Assert.Equal(("FORM", "demo", "LEAD"), (
            lead["captureType"]!.GetValue<string>(), lead["formType"]!.GetValue<string>(), lead["stage"]!.GetValue<string>()));
        Assert.Equal("2026-03-04T09:05:00Z", lead["createTime"]!.GetValue<string>());
        Assert.Equal("VP Engineering", lead["traits"]!["title"]!.GetValue<string>());
        Assert.Equal(("Acme", 250), (lead["company"]!["name"]!.GetValue<string>(), lead["company"]!["employees"]!.GetValue<int>()));

        var journey = (await workspace.Get($"/v1/leads/{lead["id"]}/journey")).Body;
        Assert.Equal(
            [("Paid Search", "google", "cpc", "spring"), ("Organic Social", "linkedin.com", "referral", "")],
            journey["touches"]!.AsArray().Select(
                touch => (Text(touch!["channel"]), Text(touch["source"]), Text(touch["medium"]), Text(touch["campaign"]))));
        Assert.Equal([(3, 3), (1, 3)], journey["sessions"]!.AsArray().Select(
            session => (session!["pageViews"]!.GetValue<int>(), session["activityCount"]!.GetValue<int>())));
        Assert.Equal(6, journey["activityCount"]!.GetValue<int>());
        Assert.Equal("https://acme.example/product", Text(journey["sessions"]![0]!["pages"]![1]));

        var captured = Assert.Single(await fixture.Bus.Until<LeadCaptured>(1, Mine(workspace)));
        Assert.Equal(
            (Text(lead["id"]), 1L, "FORM", "demo", "Paid Search", "spring", "Organic Social", 250),
            (captured.LeadId.ToString(), captured.Version, captured.CaptureType, captured.FormType, captured.FirstTouch.Channel,
                captured.FirstTouch.Campaign, captured.LastTouch.Channel, captured.Company!.Employees));
        Assert.Equal(captured.CreateTime, captured.OccurredAt);
        var recorded = Assert.Single(await fixture.Bus.Until<ActivitiesRecorded>(1, Mine(workspace)));
        Assert.Equal(["PAGE", "PAGE", "PAGE", "PAGE", "DOWNLOAD", "FORM"], recorded.Activities.Select(activity => activity.Type));
        Assert.All(recorded.Activities, activity => Assert.Equal(captured.LeadId, activity.LeadId));
        Assert.Equal(2, (await fixture.Bus.Until<SessionStarted>(2, Mine(workspace))).Count);
    }

    [Fact]
    public async Task Batch_HistoryThenForm_PublishesTheAnonymousHistoryOnceInChunksOf500()
    {
        var workspace = fixture.Workspace();
        var start = new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
        await workspace.Batch(Enumerable.Range(0, 1100)
            .Select(index => Messages.Page("anon-1", Messages.At(start, index), $"https://acme.example/{index}")).ToArray());
        Assert.DoesNotContain(fixture.Bus.Of<ActivitiesRecorded>(), e => e.WorkspaceId == workspace.WorkspaceId);

        await workspace.Batch(Messages.Form("anon-1", Messages.At(start, 1100), "ada@acme.example"));

        var events = await fixture.Bus.Until<ActivitiesRecorded>(3, Mine(workspace));
        Assert.Equal([101, 500, 500], events.Select(e => e.Activities.Count).Order());
        Assert.Equal(1101, events.SelectMany(e => e.Activities).Select(activity => activity.ActivityId).Distinct().Count());
        Assert.Equal([1100d], await workspace.Metric("page_views", "2026-03-01", "2026-04-01"));
    }

    [Fact]
    public async Task Batch_AnyOrderOfArrival_EndsInTheSameLeadsSessionsAndFirstTouches()
    {
        object[] messages =
        [
            .. Messages.Walk("anon-1", "ada@acme.example"),
            Messages.Page("anon-1", "2026-03-02T10:20:00Z", "https://acme.example/?gclid=x"),
            Messages.Page("anon-1", "2026-02-20T10:00:00Z", "https://acme.example/", "https://www.bing.com/"),
            Messages.Identify("anon-1", "2026-03-05T10:00:00Z", "u1", new { email = "ada@acme.example", plan = "trial" }),
            Messages.Page("anon-2", "2026-03-01T08:00:00Z", "https://acme.example/", "https://news.example/"),
            Messages.Identify("anon-2", "2026-03-06T08:00:00Z", "u1", new { plan = "pro" }),
            Messages.Form("anon-2", "2026-03-07T08:00:00Z", "bob@acme.example"),
            new { type = "track", @event = "Trial Started", userId = "u1", messageId = "trial", timestamp = "2026-03-03T08:00:00Z" },
        ];
        var expected = "";
        foreach (var seed in new[] { 0, 1, 2, 3, 4, 5 })
        {
            var workspace = fixture.Workspace();
            var shuffled = messages.ToArray();
            if (seed > 0)
            {
                new Random(seed).Shuffle(shuffled);
            }

            foreach (var part in shuffled.Chunk(seed == 0 ? messages.Length : 1 + (seed % 3)))
            {
                await workspace.Batch(part);
            }

            var state = await State(workspace);
            expected = seed == 0 ? state : expected;
            Assert.Equal(expected, state);
        }

        Assert.Contains("bob@acme.example", expected, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_SharedDevice_KeepsTwoLeads()
    {
        var workspace = fixture.Workspace();

        await workspace.Batch(
            Messages.Page("kiosk", "2026-03-02T10:00:00Z"), Messages.Form("kiosk", "2026-03-02T10:01:00Z", "alice@acme.example"),
            Messages.Page("kiosk", "2026-03-02T10:02:00Z"), Messages.Form("kiosk", "2026-03-02T10:03:00Z", "bob@acme.example"),
            Messages.Page("kiosk", "2026-03-02T10:04:00Z"));

        var counts = await fixture.Database.Query(
            "select l.email, count(*) from activity a join lead l on l.workspace_id = a.workspace_id and l.id = a.lead_id where a.workspace_id = $1 group by 1 order by 1",
            workspace.WorkspaceId);
        // Bob's are his form and what follows; the page before it is Alice's, who was named last.
        Assert.Equal([("alice@acme.example", 3L), ("bob@acme.example", 2L)], counts.Select(row => ((string)row[0]!, (long)row[1]!)));
    }

    [Fact]
    public async Task Identify_LaterOnAnotherDevice_JoinsBothDevices()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Messages.Page("laptop", "2026-03-01T10:00:00Z", "https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring"));
        await workspace.Batch(Messages.Identify("phone", "2026-03-05T10:00:00Z", "u1", new { email = "ada@acme.example" }));

        await workspace.Batch(Messages.Identify("laptop", "2026-03-06T10:00:00Z", "u1", new { }));

        var lead = (await workspace.Get("/v1/leads?filter=email=ada@acme.example")).Body["leads"]!.AsArray().Single()!;
        Assert.Equal(("spring", "IDENTIFY"), (Text(lead["firstTouch"]!["campaign"]), Text(lead["captureType"])));
        var updated = await fixture.Bus.Until<LeadUpdated>(1, Mine(workspace));
        Assert.Equal(("spring", 2L), (updated[0].FirstTouch.Campaign, updated[0].Version));
    }

    private static string Text(System.Text.Json.Nodes.JsonNode? node) => node!.GetValue<string>();

    private static Func<ILifecycleEvent, bool> Mine(CaptureClient workspace) => e => e.WorkspaceId == workspace.WorkspaceId;

    private async Task<string> State(CaptureClient workspace)
    {
        var leads = await fixture.Database.Query(
            "select email, external_id, create_time, capture_type, form_type, profile::text, channel, source, campaign, last_touch ->> 'time' from lead where workspace_id = $1 order by email",
            workspace.WorkspaceId);
        var sessions = await fixture.Database.Query(
            """
            select v.anonymous_id, s.start_time, s.end_time, s.channel, s.source, s.campaign, s.click_id, s.landing_page, s.page_views, s.activities, l.email
            from session s join visitor v on v.workspace_id = s.workspace_id and v.id = s.visitor_id
            left join lead l on l.workspace_id = s.workspace_id and l.id = s.lead_id
            where s.workspace_id = $1 order by 1, 2
            """,
            workspace.WorkspaceId);
        var activities = await fixture.Database.Query(
            "select a.time, l.email, s.start_time from activity a left join lead l on l.workspace_id = a.workspace_id and l.id = a.lead_id left join session s on s.workspace_id = a.workspace_id and s.id = a.session_id where a.workspace_id = $1 order by a.time, a.type",
            workspace.WorkspaceId);
        return string.Join('\n', leads.Concat(sessions).Concat(activities).Select(row => string.Join('|', row)));
    }
}
