using System.Net;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

public sealed class SurveyScheduleTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Onboarding_CustomersWhoseTimeHasCome_AreAskedOnceAndAnswerOverTheLink()
    {
        var tenant = await Workspace();
        var (due, early, late) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var (lead, days) in new[] { (due, 14), (early, 1), (late, 100) })
        {
            await tenant.Publish(tenant.Captured(lead, $"{lead:N}@example.org"));
            await tenant.Publish(tenant.BecameCustomer(lead, Tenant.Now.AddDays(-days)));
            await tenant.CustomerOf(lead);
        }

        await Address(tenant, due, early, late);
        var survey = await Survey(tenant, new { active = true, afterOnboardingDays = 7 });
        var other = await Survey(tenant, new { active = true, afterOnboardingDays = 10 });

        // The second survey finds the person asked already and waits.
        await Eventually.Equal(2L, () => Count(tenant, "customer_id is not null"), "an occasion of each survey");
        await Eventually.Equal(1L, () => Count(tenant, "state = 'PENDING' and reason = 'ASKED_LATELY'"), "the one that waits");
        Assert.Equal(1L, await Count(tenant, "state = 'INVITED'"));
        var mail = Assert.Single(await fixture.Bus.Until<EmailRequested>(1, e => e.WorkspaceId == tenant.Id));
        Assert.Equal(due, mail.LeadId);
        Assert.Equal("How likely are you to recommend us to a friend or colleague?", mail.Values["survey.question"]);

        using var browser = new HttpClient { BaseAddress = fixture.Service.Http };
        var path = new Uri(mail.Values["survey.url"]).PathAndQuery;
        Assert.Equal(HttpStatusCode.OK, (await browser.PostAsync(path, Form("3", "Late delivery"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await browser.PostAsync(path, Form("2", "Late delivery, again"))).StatusCode);
        var answers = (await tenant.Get("/v1/surveyAnswers"))["answers"]!.AsArray();
        var answer = Assert.Single(answers)!;
        Assert.Equal((2, "DETRACTOR", due.ToString()), ((int)answer["score"]!, (string)answer["category"]!, (string)answer["leadId"]!));
        Assert.NotEqual(survey, other);
    }

    [Fact]
    public async Task SupportEvent_ToldTwice_AsksOnce()
    {
        var tenant = await Workspace();
        var lead = Guid.CreateVersion7();
        await tenant.Publish(tenant.Captured(lead, $"{lead:N}@example.org"));
        await tenant.Publish(tenant.BecameCustomer(lead, Tenant.Now.AddDays(-400)));
        await tenant.CustomerOf(lead);
        await Address(tenant, lead);
        await Survey(tenant, new { active = true, supportEvent = "Support Ticket Closed", fatigueDays = 0 }, "CSAT");
        var activity = new ActivityInfo(
            Guid.CreateVersion7(), lead, "TRACK", "support ticket closed", Tenant.Now, null, null,
            new Dictionary<string, System.Text.Json.JsonElement>());

        await tenant.Publish(new ActivitiesRecorded(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, [activity]));
        await tenant.Publish(new ActivitiesRecorded(
            Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1,
            [activity, activity with { Name = "Other", ActivityId = Guid.CreateVersion7() }]));
        var second = activity with { ActivityId = Guid.CreateVersion7() };
        await tenant.Publish(new ActivitiesRecorded(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, [second]));

        await Eventually.Equal(2L, () => Count(tenant, "state = 'INVITED'"), "one invitation for each ticket");
        Assert.Equal(
            2, (await fixture.Bus.Until<EmailRequested>(2, e => e.WorkspaceId == tenant.Id)).Count(e => e.WorkspaceId == tenant.Id));
    }

    [Fact]
    public async Task Quarterly_CustomerOfSevenMonths_IsAskedForTheSecondQuarter()
    {
        var tenant = await Workspace();
        var lead = Guid.CreateVersion7();
        await tenant.Publish(tenant.Captured(lead, $"{lead:N}@example.org"));
        await tenant.Publish(tenant.BecameCustomer(lead, Tenant.Now.AddMonths(-6).AddDays(-3)));
        await tenant.CustomerOf(lead);
        await Address(tenant, lead);

        await Survey(tenant, new { active = true, quarterly = true });

        await Eventually.Equal(1L, () => Count(tenant, "state = 'INVITED' and occasion = 'quarter-2'"), "the invitation");
    }

    [Fact]
    public async Task Schedule_WithFaults_IsRefusedWithAll()
    {
        var tenant = await Workspace();

        var problem = await tenant.Post(
            "/v1/surveys", new
            {
                type = "NPS",
                displayName = "N",
                closeLoopHours = -1,
                schedule = new { active = true, sampleShare = 0, fatigueDays = -1, emailId = "x" }
            },
            HttpStatusCode.BadRequest);

        Assert.Equal(
            ["closeLoopHours", "schedule.active", "schedule.emailId", "schedule.fatigueDays", "schedule.sampleShare"],
            problem["errors"]!.AsArray().Select(error => (string)error!["field"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Detractor_HasATaskThatIsAssignedAndDone()
    {
        var tenant = await Workspace();
        var customer = (string)(await tenant.Post("/v1/customers", new { displayName = "A" }))["id"]!;
        var survey = (string)(await tenant.Post("/v1/surveys", new { type = "NPS", displayName = "N", closeLoopHours = 24 }))["id"]!;
        await tenant.Post($"/v1/surveys/{survey}/answers", new { customerId = customer, score = 9 });
        var answer = (string)(await tenant.Post(
            $"/v1/surveys/{survey}/answers", new { customerId = customer, score = 3, answerTime = "2026-03-15T12:00:00Z" }))["id"]!;

        var task = Assert.Single((await tenant.Get("/v1/surveyTasks?filter=state%20%3D%20%22OPEN%22"))["tasks"]!.AsArray())!;
        Assert.Equal((answer, "2026-03-16T12:00:00Z", true), ((string)task["answerId"]!, (string)task["dueTime"]!, (bool)task["overdue"]!));
        var assigned = await tenant.Post($"/v1/surveyTasks/{task["id"]}:assign", new { owner = "team-success" });
        Assert.Equal(("ASSIGNED", "team-success"), ((string)assigned["state"]!, (string)assigned["owner"]!));
        var done = await tenant.Post($"/v1/surveyTasks/{task["id"]}:complete", new { note = "Called." });
        Assert.Equal(("DONE", false, "Called."), ((string)done["state"]!, (bool)done["overdue"]!, (string)done["note"]!));
        await tenant.Post($"/v1/surveyTasks/{task["id"]}:assign", new { owner = "x" }, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Report_OfNps_GroupsHaveIntervalsAndDrillDown()
    {
        var tenant = await Workspace();
        var survey = (string)(await tenant.Post("/v1/surveys", new { type = "NPS", displayName = "N" }))["id"]!;
        foreach (var (plan, scores) in new[] { ("Pro", new[] { 10, 9, 9, 8 }), ("Free", [2, 7]) })
        {
            foreach (var (index, score) in scores.Index())
            {
                var customer = (string)(await tenant.Post("/v1/customers", new { displayName = $"{plan} {index}", plan }))["id"]!;
                await tenant.Post(
                    $"/v1/surveys/{survey}/answers",
                    new
                    {
                        customerId = customer,
                        score,
                        comment = score == 2 ? "100% of deliveries are late" : "",
                        answerTime = "2026-03-15T12:00:00Z"
                    });
            }
        }

        var rows = (await tenant.Get("/v1/reports/nps?from=2026-03-01&to=2026-04-01&groupBy=plan"))["rows"]!.AsArray();
        Assert.Equal(["Free 2 -50", "Pro 4 75"], rows.Select(row => $"{row!["group"]} {row["answers"]} {row["nps"]}"));
        Assert.All(rows, row => Assert.InRange((double)row!["score"]!, (double)row["scoreLow"]!, (double)row["scoreHigh"]!));
        var found =
            (await tenant.Get("/v1/surveyAnswers?from=2026-03-01&to=2026-04-01&plan=Free&category=DETRACTOR"))["answers"]!.AsArray();
        Assert.Equal("Free 0", (string)Assert.Single(found)!["customerName"]!);

        var theme = (string)(await tenant.Post(
            "/v1/surveyThemes", new { displayName = "Delivery", keywords = new[] { "deliver*" } }))["id"]!;
        Assert.Equal(["Delivery"], (await tenant.Get($"/v1/surveyAnswers?themeId={theme}"))["answers"]![0]!["themes"]!.AsArray()
            .Select(name => (string)name!));
        Assert.Single((await tenant.Get("/v1/surveyAnswers?query=late%20100%25"))["answers"]!.AsArray());
        Assert.Empty((await tenant.Get("/v1/surveyAnswers?query=late%20200%25"))["answers"]!.AsArray());
        var report = (await tenant.Get("/v1/reports/surveyThemes?from=2026-03-01&to=2026-04-01"))["rows"]![0]!;
        Assert.Equal(("Delivery", "1", 2d), ((string)report["displayName"]!, (string)report["detractors"]!, (double)report["meanScore"]!));
        await tenant.Call(HttpMethod.Patch, $"/v1/surveyThemes/{theme}", new { keywords = new[] { "price" } });
        Assert.Empty((await tenant.Get($"/v1/surveyAnswers?themeId={theme}"))["answers"]!.AsArray());
    }

    [Fact]
    public async Task Campaigns_ClickThenPurchase_CountsAsInfluencedOnce()
    {
        var tenant = await Workspace();
        var (lead, program, mail) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var sent = new DateTimeOffset(2026, 3, 10, 9, 0, 0, TimeSpan.Zero);
        await tenant.Publish(tenant.Captured(lead, $"{lead:N}@example.org"));
        await tenant.Publish(tenant.BecameCustomer(lead, sent.AddDays(-100)));
        var customer = (string)(await tenant.CustomerOf(lead))["id"]!;
        await tenant.Publish(new EmailSent(Guid.CreateVersion7(), tenant.Id, sent, 1, mail, lead, program, "s", "Hi"));
        await tenant.Publish(new EmailSent(Guid.CreateVersion7(), tenant.Id, sent, 1, Guid.CreateVersion7(), lead, program, "s", "Hi"));
        foreach (var (kind, hours) in new[] { ("OPEN", 1), ("CLICK", 2), ("CLICK", 3), ("REPLY", 4) })
        {
            await tenant.Publish(new EmailEngaged(
                Guid.CreateVersion7(), tenant.Id, sent.AddHours(hours), 2, Guid.CreateVersion7(), mail, lead, program,
                kind, "HUMAN", null, true));
        }

        foreach (var (days, amount) in new[] { (-1, "10.00"), (1, "100.00"), (29, "50.00"), (31, "7.00") })
        {
            await tenant.Post(
                $"/v1/customers/{customer}/revenue",
                new
                {
                    type = "UPSELL",
                    recurrence = "ONE_OFF",
                    amount = new { currencyCode = "USD", amount },
                    occurTime = sent.AddDays(days)
                });
        }

        var row = await Eventually.Passes(
            async () =>
            {
                var one = Assert.Single(
                    (await tenant.Get("/v1/reports/customerCampaigns?from=2026-03-01&to=2026-04-01"))["rows"]!.AsArray())!;
                Assert.Equal(("2", "1", "1", "1"), (
                    (string)one["delivered"]!, (string)one["opened"]!, (string)one["clicked"]!, (string)one["replied"]!));
                return one;
            },
            "the mails and what was done with them");
        Assert.Equal((program.ToString(), 0.5, "1", "150.00"), (
            (string)row["programId"]!, (double)row["clickRate"]!, (string)row["influencedCustomers"]!,
            (string)row["influencedRevenue"]!["amount"]!));
    }

    /// <summary>A workspace that the job walks over.</summary>
    private async Task<Tenant> Workspace()
    {
        var tenant = new Tenant(fixture);
        await fixture.Database.Query(
            "insert into workspace (id, display_name, time_zone, currency_code, version) values ($1, 'Test', 'UTC', 'USD', 1)", tenant.Id);
        return tenant;
    }

    private static async Task<string> Survey(Tenant tenant, object schedule, string type = "NPS") =>
        (string)(await tenant.Post("/v1/surveys", new { type, displayName = type, schedule }))["id"]!;

    private Task Address(Tenant tenant, params Guid[] leads) => Eventually.Equal(
        (long)leads.Length,
        async () => (long)(await fixture.Database.Query(
            "select count(*) from lead_profile where workspace_id = $1 and lead_id = any($2) and email is not null",
            tenant.Id, leads))[0][0]!,
        "the leads' addresses");

    private async Task<long> Count(Tenant tenant, string where) =>
        (long)(await fixture.Database.Query(
            $"select count(*) from survey_invitation where workspace_id = $1 and {where}", tenant.Id))[0][0]!;

    private static FormUrlEncodedContent Form(string score, string comment) =>
        new(new Dictionary<string, string> { ["score"] = score, ["comment"] = comment });
}
