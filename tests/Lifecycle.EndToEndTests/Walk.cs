using System.Globalization;
using System.Text.Json.Nodes;

namespace Lifecycle.EndToEndTests;

/// <summary>
/// One lead from first visit to advocate, told as a partner's program tells it: through the gateway only, in a workspace of its own.
/// </summary>
public sealed class Walk(RunningSuite suite) : IDisposable
{
    private const string Browser = "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
    private const string Scanner = "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))";

    private readonly string run = Guid.CreateVersion7().ToString("N")[^10..];
    private readonly DateTimeOffset start = TimeProvider.System.GetUtcNow().AddDays(-2).AddMinutes(-20);
    private Api? site;

    public Api Api { get; private set; } = null!;

    public string WorkspaceId { get; private set; } = "";

    public string Key { get; private set; } = "";

    public string LeadId { get; private set; } = "";

    public string Email => $"vp-{run}@example.com";

    public decimal ScoreAtForm { get; private set; }

    public async Task OpenWorkspace()
    {
        using var admin = suite.Admin();
        var workspace = await admin.Post(
            "/v1/workspaces", new { displayName = $"Walk {run}", timeZone = "Europe/Berlin", currencyCode = "USD" });
        WorkspaceId = workspace.Text("id");
        var scopes = new[] { "capture", "scoring", "nurture", "conversion", "retention" }
            .SelectMany(service => new[] { $"{service}:read", $"{service}:write" }).Append("metrics:read").ToArray();
        Key = (await admin.Post("/v1/keys", new { workspaceId = WorkspaceId, kind = "SECRET", scopes, displayName = "walk" })).Text("key");
        Api = suite.Client(Key);
        site = suite.Client(
            (await admin.Post("/v1/keys", new { workspaceId = WorkspaceId, kind = "PUBLISHABLE", displayName = "site" })).Text("key"));
    }

    public async Task ImportSpend()
    {
        var csv = $"date,source,medium,campaign,amount,currency,impressions,clicks\n{Day(Today)},google,cpc,spring,600.00,USD,10000,150\n";
        var answer = await Api.Import("/v1/spend:import", "text/csv", csv);
        Assert.Equal(1, answer.Number("created"));
    }

    /// <summary>A welcome program that mails every new lead at once.</summary>
    public async Task StartProgram()
    {
        var email = await Api.Post("/v1/emails", new
        {
            displayName = "Welcome",
            subject = "Your white paper, {{lead.firstName}}",
            html =
                "<p>Hello {{lead.firstName}},</p><p><a href=\"https://www.example.com/paper\">Read the paper</a></p><p><a href=\"{{unsubscribeUrl}}\">Unsubscribe</a></p>",
            fromName = "Example",
            fromAddress = "hello@example.com",
        });
        var program = await Api.Post("/v1/programs", new
        {
            displayName = "Welcome",
            entryTriggers = new object[]
            {
                new { leadCaptured = new { captureTypes = new[] { "FORM" } } },
                new { stageChanged = new { to = "LEAD", reason = "RECYCLED" } },
            },
            reentry = "AFTER_EXIT",
            steps = new object[]
            {
                new { id = "welcome", sendEmail = new { emailId = email.Text("id") } },
            },
        });
        ProgramId = program.Text("id");
        Assert.Equal("ACTIVE", (await Api.Post($"/v1/programs/{ProgramId}:start")).Text("state"));
    }

    public string ProgramId { get; private set; } = "";

    /// <summary>Three pages from a paid search, two days later back from LinkedIn, a white paper and a demo form.</summary>
    public async Task VisitAndAskForDemo()
    {
        var first = await Batch(
            Page(
                "p1", start, "https://www.example.com/?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=lead+scoring",
                "https://www.google.com/"),
            Page("p2", start.AddMinutes(2), "https://www.example.com/product"),
            Page("p3", start.AddMinutes(5), "https://www.example.com/pricing"));
        Assert.Equal((3, 0), (first.Number("accepted"), first.Number("duplicates")));
        var back = start.AddDays(2);
        var second = await Batch(
            Page("p4", back, "https://www.example.com/blog/scoring", "https://www.linkedin.com/feed/"),
            Track("d1", back.AddMinutes(3), "Content Downloaded", new { title = "Scoring that sales believe" }),
            Track("f1", back.AddMinutes(6), "Form Submitted", new
            {
                formId = "demo",
                formType = "demo",
                fields =
                    new { email = Email, firstName = "Robin", title = "VP Marketing", company = "Example Industries", employees = 250 },
            }));
        Assert.Equal(3, second.Number("accepted"));
        var lead = await Eventually.Get("the lead", () => FindLead(Email));
        LeadId = lead.Text("id");
    }

    public async Task<JsonNode?> FindLead(string email)
    {
        var list = await Api.Get($"/v1/leads?filter={Uri.EscapeDataString($"email = \"{email}\"")}");
        return list["leads"]?.AsArray().SingleOrDefault();
    }

    /// <summary>Both sessions are touches; the first is the paid search.</summary>
    public async Task CheckJourney()
    {
        var lead = await Api.Get($"/v1/leads/{LeadId}");
        Assert.Equal("FORM", lead.Text("captureType"));
        Assert.Equal(
            ("Paid Search", "google", "cpc", "spring", "lead scoring"),
            (lead.Text("firstTouch.channel"), lead.Text("firstTouch.source"), lead.Text("firstTouch.medium"),
                lead.Text("firstTouch.campaign"), lead.Text("firstTouch.keyword")));
        Assert.Equal("Organic Social", lead.Text("lastTouch.channel"));
        var journey = await Api.Get($"/v1/leads/{LeadId}/journey");
        Assert.Equal(["Paid Search", "Organic Social"], journey["sessions"]!.AsArray().Select(session => session!.Text("touch.channel")));
    }

    /// <summary>The score crosses the threshold, equals its explanation, and hands the lead to sales with reasons.</summary>
    public async Task CheckQualified()
    {
        await ExpectStage("MQL");
        await Eventually.True("the score of all activities", async () =>
        {
            var score = await Api.Get($"/v1/scores/{LeadId}");
            ScoreAtForm = score.Exact("total");
            return ScoreAtForm >= 60;
        });
        var explained = await Api.Get($"/v1/scores/{LeadId}:explain");
        Assert.Equal(explained.Exact("score.total"), explained["contributions"]!.AsArray().Sum(one => one!.Exact("decayedPoints")));
        var handoff = await Handoff(LeadId);
        Assert.NotEmpty(handoff["reasons"]!.AsArray());
        HandoffId = handoff.Text("id");
    }

    public string HandoffId { get; private set; } = "";

    /// <summary>A real mail arrives at the mail server; a scanner's click scores nothing, a person's open and click do.</summary>
    public async Task ReadMail()
    {
        var html = await Eventually.Get("the welcome mail", () => suite.FindMail(Email));
        var link = Between(html, "/e/c/", '"');
        var pixel = Between(html, "/e/o/", '"');
        var sent = TimeProvider.System.GetUtcNow();
        await suite.Follow($"/e/c/{link}", Scanner);
        await Eventually.True("the scanner's click, kept apart", async () =>
            (await Metric("nurture", "click_rate")) is 0 && (await LeadEmails()).Any(email => email!["engagements"]!.AsArray().Any(
                one => one!.Text("kind") == "CLICK" && one!.Text("classification") is "BOT" or "SUSPECT")));
        var before = (await Api.Get($"/v1/scores/{LeadId}")).Exact("total");
        Assert.True(before <= ScoreAtForm + 0.01m, $"A scanner's click moved the score from {ScoreAtForm} to {before}.");
        await Eventually.True(
            "the time a person takes", () => Task.FromResult(TimeProvider.System.GetUtcNow() - sent > TimeSpan.FromSeconds(3)));
        await suite.Follow($"/e/o/{pixel}", Browser);
        Assert.Equal("https://www.example.com/paper", await suite.Follow($"/e/c/{link}", Browser));
        await Eventually.True(
            "a higher score after open and click", async () => (await Api.Get($"/v1/scores/{LeadId}")).Exact("total") >= before + 5);
    }

    public async Task Sell()
    {
        await Api.Post($"/v1/handoffs/{HandoffId}:accept", new { owner = "sales@example.com" });
        await ExpectStage("SQL");
        var opportunity = await Api.Post(
            "/v1/opportunities", new { leadId = LeadId, name = "Example Industries", amount = Usd("12000.00") });
        await ExpectStage("OPPORTUNITY");
        OpportunityId = opportunity.Text("id");
        Assert.Equal("WON", (await Api.Post($"/v1/opportunities/{OpportunityId}:win")).Text("state"));
        await ExpectStage("CUSTOMER");
    }

    public string OpportunityId { get; private set; } = "";

    /// <summary>12,000 booked: all of it by first touch, half and half by linear.</summary>
    public async Task CheckAttribution()
    {
        await Eventually.True(
            "bookings credited to the first touch", async () => await Credited("FIRST_TOUCH") is [("Paid Search", "12000.00")]);
        await Eventually.True(
            "half of the bookings for each touch",
            async () => await Credited("LINEAR") is [("Organic Social", "6000.00"), ("Paid Search", "6000.00")]);
    }

    public async Task GrowAndRecommend()
    {
        var customer = await Eventually.Get("the customer", async () => (await Api.Get(
            $"/v1/customers?filter={Uri.EscapeDataString($"leadId = \"{LeadId}\"")}"))["customers"]?.AsArray().SingleOrDefault());
        CustomerId = customer.Text("id");
        await Eventually.True("the first revenue", async () => (await Revenue()).Contains(("NEW", "12000.00")));
        await Api.Post($"/v1/customers/{CustomerId}/revenue", new { type = "UPSELL", amount = Usd("3000.00"), recurrence = "ONE_OFF" });
        Assert.Equal([("NEW", "12000.00"), ("UPSELL", "3000.00")], (await Revenue()).Order());
        var survey = await Api.Post("/v1/surveys", new { type = "NPS", displayName = "After onboarding" });
        await Api.Post(
            $"/v1/surveys/{survey.Text("id")}/answers",
            new { customerId = CustomerId, score = 10, comment = "The reasons beside the score won our sellers over." });
        await Api.Post("/v1/referrals", new { advocateLeadId = LeadId, referredEmail = $"friend-{run}@example.net" });
        await ExpectStage("ADVOCATE");
    }

    public string CustomerId { get; private set; } = "";

    /// <summary>A second lead is handed back and nurtured again; a third is erased and leaves only numbers.</summary>
    public async Task ReturnOneAndEraseOne()
    {
        ReturnedLeadId = await AskForDemo("returned");
        await ExpectStage("MQL", ReturnedLeadId);
        var handoff = await Handoff(ReturnedLeadId);
        // The program takes a lead again only after it has left, and here sales answer within a second.
        await Eventually.Equal("COMPLETED", "the returned lead's way through the program", () => Enrollments(ReturnedLeadId));
        await Api.Post($"/v1/handoffs/{handoff.Text("id")}:return", new { reason = "NO_BUDGET" });
        await ExpectStage("LEAD", ReturnedLeadId);
        var history = (await Api.Get($"/v1/leads/{ReturnedLeadId}/stage"))["history"]!.AsArray();
        Assert.Equal("RECYCLED", history[^1]!.Text("reason"));
        await Eventually.Equal("COMPLETED COMPLETED", "the returned lead in the program again", () => Enrollments(ReturnedLeadId));

        ErasedLeadId = await AskForDemo("erased");
        await ExpectStage("MQL", ErasedLeadId);
        await Eventually.True(
            "three leads counted", async () => await Metric("capture", "leads") is 3 && await Metric("conversion", "mqls") is 3);
        await Api.Delete($"/v1/leads/{ErasedLeadId}");
        foreach (var path in new[] { $"/v1/leads/{ErasedLeadId}", $"/v1/scores/{ErasedLeadId}", $"/v1/leads/{ErasedLeadId}/stage" })
        {
            await Eventually.True(
                $"{path} gone", async () => (await Api.Send(HttpMethod.Get, path)).Status == System.Net.HttpStatusCode.NotFound);
        }

        // Every service has confirmed what it erased.
        await Eventually.Equal(
            "COMPLETE: capture conversion nurture retention scoring",
            "the receipts of the erasure",
            async () =>
            {
                var erasure = await Api.Get($"/v1/leads/{ErasedLeadId}/erasure");
                var erased = erasure["receipts"]!.AsArray().Where(receipt => receipt!.Text("state") == "ERASED")
                    .Select(receipt => receipt!.Text("service"));
                return $"{erasure.Text("state")}: {string.Join(' ', erased.Order(StringComparer.Ordinal))}";
            });
        Assert.Equal(3, await Metric("capture", "leads"));
        Assert.Equal(3, await Metric("conversion", "mqls"));
    }

    public string ReturnedLeadId { get; private set; } = "";

    public string ErasedLeadId { get; private set; } = "";

    /// <summary>600 spent on three leads, three MQLs, one SQL and one customer of 12,000.</summary>
    public async Task CheckMeasures()
    {
        foreach (var (service, metric, expected) in Expected)
        {
            await Eventually.Equal(expected, $"{service} {metric}", async () => Math.Round(await Metric(service, metric) ?? double.NaN, 9));
        }

        // A service that takes longer than the scorecard waits is told as unavailable.
        var scorecard = await Eventually.Get("the scorecard of all services", async () =>
            await Api.Get($"/v1/reports/scorecard?from={From}&to={To}&granularity=YEAR") is var answer
                && answer["unavailable"] is not JsonArray { Count: > 0 } ? answer : null);
        var text = scorecard.ToJsonString();
        Assert.All(Expected, one => Assert.Contains($"\"{one.Metric}\"", text, StringComparison.Ordinal));
    }

    public async Task Run(Func<string, Task>? between = null)
    {
        foreach (var (name, step) in Steps)
        {
            await step();
            await (between?.Invoke(name) ?? Task.CompletedTask);
        }
    }

    public void Dispose()
    {
        Api?.Dispose();
        site?.Dispose();
    }

    private (string Name, Func<Task> Step)[] Steps =>
    [
        (nameof(OpenWorkspace), OpenWorkspace), (nameof(ImportSpend), ImportSpend), (nameof(StartProgram), StartProgram),
        (nameof(VisitAndAskForDemo), VisitAndAskForDemo), (nameof(CheckJourney), CheckJourney), (nameof(CheckQualified), CheckQualified),
        (nameof(ReadMail), ReadMail), (nameof(Sell), Sell), (nameof(CheckAttribution), CheckAttribution),
        (nameof(GrowAndRecommend), GrowAndRecommend), (nameof(ReturnOneAndEraseOne), ReturnOneAndEraseOne),
        (nameof(CheckMeasures), CheckMeasures),
    ];

    private static readonly (string Service, string Metric, double Expected)[] Expected =
    [
        ("capture", "leads", 3), ("capture", "form_leads", 3), ("capture", "spend", 600), ("capture", "clicks", 150),
        ("capture", "cost_per_lead", 200),
        ("scoring", "qualified_leads", 3),
        ("nurture", "new_leads", 3), ("nurture", "mqls", 3), ("nurture", "cost_per_mql", 200),
        ("conversion", "mqls", 3), ("conversion", "sqls", 1), ("conversion", "handbacks", 1), ("conversion", "opportunities", 1),
        ("conversion", "new_customers", 1), ("conversion", "bookings", 12000), ("conversion", "cost_per_sql", 600),
        ("conversion", "cost_per_customer", 600), ("conversion", "roi", 19), ("conversion", "win_rate", 1),
        ("retention", "total_sales", 15000), ("retention", "upsell_revenue", 3000),
        ("retention", "upsell_share", 0.2), ("retention", "nps", 100), ("retention", "nps_responses", 1), ("retention", "advocates", 1),
        ("retention", "referrals", 1),
    ];

    private string From => Day(start.AddDays(-30));

    private string To => Day(start.AddDays(30));

    /// <summary>Now, in the workspace's time zone.</summary>
    private static DateTimeOffset Today =>
        TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));

    /// <summary>
    /// The metric's value for this year, in which all that counts here happens: visits apart, the walk looks back a quarter of an hour.
    /// </summary>
    public async Task<double?> Metric(string service, string metric)
    {
        var answer = await Api.Get(
            $"/v1/metrics/{service}?from={Today.Year}-01-01&to={Today.Year + 1}-01-01&granularity=YEAR&metrics={metric}");
        return answer["series"]!.AsArray().Single()!["points"]!.AsArray().Single()!["value"]?.GetValue<double>();
    }

    private async Task<string> AskForDemo(string who)
    {
        var now = TimeProvider.System.GetUtcNow().AddMinutes(-8);
        var email = $"{who}-{run}@example.com";
        await Batch(
            Page(
                $"{who}-p1", now, "https://www.example.com/?utm_source=google&utm_medium=cpc&utm_campaign=spring",
                "https://www.google.com/", who),
            Page($"{who}-p2", now.AddMinutes(1), "https://www.example.com/pricing", null, who),
            Track($"{who}-d", now.AddMinutes(2), "Content Downloaded", new { title = "Scoring that sales believe" }, who),
            Track($"{who}-f", now.AddMinutes(3), "Form Submitted", new
            {
                formId = "demo",
                formType = "demo",
                fields = new { email, firstName = "Kim", title = "Director of Marketing", company = "Sample Works", employees = 400 }
            }, who));
        return (await Eventually.Get($"the lead {who}", () => FindLead(email))).Text("id");
    }

    private Task<JsonNode> Handoff(string leadId) => Eventually.Get("the hand-off", async () =>
        (await Api.Get($"/v1/handoffs?leadId={leadId}&state=OPEN"))["handoffs"]?.AsArray().SingleOrDefault());

    private async Task<string> Enrollments(string leadId)
    {
        var filter = Uri.EscapeDataString($"leadId = \"{leadId}\"");
        var answer = await Api.Get($"/v1/programs/{ProgramId}/enrollments?filter={filter}");
        return string.Join(' ', answer["enrollments"]!.AsArray().Select(enrollment => enrollment!.Text("state")));
    }

    private Task ExpectStage(string stage, string? leadId = null) => Eventually.Equal($"{stage}", $"the lead's stage {stage}", async () =>
    {
        var id = leadId ?? LeadId;
        var (status, body, _) = await Api.Send(HttpMethod.Get, $"/v1/leads/{id}/stage");
        if (status == System.Net.HttpStatusCode.OK && body!.Text("current") == stage)
        {
            return stage;
        }

        var score = await Api.Send(HttpMethod.Get, $"/v1/scores/{id}:explain");
        return $"{(int)status} {body?.ToJsonString()} with the score {score.Body?.ToJsonString()}";
    });

    private async Task<List<(string Channel, string Value)>> Credited(string model)
    {
        var report = await Api.Get($"/v1/reports/attribution?from={From}&to={To}&groupBy=channel&model={model}");
        return (report["rows"]?.AsArray() ?? []).Select(row => (row!.Text("group.channel"), row!.Text("value.amount"))).Order().ToList();
    }

    private async Task<List<(string Type, string Amount)>> Revenue() =>
        ((await Api.Get($"/v1/customers/{CustomerId}/revenue"))["revenue"]?.AsArray() ?? [])
            .Select(entry => (entry!.Text("type"), entry!.Text("amount.amount"))).ToList();

    private async Task<JsonArray> LeadEmails() => (await Api.Get($"/v1/leads/{LeadId}/emails"))["emails"]!.AsArray();

    private async Task<JsonNode> Batch(params object[] messages)
    {
        var (status, body, _) = await site!.Send(HttpMethod.Post, "/v1/batch", Lifecycle.EndToEndTests.Api.Json(
            new { batch = messages, sentAt = TimeProvider.System.GetUtcNow() }));
        Assert.True(status == System.Net.HttpStatusCode.OK, $"POST /v1/batch: {(int)status} {body?.ToJsonString()}");
        return body!;
    }

    private object Page(string id, DateTimeOffset time, string url, string? referrer = null, string who = "visitor") =>
        new
        {
            type = "page",
            messageId = $"{run}-{id}",
            anonymousId = $"{who}-{run}",
            timestamp = time,
            context = new { page = new { url, referrer }, userAgent = Browser }
        };

    private object Track(string id, DateTimeOffset time, string name, object properties, string who = "visitor") =>
        new
        {
            type = "track",
            @event = name,
            messageId = $"{run}-{id}",
            anonymousId = $"{who}-{run}",
            timestamp = time,
            properties,
            context = new { userAgent = Browser }
        };

    private static object Usd(string amount) => new { currencyCode = "USD", amount };

    private static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Between(string text, string marker, char end)
    {
        var from = text.IndexOf(marker, StringComparison.Ordinal);
        Assert.True(from >= 0, $"The mail has no {marker}: {text}");
        from += marker.Length;
        return text[from..text.IndexOf(end, from)];
    }
}
