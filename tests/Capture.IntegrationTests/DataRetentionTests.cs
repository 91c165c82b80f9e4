using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Capture;
using Lifecycle.Capture.Features.RetainData;
using Lifecycle.Contracts;
using Lifecycle.Testing;
using Microsoft.Extensions.Options;

namespace Capture.IntegrationTests;

/// <summary>A workspace's own policy takes personal data away and leaves the numbers.</summary>
public sealed class DataRetentionTests(CaptureFixture fixture)
{
    private static readonly string[] Metrics = ["visitors", "sessions", "page_views", "leads", "form_leads"];

    [Fact]
    public async Task Policy_SetAndRead_NamesEveryFault()
    {
        var workspace = fixture.Workspace();
        Assert.Equal("{}", (await workspace.Get("/v1/dataRetention")).Body.ToJsonString());

        var (status, faults) = await Put(workspace, new { anonymousActivityDays = 0, leadActivityDays = 40_000, inactiveLeadDays = -1 });
        Assert.Equal((HttpStatusCode.BadRequest, 3), (status, faults["errors"]!.AsArray().Count));
        var set = (await Put(workspace, new { anonymousActivityDays = 30, inactiveLeadDays = 700 })).Body;

        Assert.Equal((30, null, 700), (
            set["anonymousActivityDays"]!.GetValue<int>(), set["leadActivityDays"], set["inactiveLeadDays"]!.GetValue<int>()));
        Assert.Equal(set.ToJsonString(), (await workspace.Get("/v1/dataRetention")).Body.ToJsonString());
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await workspace.Send(HttpMethod.Put, "/v1/dataRetention", JsonContent.Create(new { }), ["capture:write"])).Status);
    }

    [Fact]
    public async Task Anonymous_WhoDidNotComeBack_LeaveTheirNumbersOnly()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Messages.Page("gone", "2026-03-01T10:00:00Z", "https://acme.example/?utm_source=google&token=x"),
            Messages.Page("gone", "2026-03-01T10:01:00Z"), Messages.Page("stays", "2026-03-01T10:00:00Z"),
            Messages.Page("stays", "2026-03-20T10:00:00Z"));
        await workspace.Batch(Messages.Walk("known", "ada@acme.example"));
        var before = await Counts(workspace);
        await Put(workspace, new { anonymousActivityDays = 10 });

        Assert.Equal((2L, 0L), await Apply(workspace, "2026-03-25"));

        Assert.Equal(before, await Counts(workspace));
        Assert.Equal(0L, await fixture.Database.Scalar<long>(
            "select count(*) from visitor where workspace_id = $1 and anonymous_id = 'gone'", workspace.WorkspaceId));
        Assert.Equal(
            8L, await fixture.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace.WorkspaceId));
        Assert.Equal((0L, 0L), await Apply(workspace, "2026-03-25"));

        // Coming back, the device is a new visitor.
        await workspace.Batch(Messages.Page("gone", "2026-03-24T10:00:00Z"));
        Assert.Equal(
            4L, await fixture.Database.Scalar<long>("select count(*) from visitor where workspace_id = $1", workspace.WorkspaceId));
    }

    [Fact]
    public async Task Anonymous_MoreThanAreTakenAtOnce_AllGoButThoseWhoCameBack()
    {
        var workspace = fixture.Workspace();
        var start = new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
        // In threes of one moment, whose ids follow one another in no order.
        await workspace.Batch([.. Enumerable.Range(0, 900).Select(index => Messages.Page($"d{index}", Messages.At(start, index / 3)))]);
        await workspace.Batch([.. Enumerable.Range(0, 90).Select(index => Messages.Page($"d{index * 10}", "2026-03-20T10:00:00Z"))]);
        await Put(workspace, new { anonymousActivityDays = 10 });

        Assert.Equal((810L, 0L), await Apply(workspace, "2026-03-25"));

        Assert.Equal(180L, await fixture.Database.Scalar<long>(
            "select count(*) from activity where workspace_id = $1", workspace.WorkspaceId));
        Assert.Equal((0L, 0L), await Apply(workspace, "2026-03-25"));
    }

    [Fact]
    public async Task LeadActivities_Old_GoAndTheJourneyStays()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Walk("a", "ada@acme.example"));
        await workspace.Batch(Messages.Page("a", "2026-03-20T10:00:00Z", "https://acme.example/late"));
        var id = Text((await workspace.Get("/v1/leads")).Body["leads"]![0]!["id"]);
        var (before, touches) = (await Counts(workspace), (await workspace.Get($"/v1/leads/{id}/journey")).Body["touches"]!.ToJsonString());
        await Put(workspace, new { leadActivityDays = 20 });

        // Of the walk's two visits the first is older than 20 days.
        Assert.Equal((3L, 0L), await Apply(workspace, "2026-03-23"));

        var journey = (await workspace.Get($"/v1/leads/{id}/journey")).Body;
        Assert.Equal((touches, 3, 4), (
            journey["touches"]!.ToJsonString(), journey["sessionCount"]!.GetValue<int>(), journey["activityCount"]!.GetValue<int>()));
        Assert.Equal(before, await Counts(workspace));

        // The device's history is cut anew from its beginning; the emptied visit stays as it is.
        await workspace.Batch(Messages.Form("a", "2026-03-20T11:00:00Z", "bob@acme.example"), Messages.Page("a", "2026-03-04T09:01:00Z"));
        journey = (await workspace.Get($"/v1/leads/{id}/journey")).Body;
        Assert.Equal((touches, 3, 5), (
            journey["touches"]!.ToJsonString(), journey["sessionCount"]!.GetValue<int>(), journey["activityCount"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Leads_InactiveForLong_AreErasedUnlessTheyBuy()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Messages.Form("a", "2026-01-01T10:00:00Z", "ada@acme.example"), Messages.Form("b", "2026-01-01T10:00:00Z", "bob@acme.example"),
            Messages.Form("c", "2026-01-01T10:00:00Z", "cy@acme.example"));
        await fixture.Database.Query(
            "update lead set update_time = '2026-01-02', stage = case when email like 'bob%' then 'CUSTOMER' else stage end where workspace_id = $1",
            workspace.WorkspaceId);
        await workspace.Batch(Messages.Page("c", "2026-03-01T10:00:00Z"));
        await fixture.Database.Query("update lead set update_time = '2026-01-02' where workspace_id = $1", workspace.WorkspaceId);
        var before = await Counts(workspace);
        await Put(workspace, new { inactiveLeadDays = 60 });

        Assert.Equal((0L, 1L), await Apply(workspace, "2026-03-25"));

        Assert.Equal(["bob@acme.example", "cy@acme.example"], (await workspace.Get("/v1/leads?orderBy=email")).Body["leads"]!.AsArray()
            .Select(lead => Text(lead!["email"])));
        Assert.Equal(before, await Counts(workspace));
        var erased = Assert.Single(await fixture.Bus.Until<LeadErased>(1, e => e.WorkspaceId == workspace.WorkspaceId));
        Assert.Equal("RUNNING", Text((await workspace.Get($"/v1/leads/{erased.LeadId}/erasure")).Body["state"]));
        Assert.NotNull((await workspace.Get("/v1/dataRetention")).Body["applyTime"]);
    }

    private Task<(long Activities, long Leads)> Apply(CaptureClient workspace, string day)
    {
        var time = new ManualTimeProvider(DateTimeOffset.Parse($"{day}T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
        var retainer = new DataRetainer(
            fixture.Database.UnitOfWork<Lifecycle.Capture.Storage.CaptureDbContext>(time), Options.Create(new CaptureOptions()), time);
        return retainer.Apply(workspace.WorkspaceId, CancellationToken.None);
    }

    private static Task<(HttpStatusCode Status, JsonNode Body)> Put(CaptureClient workspace, object policy) =>
        workspace.Send(HttpMethod.Put, "/v1/dataRetention", JsonContent.Create(policy), ["admin"]);

    private static async Task<string> Counts(CaptureClient workspace)
    {
        var counts = new List<string>();
        foreach (var metric in Metrics)
        {
            counts.Add($"{metric} {string.Join(',', await workspace.Metric(metric, "2026-01-01", "2026-04-01"))}");
        }

        return string.Join("; ", counts);
    }

    private static string Text(JsonNode? node) => node!.GetValue<string>();
}
