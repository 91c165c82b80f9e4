using System.Text.Json.Nodes;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>A marketer's walk through Nurture, by REST through the real gateway with real servers.</summary>
public sealed class ThroughGatewayTests(ThroughGateway gateway) : IClassFixture<ThroughGateway>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    private static string From => TestWorkspace.Now.AddDays(-1).ToString("yyyy-MM-dd", null);

    private static string To => TestWorkspace.Now.AddDays(2).ToString("yyyy-MM-dd", null);

    [Fact]
    public async Task Segments_MadePreviewedListedAndEnded()
    {
        var run = Guid.CreateVersion7().ToString("N");
        var condition = $"lead.email contains '{run}' and company.employees >= 50";
        var big = await gateway.NewLead($"big.{run}@example.com", 250);
        await gateway.NewLead($"small.{run}@example.com", 5);
        await Eventually.Equal(
            "2", async () => (string)(await Preview($"lead.email contains '{run}'"))["count"]!, "Nurture hears of both", Deadline);
        var preview = await Preview(condition);
        Assert.Equal(("1", big), ((string)preview["count"]!, (string)preview["sample"]![0]!["leadId"]!));

        var body = new JsonObject { ["displayName"] = "Big", ["condition"] = condition }.ToJsonString();
        var (status, _, made) = await gateway.Call(HttpMethod.Post, "/v1/segments", body, requestId: run);
        var again = await gateway.Call(HttpMethod.Post, "/v1/segments", body, requestId: run);
        Assert.Equal((200, made), (status, again.Body));
        var segment = (string)JsonNode.Parse(made)!["id"]!;
        await Eventually.True(
            async () => (bool)(await gateway.Get($"/v1/segments/{segment}"))["evaluated"]!, "everybody is judged", Deadline);
        var member = Assert.Single((await gateway.Get($"/v1/segments/{segment}/members"))["members"]!.AsArray())!;
        Assert.Equal(
            ["leadId,email,stage,enterTime", $"{big},big.{run}@example.com,{member["stage"]},{member["enterTime"]}"],
            await gateway.Table($"/v1/segments/{segment}/members"));
        var wrong = await gateway.Call(HttpMethod.Post, "/v1/segments", """{"displayName":"","condition":"company.size > 3"}""");
        Assert.Equal((400, "displayName condition"), (wrong.Status, Fields(wrong.Body)));

        var list = (string)(await gateway.Post("/v1/segments", """{"displayName":"Fair","kind":"LIST"}"""))["id"]!;
        var file = $"email\nbig.{run}@example.com\nnobody.{run}@example.com\n";
        var dry = await gateway.Ask(HttpMethod.Post, $"/v1/segments/{list}/members:import?dryRun=true", file, "text/csv");
        Assert.Empty((await gateway.Get($"/v1/segments/{list}/members"))["members"]!.AsArray());
        var answer = await gateway.Ask(HttpMethod.Post, $"/v1/segments/{list}/members:import", file, "text/csv");
        Assert.Equal(dry.ToJsonString(), answer.ToJsonString());
        Assert.Equal((1, 3), ((int)answer["created"]!, (int)answer["rejected"]![0]!["line"]!));
        var added = await gateway.Post($"/v1/segments/{list}/members:add", $$"""{"emails":["small.{{run}}@example.com"]}""");
        Assert.Equal(1, (int)added["changed"]!);
        await gateway.Post($"/v1/segments/{list}/members:remove", $$"""{"leadIds":["{{big}}"]}""");
        Assert.Equal(2, (await gateway.Table($"/v1/segments/{list}/members")).Length);
        await gateway.Ask(HttpMethod.Delete, $"/v1/segments/{list}");
        Assert.Equal(404, (await gateway.Call(HttpMethod.Get, $"/v1/segments/{list}")).Status);
    }

    [Fact]
    public async Task Emails_LintedPreviewedAndTried()
    {
        var run = Guid.CreateVersion7().ToString("N");
        var lead = await gateway.NewLead($"mail.{run}@example.com", 5);
        var email = await NewEmail(
            "{{lead.firstName}}, hello", """<p>Hi {{lead.firstName}} {{lead.shoeSize}}</p><a href=\"/guide\">x</a>""");
        await Eventually.Passes(
            async () => Assert.Equal(
                "Ada, hello", (string)(await gateway.Post($"/v1/emails/{email}:preview", $$"""{"leadId":"{{lead}}"}"""))["subject"]!),
            "it is filled", Deadline);

        var findings = (await gateway.Post($"/v1/emails/{email}:lint"))["findings"]!.AsArray();
        var table = await gateway.Table($"/v1/emails/{email}:lint", HttpMethod.Post, "{}");
        Assert.Contains(findings, finding => ((string)finding!["code"]!, (string)finding["field"]!) == ("MISSING_FIELD", "lead.shoeSize"));
        Assert.Contains(findings, finding => (string)finding!["code"]! == "RELATIVE_LINK");
        Assert.Equal(findings.Count + 1, table.Length);
        Assert.StartsWith("severity,code,message", table[0], StringComparison.Ordinal);

        var sent = await gateway.Post($"/v1/emails/{email}:sendTest", $$"""{"to":"me.{{run}}@example.com","leadId":"{{lead}}"}""");
        Assert.NotEmpty(sent["messageId"]!.ToString());
        await Eventually.Equal(
            "[Test] Ada, hello",
            () => Task.FromResult(string.Join(' ', gateway.Mails.To($"me.{run}@example.com").Select(mail => mail.Subject))),
            "it arrives", Deadline);
        var bad = await gateway.Call(HttpMethod.Post, "/v1/emails", """{"displayName":"","subject":"{{#if}}","html":"{{> other}}"}""");
        Assert.Equal((400, "displayName subject html"), (bad.Status, Fields(bad.Body)));
    }

    [Fact]
    public async Task Programs_FromFaultyGraphToReports()
    {
        var run = Guid.CreateVersion7().ToString("N");
        var email = await NewEmail("Guide", """<a href=\"https://example.com/guide\">The guide</a>""");
        var faulty = await gateway.Call(HttpMethod.Post, "/v1/programs", $$$"""
            {"displayName":"P","entryTriggers":[{"event":{"name":"X","condition":"activity.nothing = 1"}},{"scoreReached":{}}],"holdOutPercent":95,
             "steps":[{"id":"a","sendEmail":{"emailId":"{{{email}}}"},"nextStepId":"gone"},{"id":"a","wait":{"duration":"0s"}},
               {"id":"c","split":{"ways":[{"percent":50},{"percent":40}]}},{"id":"d","branch":{"condition":"lead.size > 1"}}]}
            """);
        Assert.Equal(400, faulty.Status);
        var faults = Fields(faulty.Body).Split(' ');
        foreach (var field in new[]
        {
            "entryTriggers[0].event.condition", "entryTriggers[1].scoreReached", "holdOutPercent", "steps[0].nextStepId", "steps[1].id",
            "steps[1].wait.duration",
            "steps[2].split.ways", "steps[3].branch.condition",
        })
        {
            Assert.Contains(field, faults);
        }

        var list = (string)(await gateway.Post("/v1/segments", """{"displayName":"In","kind":"LIST"}"""))["id"]!;
        var program = (string)(await gateway.Post("/v1/programs", $$$"""
            {"displayName":"Guide {{{run}}}","entryTriggers":[{"segmentEntered":{"segmentId":"{{{list}}}"}}],"exitOnStages":["SQL"],
             "steps":[{"id":"mail","sendEmail":{"emailId":"{{{email}}}"}},{"id":"week","wait":{"duration":"604800s"}}]}
            """))["id"]!;
        var ada = await gateway.NewLead($"ada.{run}@example.com", 5);
        await Eventually.Equal(
            "1", async () => (string)(await Preview($"lead.email = 'ada.{run}@example.com'"))["count"]!, "Nurture hears of her", Deadline);
        var tried = (await gateway.Post($"/v1/programs/{program}:dryRun", $$"""{"leadIds":["{{ada}}"]}"""))["leads"]![0]!;
        Assert.Equal("mail week", string.Join(' ', tried["steps"]!.AsArray().Select(step => (string)step!["stepId"]!)));
        Assert.Equal(
            400, (await gateway.Call(HttpMethod.Post, $"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{ada}}"}""")).Status);

        Assert.Equal("ACTIVE", (string)(await gateway.Post($"/v1/programs/{program}:start"))["state"]!);
        var enrollment = await gateway.Post($"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{ada}}"}""");
        Assert.Equal(("ACTIVE", "MANUAL"), ((string)enrollment["state"]!, (string)enrollment["trigger"]!));
        Assert.Equal(
            400, (await gateway.Call(HttpMethod.Post, $"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{ada}}"}""")).Status);
        await Sent($"ada.{run}@example.com");
        Assert.Equal("PAUSED", (string)(await gateway.Post($"/v1/programs/{program}:pause"))["state"]!);
        await gateway.Post($"/v1/programs/{program}:start");

        // Somebody of whom nobody has heard: Capture makes the lead.
        var file = $"email,firstName\nbob.{run}@example.com,Bob\nada.{run}@example.com,\nnobody,\n";
        var imported = await gateway.Ask(HttpMethod.Post, $"/v1/programs/{program}/enrollments:import", file, "text/csv");
        Assert.Equal((1, 1, 4), ((int)imported["created"]!, (int)imported["unchanged"]!, (int)imported["rejected"]![0]!["line"]!));
        await Sent($"bob.{run}@example.com");
        var bob = (await gateway.Get($"/v1/leads?filter={Uri.EscapeDataString($"email = \"bob.{run}@example.com\"")}"))["leads"]![0]!;
        Assert.Equal(("IMPORT", "Bob"), ((string)bob["captureType"]!, (string)bob["traits"]!["firstName"]!));
        await Reports(program, email, run, ada, (string)bob["id"]!);
    }

    [Fact]
    public async Task SuppressionsAndSettings_GoInAndOut()
    {
        var run = Guid.CreateVersion7().ToString("N");
        var file = $"email,reason\na.{run}@example.com,BOUNCED\nb.{run}@example.com,\nnobody,\n";
        var imported = await gateway.Ask(HttpMethod.Post, "/v1/suppressions:import", file, "text/csv");
        Assert.Equal((2, 4), ((int)imported["created"]!, (int)imported["rejected"]![0]!["line"]!));
        var filter = $"filter={Uri.EscapeDataString($"email = \"a.{run}@example.com\"")}";
        var one = Assert.Single((await gateway.Get($"/v1/suppressions?{filter}"))["suppressions"]!.AsArray())!;
        Assert.Equal(
            ["id,email,reason,createTime", $"{one["id"]},a.{run}@example.com,BOUNCED,{one["createTime"]}"],
            await gateway.Table($"/v1/suppressions?{filter}"));
        var added = await gateway.Post("/v1/suppressions", $$"""{"email":"c.{{run}}@example.com","reason":"COMPLAINED"}""");
        await gateway.Ask(HttpMethod.Delete, $"/v1/suppressions/{added["id"]}");
        Assert.Equal(404, (await gateway.Call(HttpMethod.Get, $"/v1/suppressions/{added["id"]}")).Status);

        var settings = await gateway.Ask(
            HttpMethod.Put, "/v1/mailSettings",
            """{"settings":{"fromName":"Team","fromAddress":"team@news.example.com","softBounceLimit":4}}""");
        Assert.Equal(settings.ToJsonString(), (await gateway.Get("/v1/mailSettings")).ToJsonString());
        Assert.Contains("team@news.example.com", settings.ToJsonString(), StringComparison.Ordinal);
        var dkim = await gateway.Post("/v1/dkimKeys", """{"domain":"news.example.com"}""");
        Assert.StartsWith("v=DKIM1", (string)dkim["dnsRecord"]!, StringComparison.Ordinal);
        Assert.Contains(dkim["id"]!.ToString(), (await gateway.Get("/v1/dkimKeys")).ToJsonString(), StringComparison.Ordinal);
        await gateway.Ask(HttpMethod.Delete, $"/v1/dkimKeys/{dkim["id"]}");
        var endpoint = await gateway.Post("/v1/notifyEndpoints", """{"displayName":"Hook","url":"http://127.0.0.1:9/hook"}""");
        Assert.Contains(endpoint["id"]!.ToString(), (await gateway.Get("/v1/notifyEndpoints")).ToJsonString(), StringComparison.Ordinal);
        await gateway.Ask(HttpMethod.Delete, $"/v1/notifyEndpoints/{endpoint["id"]}");
        var policy = await gateway.Get("/v1/sendingPolicy");
        Assert.Equal(400, (await gateway.Call(HttpMethod.Put, "/v1/sendingPolicy", """{"policy":{"nothing":1}}""")).Status);
        Assert.Equal(policy.ToJsonString(), (await gateway.Get("/v1/sendingPolicy")).ToJsonString());
    }

    private async Task Reports(string program, string email, string run, string ada, string bob)
    {
        await Eventually.Equal(
            "2 wait, 2 sent",
            async () =>
            {
                var report = (await gateway.Get($"/v1/programs/{program}/report"))["steps"]!;
                return $"{report[1]!["waiting"]} wait, {report[0]!["emailsSent"]} sent";
            },
            "both wait, and their mails are marked as sent", Deadline);
        var steps = await gateway.Table($"/v1/programs/{program}/report");
        Assert.Equal(
            "stepId,action,entered,waiting,completed,dropped,converted,medianWaitSeconds,emailsSent,emailsOpened,emailsClicked,emailsFailed",
            steps[0]);
        Assert.Equal(("mail,SEND_EMAIL,2,0,2,0,0", "week,WAIT,2,2,0,0,0,,0,0,0,0"), (steps[1][..25], steps[2]));
        Assert.EndsWith(",2,0,0,0", steps[1], StringComparison.Ordinal);

        var programs = await gateway.Table($"/v1/reports/programs?from={From}&to={To}");
        Assert.StartsWith("programId,displayName,leads,mqls,mqlRate,medianDaysToMql,emailsSent", programs[0], StringComparison.Ordinal);
        Assert.StartsWith($"{program},Guide {run},2,0,0,,2", Row(programs, program), StringComparison.Ordinal);
        var compared = (await gateway.Get($"/v1/reports/programs?from={From}&to={To}"))["programs"]!.AsArray();
        Assert.Equal("2", (string)compared.Single(row => (string)row!["programId"]! == program)!["leads"]!);

        var stalls = await gateway.Table($"/v1/reports/stalls?from={From}&to={To}&programId={program}");
        Assert.StartsWith(
            "programId,programName,stepId,entered,waiting,overdue,paused,completed,dropped,converted,dropOffRate,dropOffShare", stalls[0],
            StringComparison.Ordinal);
        Assert.Contains(stalls, row => row.StartsWith($"{program},Guide {run},week,2,2,0,0,0,0,0,0,", StringComparison.Ordinal));

        var assets = await gateway.Table($"/v1/reports/engagement?from={From}&to={To}&programId={program}");
        Assert.Equal(
            "emailId,displayName,url,sent,delivered,opened,clicked,unsubscribed,openRate,clickRate,clickedLeads,clickedMqls", assets[0]);
        Assert.Equal($"{email},Mail,,2,2,0,0,0,0,0,0,0", Assert.Single(assets[1..]));

        var inside = await gateway.Table($"/v1/reports/programLeads?programId={program}&stepId=week&outcome=WAITING");
        Assert.StartsWith("leadId,email,stage,enrollmentId,enterTime,state,exitReason,mqlTime", inside[0], StringComparison.Ordinal);
        Assert.Equal(
            new[] { ada, bob }.Order(StringComparer.Ordinal), inside[1..].Select(row => row.Split(',')[0]).Order(StringComparer.Ordinal));
        var told = (await gateway.Get($"/v1/reports/programLeads?programId={program}&stepId=week&outcome=WAITING"))["leads"]!.AsArray();
        Assert.Equal(2, told.Count);
        var mailed = await gateway.Table($"/v1/reports/engagementLeads?emailId={email}&action=DELIVERED");
        Assert.Equal("leadId,email,stage,messageId,sendTime,openTime,clickTime", mailed[0]);
        Assert.Equal(2, mailed[1..].Length);
        Assert.Equal(2, (await gateway.Get($"/v1/reports/engagementLeads?emailId={email}&action=DELIVERED"))["leads"]!.AsArray().Count);

        var metrics = await gateway.Get($"/v1/metrics/nurture?from={From}&to={To}&groupBy=program&metrics=emails_sent,emails_delivered");
        Assert.All(
            metrics["series"]!.AsArray().Where(series => (string)series!["group"]!["program"]! == $"Guide {run}"),
            series => Assert.Equal(2, series!["points"]!.AsArray().Sum(point => (double?)point!["value"] ?? 0)));
        Assert.Equal(400, (await gateway.Call(HttpMethod.Get, "/v1/reports/stalls?from=x&to=y")).Status);
    }

    private static string Row(string[] table, string beginning) => table.Single(row => row.StartsWith(beginning, StringComparison.Ordinal));

    private Task Sent(string to) => Eventually.Equal(
        "Guide", () => Task.FromResult(string.Join(' ', gateway.Mails.To(to).Select(mail => mail.Subject))),
        $"{to} gets the mail", Deadline);

    private Task<JsonNode> Preview(string condition) =>
        gateway.Post("/v1/segments:preview", new JsonObject { ["condition"] = condition }.ToJsonString());

    private async Task<string> NewEmail(string subject, string html) =>
        (string)(await gateway.Post("/v1/emails", $$$"""{"displayName":"Mail","subject":"{{{subject}}}","html":"{{{html}}}"}"""))["id"]!;

    /// <summary>The fields that a refusal names.</summary>
    private static string Fields(string problem) =>
        string.Join(' ', JsonNode.Parse(problem)!["errors"]!.AsArray().Select(error => (string)error!["field"]!));
}
