using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Nurture.IntegrationTests;

/// <summary>Reports and metrics over numbers that can be worked out by hand.</summary>
public sealed class ReportTests(NurtureFixture fixture)
{
    private const string Link = "https://example.com/guide";

    private static readonly DateTimeOffset Start = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Programs_AgainstTheirControlGroup_ShowLiftWithItsInterval()
    {
        var data = await Fill();

        var program = (await data.Workspace.Get("/v1/reports/programs?from=2026-03-01&to=2026-04-01"))["programs"]!.AsArray().Single()!;

        // 12 of 30 nurtured, 1 of 10 held out.
        Assert.Equal(("30", "12", 0.4), (
            program["leads"]!.GetValue<string>(), program["mqls"]!.GetValue<string>(), program["mqlRate"]!.GetValue<double>()));
        Assert.Equal(5, program["medianDaysToMql"]!.GetValue<double>(), 9);
        Assert.Equal("30", program["emailsSent"]!.GetValue<string>());
        var lift = program["lift"]!;
        Assert.Equal((0.4, 0.1), (lift["nurturedRate"]!.GetValue<double>(), lift["controlRate"]!.GetValue<double>()));
        Assert.Equal(0.3, lift["difference"]!.GetValue<double>(), 9);
        Assert.Equal(-0.0410, lift["differenceLow"]!.GetValue<double>(), 3);
        Assert.Equal(0.4949, lift["differenceHigh"]!.GetValue<double>(), 3);
        Assert.Equal(3, lift["relativeLift"]!.GetValue<double>(), 9);
        Assert.Equal("NO_CLEAR_EFFECT", lift["verdict"]!.GetValue<string>());
        // Nobody became MQL within three days.
        var early = (await data.Workspace.Get("/v1/reports/programs?from=2026-03-01&to=2026-04-01&windowDays=3"))["programs"]![0]!;
        Assert.Equal(("0", 0d), (early["mqls"]!.GetValue<string>(), early["lift"]!["difference"]!.GetValue<double>()));
        var none = await data.Workspace.Get("/v1/reports/programs?from=2026-05-01&to=2026-06-01");
        Assert.Equal("No lead entered a program in the period.", none["emptyReason"]!.GetValue<string>());
        var held = await data.Workspace.Get($"/v1/reports/programLeads?programId={data.Program}&outcome=HELD_OUT&pageSize=6");
        Assert.Equal(6, held["leads"]!.AsArray().Count);
        var rest = await data.Workspace.Get(
            $"/v1/reports/programLeads?programId={data.Program}&outcome=HELD_OUT&pageSize=6&pageToken={held["nextPageToken"]!.GetValue<string>()}");
        Assert.Equal(4, rest["leads"]!.AsArray().Count);
        Assert.Equal(10, held["leads"]!.AsArray().Concat(rest["leads"]!.AsArray())
            .Select(lead => lead!["leadId"]!.GetValue<string>()).Distinct().Count());
    }

    [Fact]
    public async Task Stalls_ShowWhereLeadsAreLost_AndWhatTheScoreDid()
    {
        var data = await Fill();

        var steps = (await data.Workspace.Get("/v1/reports/stalls?from=2026-03-01&to=2026-04-01"))["steps"]!.AsArray();

        var step = steps.Single(step => step!["stepId"]!.GetValue<string>() == "hello")!;
        Assert.Equal(
            ("30", "4", "4", "0", "20", "6"),
            (Text(step, "entered"), Text(step, "waiting"), Text(step, "paused"), Text(step, "overdue"),
                Text(step, "completed"), Text(step, "dropped")));
        Assert.Equal((0.2, 1d), (Number(step, "dropOffRate"), Number(step, "dropOffShare")));
        Assert.Equal((60d, 60d), (Number(step, "medianWaitSeconds"), Number(step, "p90WaitSeconds")));
        // Ten leads were told a score of 10 before and 30 three days after.
        Assert.Equal(("10", 10d, 20d), (Text(step, "scored"), Number(step, "meanScoreBefore"), Number(step, "meanScoreChange")));
        var early = (await data.Workspace.Get(
            $"/v1/reports/stalls?from=2026-03-01&to=2026-04-01&scoreDays=2&programId={data.Program}"))["steps"]![0]!;
        Assert.Equal(0d, Number(early, "meanScoreChange"));
        var dropped = (await data.Workspace.Get(
            $"/v1/reports/programLeads?programId={data.Program}&stepId=hello&outcome=DROPPED"))["leads"]!.AsArray();
        Assert.Equal(6, dropped.Count);
        Assert.All(dropped, lead => Assert.Equal("EXITED", lead!["state"]!.GetValue<string>()));
        await data.Workspace.Call(HttpMethod.Get, "/v1/reports/stalls?from=2026-04-01&to=2026-03-01", null, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Engagement_ByMailAndLink_AndTheLeadsBehind()
    {
        var data = await Fill();

        var mail = (await data.Workspace.Get("/v1/reports/engagement?from=2026-03-01&to=2026-04-01"))["assets"]!.AsArray().Single()!;
        Assert.Equal(
            ("Welcome", "30", "25", "10", "5", "1"),
            (Text(mail, "displayName"), Text(mail, "sent"), Text(mail, "delivered"), Text(mail, "opened"), Text(mail, "clicked"),
                Text(mail, "unsubscribed")));
        Assert.Equal((0.4, 0.2), (Number(mail, "openRate"), Number(mail, "clickRate")));
        Assert.Equal(("5", "5"), (Text(mail, "clickedLeads"), Text(mail, "clickedMqls")));
        var link = (await data.Workspace.Get("/v1/reports/engagement?from=2026-03-01&to=2026-04-01&kind=LINK"))["assets"]!
            .AsArray().Single()!;
        Assert.Equal((Link, "3", 0.12), (Text(link, "url"), Text(link, "clicked"), Number(link, "clickRate")));
        var leads = (await data.Workspace.Get(
            $"/v1/reports/engagementLeads?emailId={data.Email}&action=CLICKED&url={Uri.EscapeDataString(Link)}"))["leads"]!.AsArray();
        Assert.Equal(3, leads.Count);
    }

    [Theory]
    [InlineData("program", "Nurture")]
    [InlineData("step", "Nurture / hello")]
    [InlineData("email", "Welcome")]
    public async Task Metrics_ByDimension_AreThoseOfTheDefinitions(string dimension, string group)
    {
        var data = await Fill();

        Assert.Equal(30, await Value(data, "emails_sent", dimension, group));
        Assert.Equal(25, await Value(data, "emails_delivered", dimension, group));
        Assert.Equal(5d / 30, await Value(data, "bounce_rate", dimension, group));
        Assert.Equal(10d / 25, await Value(data, "open_rate", dimension, group));
        Assert.Equal(5d / 25, await Value(data, "click_rate", dimension, group));
        Assert.Equal(0.5, await Value(data, "click_to_open_rate", dimension, group));
        Assert.Equal(1d / 25, await Value(data, "unsubscribe_rate", dimension, group));
        // Leads that were held out got no mail and were in no step.
        Assert.Equal(30, await Value(data, "new_leads", dimension, group));
        Assert.Equal(12, await Value(data, "mqls", dimension, group));
        Assert.Equal(12d / 30, await Value(data, "lead_to_mql_rate", dimension, group));
    }

    [Fact]
    public async Task Metrics_BySegment_CountLeadsThatAreInIt()
    {
        var data = await Fill();
        var list = (await data.Workspace.Post("/v1/segments", """{"displayName":"Fair","kind":"LIST"}"""))["id"]!.GetValue<string>();
        var emails = string.Join(',', Enumerable.Range(1, 20).Select(number => $"\"r{number}@example.com\""));
        await data.Workspace.Post($"/v1/segments/{list}/members:add", $$"""{"emails":[{{emails}}]}""");

        // The first twelve became MQL; the first ten opened and the first five clicked; nobody among them bounced.
        Assert.Equal(20, await Value(data, "emails_delivered", "segment", "Fair"));
        Assert.Equal(0.5, await Value(data, "open_rate", "segment", "Fair"));
        Assert.Equal(12d / 20, await Value(data, "lead_to_mql_rate", "segment", "Fair"));
        Assert.Equal(10, await Value(data, "emails_sent", "segment", "(none)"));
    }

    private static async Task<double?> Value(Data data, string metric, string dimension, string group)
    {
        var answer = await data.Workspace.Get($"/v1/metrics/nurture?from=2026-03-01&to=2026-04-01&metrics={metric}&groupBy={dimension}");
        return answer["series"]!.AsArray()
            .Single(series => series!["group"]![dimension]!.GetValue<string>() == group)!["points"]![0]!["value"]?.GetValue<double>();
    }

    private static string Text(JsonNode row, string field) => row[field]!.GetValue<string>();

    private static double Number(JsonNode row, string field) => row[field]!.GetValue<double>();

    /// <summary>
    /// Forty leads captured and entering on 10 March: 1 to 30 nurtured (1 to 12 became MQL five days later), 31 to 40 held out (31 became
    /// MQL). All nurtured were mailed: 26 to 30 bounced, 1 to 10 opened, 1 to 5 clicked, 1 to 3 the link, 1 unsubscribed. At the step, 1 to
    /// 20 passed within a minute, 21 to 26 dropped, 27 to 30 are held there. 1 to 10 have scores.
    /// </summary>
    private async Task<Data> Fill()
    {
        var workspace = await fixture.NewWorkspace();
        var email = await workspace.NewEmail();
        var hello = $$$"""{"id":"hello","sendEmail":{"emailId":"{{{email}}}"}}""";
        var program = (await workspace.Post(
            "/v1/programs",
            $$$"""{"displayName":"Nurture","entryTriggers":[{"manual":{}}],"steps":[{{{hello}}}]}"""))["id"]!.GetValue<string>();
        var start = Start.ToString("o", CultureInfo.InvariantCulture);
        var (lead, enrollment, message) = (Id("8aaa"), Id("8bbb"), Id("8ccc"));
        foreach (var sql in new[]
        {
            $"""
            insert into lead (workspace_id, lead_id, profile_version, email, create_time, channel, source, medium, campaign, traits, stage_version, score_version)
            select $1, {lead}, 1, 'r' || n || '@example.com', '{start}', 'Paid Search', '', '', '', '{"{}"}', 0, 0 from generate_series(1, 40) n
            """,
            $"""
            insert into enrollment (workspace_id, id, program_id, lead_id, occurrence, state, held, version, trigger, enter_time, step_id, due_time)
            select $1, {enrollment}, '{program}', {lead}, 1,
              case when n > 30 then 'HELD_OUT' when n <= 20 then 'COMPLETED' when n <= 26 then 'EXITED' else 'ACTIVE' end, n between 27 and 30, 0, 'MANUAL', '{start}',
              case when n between 27 and 30 then 'hello' end, case when n between 27 and 30 then timestamptz '{start}' end
            from generate_series(1, 40) n
            """,
            $"""
            insert into step_visit (workspace_id, enrollment_id, step_id, program_id, enter_time, leave_time, outcome)
            select $1, {enrollment}, 'hello', '{program}', '{start}', case when n <= 26 then timestamptz '{start}' + interval '60 seconds' end,
              case when n <= 20 then 'COMPLETED' when n <= 26 then 'DROPPED' end
            from generate_series(1, 30) n
            """,
            $"""
            insert into message (workspace_id, id, lead_id, enrollment_id, program_id, step_id, email_id, state, attempts, links, create_time, send_time, deliver_time,
              bounce_time, open_time, click_time, unsubscribe_time, version)
            select $1, {message}, {lead}, {enrollment}, '{program}', 'hello', '{email}', case when n > 25 then 'BOUNCED' else 'SENT' end, 1, '{"{}"}', '{start}', '{start}', '{start}',
              case when n > 25 then timestamptz '{start}' end, case when n <= 10 then timestamptz '{start}' end, case when n <= 5 then timestamptz '{start}' end,
              case when n = 1 then timestamptz '{start}' end, 1
            from generate_series(1, 30) n
            """,
            $"""
            insert into engagement (workspace_id, id, message_id, kind, time, method, url, honeypot, classification)
            select $1, {Id("8ddd")}, {message}, 'CLICK', '{start}', 'GET', '{Link}', false, case when n = 4 then 'BOT' else 'HUMAN' end from generate_series(1, 4) n
            """,
            $"""
            insert into mql (workspace_id, id, lead_id, time) select $1, {Id("8eee")}, {lead}, timestamptz '{start}' + interval '5 days'
            from generate_series(1, 31) n where n <= 12 or n = 31
            """,
            $"""
            insert into score_change (workspace_id, lead_id, time, version, score)
            select $1, {lead}, timestamptz '{start}' + d.days * interval '1 day', d.days + 2, d.score from generate_series(1, 10) n, (values (-1, 10), (3, 30)) d(days, score)
            """,
        })
        {
            await fixture.Database.Query(sql, workspace.Id);
        }

        return new(workspace, program, email);

        // Ids of this workspace alone, by kind and number.
        string Id(string kind) => $"('{workspace.Id.ToString()[..18]}-{kind}-' || lpad(n::text, 12, '0'))::uuid";
    }

    private sealed record Data(TestWorkspace Workspace, string Program, string Email);
}
