using System.Net.Http.Json;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>A reclassification outlives the process that runs it, and replicas agree on the rules.</summary>
public sealed class ReclassificationCrashTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    private static readonly object Partners =
        new { rules = new[] { new { channel = "Partners", condition = "referrer = \"partner.example\"" } } };

    [Fact]
    public async Task ReclassifyChannels_KilledInTheMiddle_GoesOnAndCountsEveryRowOnce()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var bus = await TestBus.Start(broker, typeof(LeadUpdated));
        var environment = ServiceEnvironment.For(database, broker);
        environment["Capture__ReclassificationBatch"] = "20";
        await using var service = ServiceProcess.Create("Capture", environment);
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(Start), "UTC", "USD");
        await bus.Publish(new WorkspaceUpdated(Guid.CreateVersion7(Start), workspace.WorkspaceId, Start, 1, "Acme", "UTC", "USD"));
        await Eventually.Equal(1L, () => database.Scalar<long>("select count(*) from workspace"), "the workspace is known");
        await workspace.Batch(Enumerable.Range(0, 1000)
            .Select(index => Messages.Page($"d{index}", Messages.At(Start, index), referrer: "https://partner.example/")).ToArray());
        await workspace.Batch(Enumerable.Range(0, 20)
            .Select(index => Messages.Form($"d{index * 50}", Messages.At(Start, (index * 50) + 1), $"p{index}@acme.example")).ToArray());
        await workspace.Send(HttpMethod.Put, "/v1/channels", JsonContent.Create(Partners));

        // It comes as far as the batch that would go beyond a hundred rows, and waits there for the test's lock.
        await using (await TableHold.Take(database, "update", "reclassification", "new.processed > 100"))
        {
            await workspace.Post("/v1/channels:reclassify", new { });
            await Eventually.Equal(100L, () => database.Scalar<long>("select processed from reclassification"), "the first batches");
            await service.Kill();
        }

        // What the killed process had begun is rolled back when the server finds it gone.
        await Eventually.Equal(
            0L, () => database.Scalar<long>(
                "select count(*) from pg_stat_activity where datname = current_database() and usename = 'capture_app'"),
            "its sessions have ended");
        Assert.Equal(100L, await database.Scalar<long>("select processed from reclassification"));
        Assert.Equal(100L, await database.Scalar<long>("select count(*) from session where channel = 'Partners'"));

        await service.Start();
        await Eventually.Equal(
            "DONE", () => database.Scalar<string>("select part from reclassification"), "the reclassification is done",
            TimeSpan.FromSeconds(90));
        Assert.Equal(
            1000L, await database.Scalar<long>("select count(*) from session where channel = 'Partners' and channel_rules = '2026-11/1'"));
        Assert.Equal(1020L, await database.Scalar<long>("select processed + 20 from reclassification"));
        Assert.Equal((1000L, 20L), (
            await database.Scalar<long>("select changed_sessions from reclassification"),
            await database.Scalar<long>("select changed_leads from reclassification")));
        await Eventually.Equal(
            20, () => Task.FromResult(
                bus.Of<LeadUpdated>().Where(e => e.FirstTouch.Channel == "Partners").Select(e => e.LeadId).Distinct().Count()),
            "every lead is told");
    }

    [Fact]
    public async Task UpdateChannels_OtherReplica_GoesByThemWithinSeconds()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        var environment = ServiceEnvironment.For(database, broker);
        environment["Capture__ChannelSettingsSeconds"] = "1";
        await using var left = ServiceProcess.Create("Capture", environment);
        await using var right = ServiceProcess.Create("Capture", environment);
        await Task.WhenAll(left.Start(), right.Start());
        var workspace = new CaptureClient(left, Guid.CreateVersion7(Start), "UTC", "USD");
        var other = workspace.Through(right);
        await other.Batch(Messages.Page("before", Messages.At(Start, 0), referrer: "https://partner.example/"));

        await workspace.Send(HttpMethod.Put, "/v1/channels", JsonContent.Create(Partners));

        var index = 0;
        await Eventually.True(
            async () =>
            {
                await other.Batch(Messages.Page($"d{index++}", Messages.At(Start, index), referrer: "https://partner.example/"));
                return await database.Scalar<long>("select count(*) from session where channel = 'Partners'") > 0;
            },
            "the other replica knows the rules");
    }
}
