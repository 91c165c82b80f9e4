using System.Net;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>What callers may rely on: numbers, faults, repetition, pages.</summary>
public sealed class ContractTests(NurtureFixture fixture)
{
    [Fact]
    public async Task Metrics_InAZoneWithSummerTime_FollowLocalDays()
    {
        var workspace = await fixture.NewWorkspace("Europe/Berlin");
        // Clocks go forward on 29 March 2026 at 02:00: that day begins at 23:00 UTC and ends at 22:00 UTC.
        DateTimeOffset[] created =
            [At("2026-03-28T22:59:59Z"), At("2026-03-28T23:00:00Z"), At("2026-03-29T21:59:59Z"), At("2026-03-29T22:00:00Z")];
        var leads = created.Select(_ => Guid.CreateVersion7()).ToList();
        for (var index = 0; index < leads.Count; index++)
        {
            await workspace.Publish(
                workspace.Captured(leads[index], $"b{index}@example.com", created[index], index == 3 ? "autumn" : "spring"));
        }

        var mql = workspace.Moved(leads[1], "LEAD", "MQL", "QUALIFIED", 2, created[1].AddMinutes(1));
        await workspace.Publish(mql);
        await workspace.Publish(mql);
        await workspace.Publish(workspace.Moved(leads[2], "LEAD", "MQL", "QUALIFIED", 2, created[2]));
        await workspace.Publish(workspace.Moved(leads[1], "OPPORTUNITY", "MQL", "LOST", 9, created[3]));
        await workspace.Publish(Spend(workspace, 1, 500));
        await workspace.Publish(Spend(workspace, 3, 300));
        await workspace.Publish(Spend(workspace, 2, 900));

        const string Days = "&granularity=DAY";
        await Eventually.Equal(
            "1 2 1",
            async () => string.Join(' ', await workspace.Metric("new_leads", "2026-03-28", "2026-03-31", Days)),
            "all leads are counted");
        await Eventually.Equal(
            "0 2 0",
            async () => string.Join(' ', await workspace.Metric("mqls", "2026-03-28", "2026-03-31", Days)),
            "all MQLs are counted");
        await Eventually.Equal(
            "150",
            async () => string.Join(' ', await workspace.Metric("cost_per_mql", "2026-03-29", "2026-03-30", Days)),
            "the newest spend counts");
        Assert.Equal([0d, 1d, 0d], await workspace.Metric("lead_to_mql_rate", "2026-03-28", "2026-03-31", Days));
        Assert.Equal([null, 150d, null], await workspace.Metric("cost_per_mql", "2026-03-28", "2026-03-31", Days));
        Assert.Equal([null], await workspace.Metric("open_rate", "2026-03-28", "2026-03-31", "&granularity=YEAR"));
        var byCampaign = await workspace.Get(
            "/v1/metrics/nurture?from=2026-03-01&to=2026-04-01&metrics=new_leads,cost_per_mql&groupBy=campaign");
        Assert.Equal(
            ["new_leads autumn 1 count", "new_leads spring 3 count", "cost_per_mql autumn  USD", "cost_per_mql spring 150 USD"],
            byCampaign["series"]!.AsArray()
                .Select(series => $"{series!["metric"]} {series["group"]!["campaign"]} {series["points"]![0]!["value"]} {series["unit"]}"));
        var all = await workspace.Get("/v1/metrics/nurture?from=2026-03-01&to=2026-04-01");
        Assert.Equal(12, all["series"]!.AsArray().Count);
    }

    [Fact]
    public async Task BadRequests_NameEveryFaultAndChangeNothing()
    {
        var workspace = await fixture.NewWorkspace();

        await Faults(
            workspace, "/v1/emails", """{"subject":"{{#if x}}","html":"","fromAddress":"nobody"}""", "displayName",
            "subject", "html", "fromAddress");
        await Faults(
            workspace, "/v1/segments", """{"condition":"lead.nothing = 1 and company.employees contains \"x\""}""", "displayName",
            "condition", "condition");
        await Faults(
            workspace,
            "/v1/programs",
            """
            {"displayName":"P","entryTriggers":[{},{"leadCaptured":{"captureTypes":["FAX"]}},{"stageChanged":{}}],
             "steps":[{"id":"a b"},{"wait":{"duration":"0s"}},{"sendEmail":{"emailId":"x"}},{"branch":{"condition":"("}}],"exitOnStages":["VISITOR"]}
            """,
            "entryTriggers[0]", "entryTriggers[1].leadCaptured.captureTypes", "entryTriggers[2].stageChanged.to", "steps[0]",
            "steps[2].sendEmail.emailId", "exitOnStages", "steps[0].id", "steps[1].wait.duration", "steps[3].branch.condition");
        await Faults(workspace, "/v1/programs", """{"displayName":7,"reentry":"OFTEN","nothing":1}""", "displayName", "reentry", "nothing");
        await Faults(workspace, "/v1/suppressions", """{"email":"x"}""", "email");
        await Faults(workspace, "/v1/segments:preview", """{"condition":"lead.stage ="}""", "condition");
        await workspace.Call(
            HttpMethod.Get, "/v1/metrics/nurture?from=2026-01-01&to=2026-01-01&metrics=x&groupBy=y", null, HttpStatusCode.BadRequest);
        await workspace.Call(HttpMethod.Get, "/v1/programs?pageSize=-1&filter=nothing=1&orderBy=x", null, HttpStatusCode.BadRequest);
        await workspace.Call(HttpMethod.Get, "/v1/emails/not-an-id", null, HttpStatusCode.BadRequest);
        await workspace.Call(HttpMethod.Get, "/v1/emails", null, HttpStatusCode.Forbidden, "capture:read");
        foreach (var table in new[] { "email", "segment", "program", "suppression" })
        {
            Assert.Equal(0L, await fixture.Database.Scalar<long>($"select count(*) from {table} where workspace_id = $1", workspace.Id));
        }
    }

    [Fact]
    public async Task SameRequestIdTwice_AnswersTheFirstTimeAgain()
    {
        var workspace = await fixture.NewWorkspace();
        const string Body = """{"displayName":"W","subject":"S","html":"<p>H</p>","requestId":"r1"}""";

        var (first, second) = (await workspace.Post("/v1/emails", Body), await workspace.Post("/v1/emails", Body));
        await workspace.Post("/v1/emails", Body.Replace("\"S\"", "\"T\"", StringComparison.Ordinal), HttpStatusCode.Conflict);

        Assert.True(JsonNode.DeepEquals(first, second));
        Assert.Single((await workspace.Get("/v1/emails"))["emails"]!.AsArray());
    }

    [Fact]
    public async Task TestMail_IsSentWithoutTrackingAndTheSameRequestSendsOne()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var (email, address) = (await workspace.NewEmail(), $"author.{Guid.CreateVersion7():N}@example.com");

        var preview = await workspace.Post($"/v1/emails/{email}:preview");
        Assert.Equal(
            ("Welcome, Ada", true),
            (
                preview["subject"]!.GetValue<string>(),
                preview["html"]!.GetValue<string>().Contains("/e/u/sample", StringComparison.Ordinal)));
        for (var time = 0; time < 2; time++)
        {
            await workspace.Post($"/v1/emails/{email}:sendTest", $$"""{"to":"{{address}}","requestId":"t1"}""");
        }

        var mail = Assert.Single(fixture.Mails.To(address));
        Assert.Equal(("[Test] Welcome, Ada", "https://example.com/guide?a=1"), (mail.Subject, mail.Links[0]));
        Assert.Equal([0d], await workspace.MetricToday("emails_sent"));
    }

    [Fact]
    public async Task Lists_GoPageByPage()
    {
        var workspace = await fixture.NewWorkspace();
        foreach (var name in new[] { "c", "a", "b" })
        {
            await workspace.Post("/v1/segments", $$"""{"displayName":"{{name}}","condition":"true"}""");
        }

        var first = await workspace.Get("/v1/segments?pageSize=2&orderBy=displayName");
        var second = await workspace.Get($"/v1/segments?pageSize=2&orderBy=displayName&pageToken={first["nextPageToken"]}");

        Assert.Equal(
            ["a", "b", "c"],
            first["segments"]!.AsArray().Concat(second["segments"]!.AsArray())
                .Select(segment => segment!["displayName"]!.GetValue<string>()));
        Assert.Equal("", second["nextPageToken"]!.GetValue<string>());
        Assert.Single((await workspace.Get("/v1/segments?filter=displayName=\"b\""))["segments"]!.AsArray());
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, null);

    private static SpendRecorded Spend(TestWorkspace workspace, long version, decimal amount) => new(
        Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, version,
        [new SpendInfo(new DateOnly(2026, 3, 29), "Paid Search", "google", "cpc", "spring", "", new MoneyInfo("USD", amount), 1, 1)]);

    private static async Task Faults(TestWorkspace workspace, string path, string body, params string[] fields)
    {
        var answer = await workspace.Post(path, body, HttpStatusCode.BadRequest);
        Assert.Equal(fields.Order(), answer["errors"]!.AsArray().Select(fault => fault!["field"]!.GetValue<string>()).Order());
    }
}
