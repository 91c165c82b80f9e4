using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;

namespace Capture.IntegrationTests;

public sealed class ImportTests(CaptureFixture fixture)
{
    private const string Leads = """
        email,externalId,createTime,captureType,source,medium,campaign,title,company,employees,score
        ada@acme.example,c1,2026-01-05T10:00:00Z,FORM,google,cpc,spring,CTO,Acme,250,7
        nobody,c2,yesterday,PIGEON,,,,,,,
        bob@acme.example,,,,,,,,Acme,,
        """;

    [Fact]
    public async Task Leads_Csv_CreatesThenChangesNothing()
    {
        var workspace = fixture.Workspace();

        var dry = await workspace.Import("/v1/leads:import?dryRun=true", Leads);
        var none = (await workspace.Get("/v1/leads")).Body["leads"]!.AsArray().Count;
        var first = await workspace.Import("/v1/leads:import", Leads);
        var second = await workspace.Import("/v1/leads:import", Leads);

        Assert.Equal(("2 0 0", 0), (Counts(dry), none));
        Assert.Equal("2 0 0", Counts(first));
        Assert.Equal("0 0 2", Counts(second));
        var rejected = Assert.Single(first["rejected"]!.AsArray())!;
        Assert.Equal((3, 3), (rejected["line"]!.GetValue<int>(), rejected["errors"]!.AsArray().Count));
        var ada = (await workspace.Get("/v1/leads?filter=externalId=c1")).Body["leads"]![0]!;
        Assert.Equal(
            ("2026-01-05T10:00:00Z", "FORM", "Paid Search", "spring", "CTO", "7", 250),
            (Text(ada["createTime"]), Text(ada["captureType"]), Text(ada["firstTouch"]!["channel"]), Text(ada["firstTouch"]!["campaign"]),
                Text(ada["traits"]!["title"]), Text(ada["traits"]!["score"]), ada["company"]!["employees"]!.GetValue<int>()));
        Assert.Equal("Unassigned", Text(
            (await workspace.Get("/v1/leads?filter=email=bob@acme.example")).Body["leads"]![0]!["firstTouch"]!["channel"]));
    }

    [Fact]
    public async Task Leads_KeywordOrLandingPageAlone_AreKept()
    {
        var workspace = fixture.Workspace();

        await workspace.Import("/v1/leads:import", """
            email,createTime,source,medium,campaign,keyword,landingPage
            ada@acme.example,2026-01-05T10:00:00Z,,,,crm tool,https://acme.example/crm
            bob@acme.example,2026-01-05T11:00:00Z,,,,,https://acme.example/pricing
            eve@acme.example,2026-01-05T12:00:00Z,,,,,
            """);

        var leads = (await workspace.Get("/v1/leads?orderBy=email")).Body["leads"]!.AsArray();
        Assert.Equal(
            [
                ("Unassigned", "crm tool", "https://acme.example/crm"), ("Unassigned", "", "https://acme.example/pricing"),
                ("Unassigned", "", "")
            ],
            leads.Select(lead => lead!["firstTouch"]!)
                .Select(touch => (Text(touch["channel"]), Text(touch["keyword"]), Text(touch["landingPage"]))));
        var ada = (await workspace.Get("/v1/leads?filter=keyword=\"crm tool\"")).Body["leads"]!.AsArray();
        Assert.Equal("ada@acme.example", Text(Assert.Single(ada)!["email"]));
        Assert.Single((await workspace.Get($"/v1/leads/{Text(leads[1]!["id"])}/journey")).Body["touches"]!.AsArray());
        Assert.Empty((await workspace.Get($"/v1/leads/{Text(leads[2]!["id"])}/journey")).Body["touches"]!.AsArray());
    }

    [Fact]
    public async Task Leads_EmailUnderAnotherName_IsTheirsUnlessTheyHaveOne()
    {
        var workspace = fixture.Workspace();

        var alone = await workspace.Import("/v1/leads:import", "Email Address,externalId\nAda@Acme.Example,c1\nnobody,c2\n");
        await workspace.Import("/v1/leads:import", "email,Work Email\nbob@acme.example,Bob@Work.Example\n");

        Assert.Equal(("1 0 0", 1), (Counts(alone), alone["rejectedCount"]!.GetValue<int>()));
        var leads = (await workspace.Get("/v1/leads?orderBy=email")).Body["leads"]!.AsArray();
        Assert.Equal(["ada@acme.example", "bob@acme.example"], leads.Select(lead => Text(lead!["email"])));
        Assert.Equal("Bob@Work.Example", Text(leads[1]!["traits"]!["Work Email"]));
    }

    [Fact]
    public async Task Leads_DayOfCreation_IsTheWorkspacesDay()
    {
        var workspace = fixture.Workspace("America/Los_Angeles");

        await workspace.Import("/v1/leads:import", "email,createTime\nada@acme.example,2026-03-01\n");

        var ada = (await workspace.Get("/v1/leads")).Body["leads"]![0]!;
        Assert.Equal("2026-03-01T08:00:00Z", Text(ada["createTime"]));
        Assert.Equal([0, 1], await workspace.Metric("leads", "2026-02-01", "2026-04-01"));
    }

    [Fact]
    public async Task Leads_NdjsonOfTwoKnownPeople_IsNotGuessed()
    {
        var workspace = fixture.Workspace();
        await workspace.Import("/v1/leads:import", """
            {"email":"ada@acme.example","company":{"name":"Acme","employees":40},"tags":["a","b"]}
            {"externalId":"c9"}
            """, "application/x-ndjson");

        var answer = await workspace.Import(
            "/v1/leads:import", """{"email":"ada@acme.example","externalId":"c9"}""", "application/x-ndjson");

        Assert.Equal(1, answer["rejectedCount"]!.GetValue<int>());
        var ada = (await workspace.Get("/v1/leads?filter=email=ada@acme.example")).Body["leads"]![0]!;
        Assert.Equal((40, 2), (ada["company"]!["employees"]!.GetValue<int>(), ada["traits"]!["tags"]!.AsArray().Count));
    }

    [Fact]
    public async Task Spend_ManyRows_AreToldInPortionsOf500()
    {
        var workspace = fixture.Workspace();

        await workspace.Import("/v1/spend:import", "date,source,keyword,amount\n"
            + string.Concat(Enumerable.Range(0, 1_200).Select(index => $"2026-03-01,google,k{index},1\n")));

        var told = await fixture.Bus.Until<SpendRecorded>(3, e => e.WorkspaceId == workspace.WorkspaceId);
        Assert.Equal([200, 500, 500], told.Select(e => e.Rows.Count).Order());
    }

    [Fact]
    public async Task Spend_Ordered_PagesFromTheLatestDay()
    {
        var workspace = fixture.Workspace();
        await workspace.Import("/v1/spend:import", "date,source,amount\n2026-03-01,a,1\n2026-03-03,b,1\n2026-03-02,c,1\n");

        var first = (await workspace.Get("/v1/spend?orderBy=date%20desc&pageSize=2")).Body;
        var second = (await workspace.Get($"/v1/spend?orderBy=date%20desc&pageSize=2&pageToken={first["nextPageToken"]}")).Body;

        Assert.Equal(["b", "c", "a"], first["spend"]!.AsArray().Concat(second["spend"]!.AsArray())
            .Select(row => row!["source"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.BadRequest, (await workspace.Get("/v1/spend?orderBy=amount")).Status);
    }

    [Fact]
    public async Task Spend_SameKeyAgain_ReplacesAndSameFileChangesNothing()
    {
        var workspace = fixture.Workspace();
        const string Header = "date,source,medium,campaign,keyword,amount,currency,impressions,clicks\n";

        var first = await workspace.Import("/v1/spend:import", Header
            + "2026-03-01,google,cpc,spring,,100.50,USD,1000,50\n2026-03-02,google,cpc,spring,,20,,10,1\n2026-03-02,bing,cpc,spring,,-1,EUR,x,1\n");
        var again = await workspace.Import("/v1/spend:import", Header + "2026-03-01,Google,CPC,spring,,100.50,USD,1000,50\n");
        var replaced = await workspace.Import("/v1/spend:import", Header + "2026-03-01,google,cpc,spring,,80,USD,1000,50\n");

        Assert.Equal(("2 0 0", "0 0 1", "0 1 0"), (Counts(first), Counts(again), Counts(replaced)));
        Assert.Contains(
            "only USD, the workspace's currency", first["rejected"]![0]!.ToJsonString().Replace("\\u0027", "'", StringComparison.Ordinal),
            StringComparison.Ordinal);
        var rows = (await workspace.Get("/v1/spend?filter=campaign=spring")).Body["spend"]!.AsArray();
        Assert.Equal([("2026-03-01", "80.00", "Paid Search", "1000"), ("2026-03-02", "20.00", "Paid Search", "10")], rows.Select(
            row => (Text(row!["date"]), Text(row["amount"]!["amount"]), Text(row["channel"]), Text(row["impressions"]))));
        var told = await fixture.Bus.Until<SpendRecorded>(2, e => e.WorkspaceId == workspace.WorkspaceId);
        Assert.True(told[1].Version > told[0].Version);
        Assert.Equal([80m], told[1].Rows.Select(row => row.Amount.Amount));
    }

    [Fact]
    public async Task Import_WrongType_Is415() =>
        Assert.Equal(
            HttpStatusCode.UnsupportedMediaType,
            (await fixture.Workspace()
                .Send(HttpMethod.Post, "/v1/leads:import", new StringContent("{}", Encoding.UTF8, "application/json"))).Status);

    private static string Counts(JsonNode answer) => $"{answer["created"]} {answer["updated"]} {answer["unchanged"]}";

    private static string Text(JsonNode? node) => node!.GetValue<string>();
}
