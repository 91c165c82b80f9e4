using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>An erasure is done when every service has said so.</summary>
public sealed class ErasureTests(CaptureFixture fixture)
{
    private static readonly DateTimeOffset Time = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Erasure_ReceiptsOfAllServices_CompleteIt()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Walk("a", "ada@acme.example"));
        var id = Text((await workspace.Get("/v1/leads")).Body["leads"]![0]!["id"]);
        Assert.Equal(HttpStatusCode.NotFound, (await workspace.Get($"/v1/leads/{id}/erasure")).Status);
        await workspace.Send(HttpMethod.Delete, $"/v1/leads/{id}", null);
        var asked = Assert.Single(await fixture.Bus.Until<LeadErased>(1, e => e.WorkspaceId == workspace.WorkspaceId));

        var (status, running) = await workspace.Get($"/v1/leads/{id}/erasure");
        Assert.Equal((HttpStatusCode.OK, "RUNNING"), (status, Text(running["state"])));
        Assert.Equal(
            ["capture ERASED", "conversion PENDING", "nurture PENDING", "retention PENDING", "scoring PENDING"],
            running["receipts"]!.AsArray().Select(receipt => $"{receipt!["service"]} {receipt["state"]}"));
        // 1 visitor, 2 sessions, 6 activities, 1 identity, 1 lead.
        Assert.Equal("11", Text(running["receipts"]![0]!["records"]));

        // Each twice, the second time with another count: the first receipt holds.
        foreach (var service in new[] { "scoring", "nurture", "conversion", "retention" })
        {
            await fixture.Bus.Publish(Confirmed(workspace, asked, service, Time, 4));
            await fixture.Bus.Publish(Confirmed(workspace, asked, service, Time.AddHours(1), 0));
        }

        await Eventually.Equal(
            "COMPLETE", async () => Text((await workspace.Get($"/v1/leads/{id}/erasure")).Body["state"]), "all have confirmed");
        var done = (await workspace.Get($"/v1/leads/{id}/erasure")).Body;
        Assert.All(done["receipts"]!.AsArray().Skip(1), receipt => Assert.Equal("ERASED", Text(receipt!["state"])));
        Assert.DoesNotContain("ada", done.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(HttpStatusCode.NotFound, (await fixture.Workspace().Get($"/v1/leads/{id}/erasure")).Status);
    }

    [Fact]
    public async Task Erasure_OfAMergedPerson_AnswersForBothIdsAndForgetsAnswersOfBoth()
    {
        var workspace = fixture.Workspace();
        var first = await workspace.Send(
            HttpMethod.Post, "/v1/leads", JsonContent.Create(new { email = "ada@acme.example" }), requestId: "r1");
        var second = await workspace.Send(
            HttpMethod.Post, "/v1/leads", JsonContent.Create(new { email = "ada@home.example" }), requestId: "r2");
        var (target, source) = (Text(first.Body["id"]), Text(second.Body["id"]));
        await workspace.Post("/v1/leads:merge", new { sourceId = source, targetId = target });

        await workspace.Send(HttpMethod.Delete, $"/v1/leads/{source}", null);

        Assert.Equal(target, Text((await workspace.Get($"/v1/leads/{source}/erasure")).Body["leadId"]));
        Assert.Equal(0L, await fixture.Database.Scalar<long>(
            "select count(*) from idempotency where workspace_id = $1 and position('ada@'::bytea in response) > 0", workspace.WorkspaceId));
        // Sent again, the request neither tells the person nor brings the person back.
        var again = await workspace.Send(
            HttpMethod.Post, "/v1/leads", JsonContent.Create(new { email = "ada@home.example" }), requestId: "r2");
        Assert.Equal(HttpStatusCode.NotFound, again.Status);
        Assert.Empty((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray());
    }

    [Fact]
    public async Task Erasure_ServiceThatDoesNotAnswer_IsAskedAgainUntilItDoes()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var bus = await TestBus.Start(broker, typeof(LeadErased));
        var environment = ServiceEnvironment.For(database, broker);
        environment["Capture__ErasureAskSeconds"] = "1";
        await using var service = ServiceProcess.Create("Capture", environment);
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(Time), "UTC", "USD");
        await bus.Publish(new WorkspaceUpdated(Guid.CreateVersion7(Time), workspace.WorkspaceId, Time, 1, "Acme", "UTC", "USD"));
        var id = Text((await workspace.Post("/v1/leads", new { email = "ada@acme.example" })).Body["id"]);
        await workspace.Send(HttpMethod.Delete, $"/v1/leads/{id}", null);

        await Eventually.True(() => Task.FromResult(bus.Of<LeadErased>().Count >= 3), "asked three times");
        var asked = bus.Of<LeadErased>();
        Assert.Single(asked.Select(e => (e.LeadId, e.Version)).Distinct());
        Assert.Equal(asked.Count, asked.Select(e => e.EventId).Distinct().Count());
        foreach (var name in new[] { "scoring", "nurture", "conversion", "retention" })
        {
            await bus.Publish(Confirmed(workspace, asked[0], name, Time, 1));
        }

        await Eventually.Equal(
            "COMPLETE", async () => Text((await workspace.Get($"/v1/leads/{id}/erasure")).Body["state"]), "all have confirmed");
        Assert.Equal(0L, await database.Scalar<long>("select count(*) from erasure where ask_time is not null"));
    }

    private static LeadErasureConfirmed Confirmed(
        CaptureClient workspace, LeadErased asked, string service, DateTimeOffset time, long records) => new(
        Guid.CreateVersion7(Time), workspace.WorkspaceId, time, asked.Version, asked.LeadId, service, time,
        new Dictionary<string, long> { ["profiles"] = records });

    private static string Text(JsonNode? node) => node!.GetValue<string>();
}
