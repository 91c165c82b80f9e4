using System.Net;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>What was acknowledged stays, and nothing counts twice, when processes die or work side by side.</summary>
public sealed class CrashTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Batch_KilledInTheMiddle_LosesNothingAcknowledgedAndDoublesNothing()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var bus = await TestBus.Start(broker, typeof(LeadCaptured), typeof(ActivitiesRecorded));
        await using var service = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await service.Start();
        var workspace = new CaptureClient(service, Guid.CreateVersion7(Start), "UTC", "USD");
        var batches = Enumerable.Range(0, 60).Select(Batch).ToArray();

        var sending = batches.Select(async batch =>
        {
            try
            {
                return (await workspace.Post("/v1/batch", new { batch })).Status == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }).ToArray();
        await Eventually.True(async () => await database.Scalar<long>("select count(*) from activity") > 0, "the first commit");
        await service.Kill();
        var acknowledged = (await Task.WhenAll(sending)).Select((isAcknowledged, index) => (isAcknowledged, index))
            .Where(item => item.isAcknowledged).Select(item => item.index).ToArray();
        var kept = (await database.Query("select key from message")).Select(row => (Guid)row[0]!).ToHashSet();
        Assert.All(acknowledged, index => Assert.Contains(MessageReader.Key(workspace.WorkspaceId, $"m{index}-19"), kept));

        await service.Start();
        foreach (var batch in batches)
        {
            Assert.Equal(HttpStatusCode.OK, (await workspace.Post("/v1/batch", new { batch })).Status);
        }

        Assert.Equal(1200L, await database.Scalar<long>("select count(*) from activity"));
        Assert.Equal(1200L, await database.Scalar<long>("select sum(activities) from session"));
        Assert.Equal(60L, await database.Scalar<long>("select count(*) from lead"));
        await Eventually.Equal(
            1200, () => Task.FromResult(
                bus.Of<ActivitiesRecorded>().SelectMany(e => e.Activities).Select(activity => activity.ActivityId).Distinct().Count()),
            "every activity is told");
        Assert.Equal(60, bus.Of<LeadCaptured>().Select(e => e.LeadId).Distinct().Count());
    }

    [Fact]
    public async Task Batch_TwoReplicasSameVisitors_AgreeOnLeadsAndSessions()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        await using var left = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await using var right = ServiceProcess.Create("Capture", ServiceEnvironment.For(database, broker));
        await Task.WhenAll(left.Start(), right.Start());
        var workspace = new CaptureClient(left, Guid.CreateVersion7(Start), "UTC", "USD");

        // Every visitor's messages are spread over both replicas, and several visitors are one person.
        await Task.WhenAll(Enumerable.Range(0, 40).Select(index => workspace.Through(index % 2 == 0 ? left : right).Batch(
            Enumerable.Range(0, 10).Select(visitor => Messages.Page($"d{visitor}", Messages.At(Start, index)))
                .Append(Messages.Form($"d{index % 10}", Messages.At(Start, index + 0.5), $"p{index % 5}@acme.example")).ToArray())));

        Assert.Equal(5L, await database.Scalar<long>("select count(*) from lead"));
        Assert.Equal(440L, await database.Scalar<long>("select sum(activities) from session"));
        Assert.Equal(10L, await database.Scalar<long>("select count(distinct visitor_id) from session"));
        Assert.Equal(0L, await database.Scalar<long>("select count(*) from activity where lead_id is null or session_id is null"));
    }

    private static object[] Batch(int index) =>
        Enumerable.Range(0, 20).Select(object (step) => step < 19
            ? Messages.Page($"d{index}", Messages.At(Start, (index * 60) + step), id: $"m{index}-{step}")
            : new
            {
                type = "track",
                @event = "Form Submitted",
                anonymousId = $"d{index}",
                messageId = $"m{index}-{step}",
                timestamp = Messages.At(Start, (index * 60) + step),
                properties = new { fields = new { email = $"p{index}@acme.example" } },
            }).ToArray();
}
