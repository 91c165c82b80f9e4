using System.Diagnostics;
using Lifecycle.Capture.Features.ImportLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>The other services hear of imported leads in portions, behind what happens live.</summary>
public sealed class ImportAnnouncementTests : IAsyncLifetime
{
    private const int Rows = 1_500;
    private const int PerSecond = 200;
    private static readonly DateTimeOffset Time = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    private TestDatabase? database;
    private TestVirtualHost? broker;
    private ServiceProcess? service;
    private TestBus? bus;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<CaptureDbContext>("capture");
        broker = await TestVirtualHost.Create();
        var environment = ServiceEnvironment.For(database, broker);
        environment["Capture__ImportAnnouncementsPerSecond"] = $"{PerSecond}";
        environment["Capture__ImportAnnouncementSeconds"] = "1";
        service = ServiceProcess.Create("Capture", environment);
        await service.Start();
        bus = await TestBus.Start(broker, typeof(LeadCaptured), typeof(LeadUpdated));
    }

    public async ValueTask DisposeAsync()
    {
        await bus!.DisposeAsync();
        await service!.DisposeAsync();
        await broker!.DisposeAsync();
        await database!.DisposeAsync();
    }

    [Fact]
    public async Task Import_ManyRows_LiveLeadIsToldBeforeTheLastOfThemAndEachOnce()
    {
        var workspace = await Known();
        var clock = new Stopwatch();
        await using (await TableHold.Take(database!, "delete", "import_announcement"))
        {
            await workspace.Import("/v1/leads:import", File(Rows));
            Assert.NotEqual(0, await Waiting(workspace));

            await workspace.Batch(Messages.Identify(null, "2026-03-02T09:00:00Z", "u1", new { email = "live@acme.example" }));
            await Eventually.True(
                () => Task.FromResult(Captured(workspace).Any(lead => lead.Email == "live@acme.example")), "the live lead is told");
            Assert.NotEqual(0, await Waiting(workspace));
            clock.Start();
        }

        await Eventually.Equal(Rows + 1, () => Task.FromResult(Captured(workspace).Length), "all are told");
        // No faster than it may: a second's worth goes at once, and the two portions that were held.
        Assert.True(
            clock.Elapsed > TimeSpan.FromSeconds((Rows - PerSecond - (2 * ImportAnnouncements.Portion)) / PerSecond), $"{clock.Elapsed}");
        Assert.Equal(0, await Waiting(workspace));
        Assert.Equal(Rows + 1, Captured(workspace).Select(lead => lead.LeadId).Distinct().Count());
        var one = Captured(workspace).Single(lead => lead.Email == "p000007@acme.example");
        Assert.Equal(("IMPORT", "Engineer 7", 1L), (one.CaptureType, one.Traits["title"], one.Version));

        // Changed rows are told as updates.
        await workspace.Import("/v1/leads:import", File(2) + "p000002@acme.example,CTO\n");
        await Eventually.True(
            () => Task.FromResult(bus!.Of<LeadUpdated>().Any(e => e.WorkspaceId == workspace.WorkspaceId)), "the change is told");
        var changed = Assert.Single(bus!.Of<LeadUpdated>(), e => e.WorkspaceId == workspace.WorkspaceId);
        Assert.Equal(("p000002@acme.example", "CTO", 2L), (changed.Email, changed.Traits["title"], changed.Version));
    }

    [Fact]
    public async Task Import_KilledBeforeItIsTold_IsToldAfterTheStart()
    {
        var workspace = await Known();
        await using (await TableHold.Take(database!, "delete", "import_announcement"))
        {
            await workspace.Import("/v1/leads:import", File(Rows));

            await service!.Kill();
            Assert.NotEqual(0, await Waiting(workspace));
        }

        await service.Start();

        await Eventually.Equal(
            Rows, () => Task.FromResult(Captured(workspace).Select(lead => lead.LeadId).Distinct().Count()), "all are told");
    }

    [Fact]
    public async Task Import_ErasedBeforeItIsTold_IsNotTold()
    {
        var workspace = await Known();
        Guid erased;
        await using (await TableHold.Take(database!, "delete", "import_announcement"))
        {
            await workspace.Import("/v1/leads:import", File(Rows));
            erased = await database!.Scalar<Guid>("select captured_ids[1] from import_announcement order by id desc limit 1");
            await workspace.Send(HttpMethod.Delete, $"/v1/leads/{erased}", null);
        }

        await Eventually.Equal(Rows - 1, () => Task.FromResult(Captured(workspace).Length), "the others are told");
        Assert.Equal(0, await Waiting(workspace));
        Assert.DoesNotContain(Captured(workspace), lead => lead.LeadId == erased);
    }

    private static string File(int rows) =>
        "email,title\n" + string.Concat(Enumerable.Range(0, rows).Select(index => $"p{index:000000}@acme.example,Engineer {index}\n"));

    /// <summary>A workspace that the announcer's rounds find, also after a start.</summary>
    private async Task<CaptureClient> Known()
    {
        var workspace = new CaptureClient(service!, Guid.CreateVersion7(Time), "UTC", "USD");
        await database!.Query(
            "insert into workspace (id, display_name, time_zone, currency_code, version) values ($1, 'W', 'UTC', 'USD', 1)",
            workspace.WorkspaceId);
        return workspace;
    }

    private LeadCaptured[] Captured(CaptureClient workspace) =>
        [.. bus!.Of<LeadCaptured>().Where(e => e.WorkspaceId == workspace.WorkspaceId)];

    private async Task<int> Waiting(CaptureClient workspace) =>
        (int)await database!.Scalar<long>(
            "select coalesce(sum(cardinality(captured_ids)), 0) from import_announcement where workspace_id = $1", workspace.WorkspaceId);
}
