using System.Net;
using Lifecycle.Capture;
using Lifecycle.Capture.Jobs;
using Lifecycle.Capture.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Capture.IntegrationTests;

/// <summary>The counts kept with every change are those that a count of all sessions and leads gives.</summary>
public sealed class RollupTests(CaptureFixture fixture)
{
    private const string Berlin = "Europe/Berlin";

    private static readonly string[] Dimensions = ["channel", "source", "medium", "campaign", "keyword", "landingPage"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Rollups_AfterRandomTraffic_EqualARebuildAndACountOfTheRows(int seed)
    {
        var workspace = await Known(Berlin);
        await Send(workspace, seed);

        var kept = await Rows(workspace);
        Assert.Equal(await Counted(workspace, Berlin), await VisitRows(workspace));
        var (status, body) = await workspace.Post("/v1/metrics/capture:rebuild", new { });

        Assert.Equal((HttpStatusCode.OK, Berlin), (status, body["timeZone"]!.GetValue<string>()));
        Assert.NotEmpty(kept);
        Assert.Equal(kept, await Rows(workspace));
    }

    [Fact]
    public async Task Metrics_WithAndWithoutRollups_AreTheSame()
    {
        var workspace = await Known(Berlin);
        await Send(workspace, 4);
        string[] questions =
        [
            .. new[] { "DAY", "WEEK", "MONTH", "QUARTER", "YEAR" }.Select(
                granularity => $"from=2026-02-01&to=2026-05-01&granularity={granularity}"),
            // Weeks and months cut off at both ends.
            "from=2026-02-18&to=2026-03-30&granularity=MONTH", "from=2026-02-18&to=2026-03-31&granularity=WEEK&groupBy=channel",
            .. Dimensions.Append("captureType").Append("formType")
                .Select(group => $"from=2026-02-01&to=2026-05-01&granularity=MONTH&groupBy={group}"),
            .. Dimensions.Select(
                group => $"from=2026-03-25&to=2026-04-02&granularity=DAY&groupBy={group}&metrics=visitors,leads,visitor_to_lead_rate"),
        ];

        var kept = await Answers(workspace, questions);
        await fixture.Database.Query("delete from rollup_state where workspace_id = $1", workspace.WorkspaceId);

        Assert.Equal(await Answers(workspace, questions), kept);
    }

    [Fact]
    public async Task Keep_OtherZoneOrNoRollups_CountsAnew()
    {
        var workspace = await Known(Berlin);
        await Send(workspace, 5);
        using var keeper = new RollupKeeper(
            fixture.Database.UnitOfWork<CaptureDbContext>(), Options.Create(new CaptureOptions()), TimeProvider.System,
            NullLogger<RollupKeeper>.Instance);

        await fixture.Database.Query("update workspace set time_zone = 'Asia/Kathmandu' where id = $1", workspace.WorkspaceId);
        await keeper.Keep(workspace.WorkspaceId, CancellationToken.None);
        Assert.Equal(await Counted(workspace, "Asia/Kathmandu"), await VisitRows(workspace));

        await fixture.Database.Query("delete from metric_rollup where workspace_id = $1", workspace.WorkspaceId);
        await fixture.Database.Query("delete from metric_change where workspace_id = $1", workspace.WorkspaceId);
        await fixture.Database.Query("delete from rollup_state where workspace_id = $1", workspace.WorkspaceId);
        await keeper.Keep(workspace.WorkspaceId, CancellationToken.None);
        Assert.Equal(await Counted(workspace, "Asia/Kathmandu"), await VisitRows(workspace));
    }

    [Fact]
    public async Task Metrics_SummerTimeByRollups_CutsDaysAtLocalMidnight()
    {
        var workspace = await Known(Berlin);
        string[] times = ["2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"];
        await workspace.Batch(times.Select((time, index) => Messages.Form($"d{index}", time, $"p{index}@acme.example")).ToArray());

        Assert.Equal([1, 2, 1], await workspace.Metric("visitors", "2026-03-28", "2026-03-31", "DAY"));
        Assert.Equal([1, 2, 1], await workspace.Metric("leads", "2026-03-28", "2026-03-31", "DAY"));
        // 29 March is a Sunday: the last belongs to the next week.
        Assert.Equal([3, 1], await workspace.Metric("sessions", "2026-03-23", "2026-04-06", "WEEK"));
    }

    private async Task<CaptureClient> Known(string timeZone)
    {
        var workspace = fixture.Workspace(timeZone);
        await fixture.Database.Query(
            "insert into workspace (id, display_name, time_zone, currency_code, version) values ($1, 'Acme', $2, 'USD', 1)",
            workspace.WorkspaceId, timeZone);
        return workspace;
    }

    // Visitors who come again, late messages, campaigns, forms by which people become known, move and turn out to be one, around the change
    // to summer time.
    private static async Task Send(CaptureClient workspace, int seed)
    {
        var random = new Random(seed);
        var start = new DateTimeOffset(2026, 3, 27, 12, 0, 0, TimeSpan.Zero);
        string[] campaigns =
            ["", "?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=crm", "?gclid=x", "?utm_source=news&utm_medium=email"];
        var messages = Enumerable.Range(0, 160).Select(index =>
        {
            var device = $"d{random.Next(9)}";
            var time = Messages.At(start.AddDays(-30 * random.Next(2)), random.Next(6 * 24 * 60));
            return random.Next(8) switch
            {
                0 => Messages.Form(device, time, $"p{random.Next(5)}@acme.example", random.Next(2) == 0 ? "demo" : "contact"),
                1 => Messages.Identify(device, time, $"u{random.Next(3)}", new { email = $"p{random.Next(5)}@acme.example" }),
                _ => Messages.Page(
                    device, time, $"https://acme.example/{random.Next(3)}{campaigns[random.Next(campaigns.Length)]}",
                    random.Next(3) == 0 ? "https://www.bing.com/" : null, $"{seed}-{index}"),
            };
        }).ToArray();
        for (var sent = 0; sent < messages.Length;)
        {
            var part = messages.Skip(sent).Take(1 + random.Next(12)).ToArray();
            var (status, _) = await workspace.Post("/v1/batch", new { batch = part });
            Assert.Equal(HttpStatusCode.OK, status);
            sent += part.Length;
        }
    }

    private static async Task<string[]> Answers(CaptureClient workspace, string[] questions)
    {
        var answers = new List<string>();
        foreach (var question in questions)
        {
            var (status, body) = await workspace.Get($"/v1/metrics/capture?{question}");
            Assert.Equal(HttpStatusCode.OK, status);
            answers.Add($"{question}: {body.ToJsonString()}");
        }

        return [.. answers];
    }

    private async Task<string[]> Rows(CaptureClient workspace) => Text(await fixture.Database.Query(
        """
        select granularity, dimension, start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads from (
          select granularity, dimension, start, value, sum(visitors) as visitors, sum(sessions) as sessions, sum(page_views) as page_views,
            sum(leads) as leads, sum(form_leads) as form_leads, sum(call_leads) as call_leads, sum(chat_leads) as chat_leads
          from metric_count where workspace_id = $1 group by granularity, dimension, start, value) counted
        where (visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads) <> (0, 0, 0, 0, 0, 0, 0)
        order by granularity, dimension, start, value
        """,
        workspace.WorkspaceId));

    private async Task<string[]> VisitRows(CaptureClient workspace) => Text(await fixture.Database.Query(
        """
        select granularity, dimension, start, value, visitors, sessions, page_views from (
          select granularity, dimension, start, value, sum(visitors) as visitors, sum(sessions) as sessions, sum(page_views) as page_views,
            sum(leads) as leads, sum(form_leads) as form_leads, sum(call_leads) as call_leads, sum(chat_leads) as chat_leads
          from metric_count where workspace_id = $1 group by granularity, dimension, start, value) counted
        where sessions <> 0 order by granularity, dimension, start, value
        """,
        workspace.WorkspaceId));

    // Independent of the service: from the sessions, with the server's own calendar.
    private async Task<string[]> Counted(CaptureClient workspace, string timeZone) => Text(await fixture.Database.Query(
        """
        select g.granularity::smallint, d.dimension, date_trunc(g.unit, s.start_time at time zone $2)::date as start, coalesce(d.value, '') as value,
          count(distinct s.visitor_id), count(*), sum(s.page_views)::bigint
        from session s
        cross join (values (1, 'day'), (2, 'week'), (3, 'month')) as g(granularity, unit)
        cross join lateral (values ('', ''), ('channel', s.channel), ('source', s.source), ('medium', s.medium), ('campaign', s.campaign),
          ('keyword', s.keyword), ('landingPage', split_part(s.landing_page, '?', 1))) as d(dimension, value)
        where s.workspace_id = $1 group by 1, 2, 3, 4 order by 1, 2, 3, 4
        """,
        workspace.WorkspaceId, timeZone));

    private static string[] Text(IReadOnlyList<object?[]> rows) => rows.Select(row => string.Join('|', row)).ToArray();
}
