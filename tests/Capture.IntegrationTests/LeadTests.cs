using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

public sealed class LeadTests(CaptureFixture fixture)
{
    [Fact]
    public async Task Create_ThenGetAndPatch_KeepsWhatIsNotGiven()
    {
        var workspace = fixture.Workspace();
        var created = (await workspace.Post("/v1/leads", new
        {
            email = "Ada@Acme.Example",
            createTime = "2026-02-01T00:00:00Z",
            firstTouch = new { source = "Partner", medium = "referral", campaign = "launch" },
            traits = new { title = "CTO", seats = 5 },
            company = new { name = "Acme", employees = 40, annualRevenue = new { currencyCode = "USD", amount = "5000000" } },
        })).Body;
        Assert.Equal(("ada@acme.example", "API", "Referral", "partner"), (
            Text(created["email"]), Text(created["captureType"]), Text(created["firstTouch"]!["channel"]),
            Text(created["firstTouch"]!["source"])));

        var (status, patched) = await workspace.Send(HttpMethod.Patch, $"/v1/leads/{created["id"]}", JsonContent.Create(
            new { externalId = "u1", traits = new { seats = 9, title = (string?)null }, company = new { industry = "Software" } }));

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("""{"seats":9}""", patched["traits"]!.ToJsonString().Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(("Acme", "Software", 40, "5000000.00"), (
            Text(patched["company"]!["name"]), Text(patched["company"]!["industry"]), patched["company"]!["employees"]!.GetValue<int>(),
            Text(patched["company"]!["annualRevenue"]!["amount"])));
        Assert.Equal(patched.ToJsonString(), (await workspace.Get($"/v1/leads/{created["id"]}")).Body.ToJsonString());
        var updated = Assert.Single(await fixture.Bus.Until<LeadUpdated>(1, e => e.WorkspaceId == workspace.WorkspaceId));
        Assert.Equal((2L, "u1", "9"), (updated.Version, updated.ExternalId, updated.Traits["seats"]));
    }

    [Theory]
    [InlineData("email = \"Ada@Acme.Example\"", "ada@acme.example")]
    [InlineData("email = \" ADA@acme.example \"", "ada@acme.example")]
    [InlineData("email != ADA@ACME.EXAMPLE", "bob@acme.example")]
    [InlineData("email:BOB@", "bob@acme.example")]
    public async Task List_ByEmail_ComparesTheFormThatIsKept(string filter, string found)
    {
        var workspace = fixture.Workspace();
        await workspace.Post("/v1/leads", new { email = "Ada@Acme.Example" });
        await workspace.Post("/v1/leads", new { email = "bob@acme.example" });

        var leads = (await workspace.Get($"/v1/leads?filter={Uri.EscapeDataString(filter)}")).Body["leads"]!.AsArray();

        Assert.Equal(found, Text(Assert.Single(leads)!["email"]));
    }

    [Fact]
    public async Task Create_Faults_AreNamedAllAndChangeNothing()
    {
        var workspace = fixture.Workspace();

        var (status, body) = await workspace.Post(
            "/v1/leads",
            new { email = "nobody", createTime = "2126-01-01T00:00:00Z", formType = "demo", company = new { employees = -1 } });

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["company.employees", "createTime", "email", "formType"], body["errors"]!.AsArray()
            .Select(error => Text(error!["field"])).Order(StringComparer.Ordinal));
        Assert.Empty((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray());
    }

    [Fact]
    public async Task Create_SameEmail_Is409AndSameRequestIdTheFirstAnswer()
    {
        var workspace = fixture.Workspace();
        var first = await workspace.Send(
            HttpMethod.Post, "/v1/leads", JsonContent.Create(new { email = "ada@acme.example" }), requestId: "r1");

        var again = await workspace.Send(
            HttpMethod.Post, "/v1/leads", JsonContent.Create(new { email = "ada@acme.example" }), requestId: "r1");
        var other = await workspace.Send(
            HttpMethod.Post, "/v1/leads", JsonContent.Create(new { email = "bob@acme.example" }), requestId: "r1");
        var taken = await workspace.Post("/v1/leads", new { email = "ADA@acme.example" });

        Assert.Equal(first.Body.ToJsonString(), again.Body.ToJsonString());
        Assert.Equal((HttpStatusCode.Conflict, "ABORTED"), (other.Status, Text(other.Body["code"])));
        Assert.Equal((HttpStatusCode.Conflict, "ALREADY_EXISTS"), (taken.Status, Text(taken.Body["code"])));
    }

    [Fact]
    public async Task List_FilterOrderAndPages_ShowEachOnce()
    {
        var workspace = fixture.Workspace();
        await workspace.Import(
            "/v1/leads:import", "email,createTime,source,medium\n" + string.Concat(Enumerable.Range(0, 25).Select(index =>
                $"p{index:00}@acme.example,2026-02-{1 + index:00},{(index % 2 == 0 ? "google" : "partner")},{(index % 2 == 0 ? "cpc" : "referral")}\n")));
        var seen = new List<string>();
        var token = "";
        do
        {
            var filter = Uri.EscapeDataString("channel = \"Paid Search\" AND createTime >= 2026-02-05");
            var page = (await workspace.Get($"/v1/leads?pageSize=4&orderBy=email&filter={filter}&pageToken={token}")).Body;
            seen.AddRange(page["leads"]!.AsArray().Select(lead => Text(lead!["email"])));
            token = Text(page["nextPageToken"]);
        }
        while (token.Length > 0);

        Assert.Equal(
            Enumerable.Range(0, 25).Where(index => index % 2 == 0 && index >= 4).Select(index => $"p{index:00}@acme.example"), seen);
    }

    [Fact]
    public async Task List_BySetFields_ShowsThoseThatHaveThem()
    {
        var workspace = fixture.Workspace();
        await workspace.Post("/v1/leads", new { email = "ada@acme.example" });
        await workspace.Post("/v1/leads", new { externalId = "u2" });
        async Task<string[]> List(string filter) =>
            (await workspace.Get($"/v1/leads?orderBy=email&filter={Uri.EscapeDataString(filter)}")).Body["leads"]!.AsArray()
                .Select(lead => Text(lead!["email"]) + Text(lead["externalId"])).ToArray();

        Assert.Equal(["ada@acme.example"], await List("email:*"));
        Assert.Equal(["u2"], await List("NOT email:*"));
        Assert.Equal(["u2"], await List("externalId:*"));
        Assert.Equal(["u2", "ada@acme.example"], await List("keyword = \"\""));
        Assert.Empty(await List("keyword != ''"));
    }

    [Fact]
    public async Task List_FilterWithNul_IsRefused()
    {
        var (status, body) = await fixture.Workspace().Get("/v1/leads?filter=email%3D%22a%00%22");

        Assert.Equal((HttpStatusCode.BadRequest, "INVALID_ARGUMENT"), (status, Text(body["code"])));
    }

    [Fact]
    public async Task Update_NullTraits_AreTakenBack()
    {
        var workspace = fixture.Workspace();
        var id = Text((await workspace.Post("/v1/leads",
            new { email = "ada@acme.example", traits = new { phone = "+4930123456", employees = 40, plan = "pro" } })).Body["id"]);

        var (_, lead) = await workspace.Send(HttpMethod.Patch, $"/v1/leads/{id}", JsonContent.Create(
            new { traits = new { phone = (string?)null, employees = (int?)null } }));

        Assert.Equal(("""{"plan":"pro"}""", null), (lead["traits"]!.ToJsonString(), lead["company"]));
    }

    [Fact]
    public async Task Update_NothingNew_LeavesTheUpdateTime()
    {
        var workspace = fixture.Workspace();
        var created = (await workspace.Post("/v1/leads", new { email = "ada@acme.example" })).Body;
        var path = $"/v1/leads/{Text(created["id"])}";

        var (_, patched) = await workspace.Send(HttpMethod.Patch, path, JsonContent.Create(new { }));

        Assert.Equal(Text((await workspace.Get(path)).Body["updateTime"]), Text(patched["updateTime"]));
    }

    [Fact]
    public async Task Change_EmailAmongTraits_IsNamedUnlessItIsTheSame()
    {
        var workspace = fixture.Workspace();

        var (status, body) = await workspace.Post("/v1/leads", new { externalId = "u1", traits = new { email = "ada@acme.example" } });
        var (_, lead) = await workspace.Post(
            "/v1/leads", new { email = "ada@acme.example", traits = new { email = "Ada@acme.example", workEmail = "info@acme.example" } });
        var (patch, _) = await workspace.Send(
            HttpMethod.Patch, $"/v1/leads/{Text(lead["id"])}", JsonContent.Create(new { traits = new { email = "eve@acme.example" } }));

        Assert.Equal(
            (HttpStatusCode.BadRequest, "traits.email is no trait: an address belongs in email."), (status, Text(body["detail"])));
        Assert.Equal(
            ("ada@acme.example", """{"workEmail":"info@acme.example"}"""), (Text(lead["email"]), lead["traits"]!.ToJsonString()));
        Assert.Equal(HttpStatusCode.BadRequest, patch);
    }

    [Fact]
    public async Task Create_TraitsNestedTooDeep_AreRefused()
    {
        object deep = 1;
        for (var level = 0; level < 30; level++)
        {
            deep = new { a = deep };
        }

        var (status, body) = await fixture.Workspace().Post("/v1/leads", new { email = "ada@acme.example", traits = new { deep } });

        Assert.Equal((HttpStatusCode.BadRequest, "traits"), (status, Text(body["errors"]![0]!["field"])));
    }

    [Fact]
    public async Task Get_OfAnotherWorkspace_Is404()
    {
        var (mine, other) = (fixture.Workspace(), fixture.Workspace());
        var id = Text((await mine.Post("/v1/leads", new { email = "ada@acme.example" })).Body["id"]);

        foreach (var path in new[] { $"/v1/leads/{id}", $"/v1/leads/{id}/journey", $"/v1/leads/{id}:export" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await other.Get(path)).Status);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await other.Send(HttpMethod.Delete, $"/v1/leads/{id}", null)).Status);
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await other.Send(HttpMethod.Patch, $"/v1/leads/{id}", JsonContent.Create(new { traits = new { a = 1 } }))).Status);
        Assert.Empty((await other.Get("/v1/leads")).Body["leads"]!.AsArray());
        Assert.Equal(HttpStatusCode.OK, (await mine.Get($"/v1/leads/{id}")).Status);
    }

    [Fact]
    public async Task Merge_TwoLeads_AnswersForBothIdsEverAfter()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Walk("a", "ada@acme.example"));
        await workspace.Batch(Messages.Page("b", "2026-03-01T10:00:00Z", "https://acme.example/", "https://www.bing.com/"), Messages.Form(
            "b", "2026-03-10T10:00:00Z", "ada@home.example", "contact"));
        var leads = (await workspace.Get("/v1/leads?orderBy=email")).Body["leads"]!.AsArray();
        var (target, source) = (Text(leads[0]!["id"]), Text(leads[1]!["id"]));

        var merged = await workspace.Post("/v1/leads:merge", new { sourceId = source, targetId = target });

        Assert.Equal(HttpStatusCode.OK, merged.Status);
        Assert.Equal((target, "Organic Search"), (Text(merged.Body["id"]), Text(merged.Body["firstTouch"]!["channel"])));
        Assert.Equal(target, Text((await workspace.Get($"/v1/leads/{source}")).Body["id"]));
        Assert.Equal(4, (await workspace.Get($"/v1/leads/{source}/journey")).Body["sessionCount"]!.GetValue<int>());
        var told = Assert.Single(await fixture.Bus.Until<LeadsMerged>(1, e => e.WorkspaceId == workspace.WorkspaceId));
        Assert.Equal((source, target), (told.SourceLeadId.ToString(), told.TargetLeadId.ToString()));

        await workspace.Batch(Messages.Form("c", "2026-03-11T10:00:00Z", "ada@home.example"));
        Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray());
        var again = await workspace.Post("/v1/leads:merge", new { sourceId = source, targetId = target });
        Assert.Equal((HttpStatusCode.OK, target), (again.Status, Text(again.Body["id"])));
        Assert.Equal(
            HttpStatusCode.BadRequest, (await workspace.Post("/v1/leads:merge", new { sourceId = target, targetId = source })).Status);
        Assert.Single(await fixture.Database.Query("select source_id from lead_redirect where workspace_id = $1", workspace.WorkspaceId));
    }

    [Fact]
    public async Task Delete_Lead_LeavesNoPersonalDatumAndEveryCount()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Walk("a-device", "ada@acme.example"));
        await workspace.Batch(Messages.Form("a-device", "2026-03-04T11:00:00Z", "bob@acme.example"));
        var id = Text((await workspace.Get("/v1/leads?filter=email=ada@acme.example")).Body["leads"]![0]!["id"]);
        string[] metrics = ["leads", "form_leads", "sessions", "page_views"];
        var before = await Counts(workspace, metrics);

        Assert.Equal(HttpStatusCode.OK, (await workspace.Send(HttpMethod.Delete, $"/v1/leads/{id}", null)).Status);

        Assert.Equal(before, await Counts(workspace, metrics));
        Assert.Equal(HttpStatusCode.NotFound, (await workspace.Get($"/v1/leads/{id}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await workspace.Send(HttpMethod.Delete, $"/v1/leads/{id}", null)).Status);
        foreach (var table in new[] { "lead", "lead_identity", "activity", "session", "visitor", "idempotency" })
        {
            Assert.Equal(0L, await fixture.Database.Scalar<long>(
                $"select count(*) from {table} t where workspace_id = $1 and t::text like '%ada@%'", workspace.WorkspaceId));
        }

        Assert.Equal(
            id, Assert.Single(await fixture.Bus.Until<LeadErased>(1, e => e.WorkspaceId == workspace.WorkspaceId)).LeadId.ToString());

        // The device goes on, and Bob does not inherit what was erased.
        await workspace.Batch(Messages.Page("a-device", "2026-03-04T10:59:00Z"));
        var bob = Text((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray().Single()!["id"]);
        Assert.Equal(2, (await workspace.Get($"/v1/leads/{bob}/journey")).Body["activityCount"]!.GetValue<int>());
    }

    [Fact]
    public async Task LeadStageChanged_TwiceAndOutOfOrder_ShowsTheHighestVersion()
    {
        var workspace = fixture.Workspace();
        var lead = Guid.Parse(Text((await workspace.Post("/v1/leads", new { email = "ada@acme.example" })).Body["id"]));
        var mql = Changed(workspace, lead, "MQL", 2);
        var sql = Changed(workspace, lead, "SQL", 3);

        foreach (var e in new[] { sql, sql, mql, mql })
        {
            await fixture.Bus.Publish(e);
        }

        await Eventually.Equal(
            2L, () => fixture.Database.Scalar<long>("select count(*) from inbox where message_id in ($1, $2)", mql.EventId, sql.EventId)!,
            "both are handled");
        Assert.Equal("SQL", Text((await workspace.Get($"/v1/leads/{lead}")).Body["stage"]));
        Assert.Single((await workspace.Get("/v1/leads?filter=stage=SQL")).Body["leads"]!.AsArray());
    }

    private static LeadStageChanged Changed(CaptureClient workspace, Guid lead, string to, long version) =>
        new(
            Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(56)), workspace.WorkspaceId, DateTimeOffset.UnixEpoch.AddYears(56),
            version, lead, "LEAD", to, "MANUAL", "key:test", null, null);

    private static async Task<string> Counts(CaptureClient workspace, string[] metrics)
    {
        var values = new List<string>();
        foreach (var metric in metrics)
        {
            values.Add($"{metric}={(await workspace.Metric(metric, "2026-03-01", "2026-04-01"))[0]}");
        }

        return string.Join(' ', values);
    }

    private static string Text(JsonNode? node) => node!.GetValue<string>();
}
