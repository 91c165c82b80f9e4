using System.Net;
using Lifecycle.Capture.Storage;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>A workspace's next commit notes its messages while the one before still runs: each counts once all the same.</summary>
public sealed class OverlapTests
{
    private const int Batches = 40;
    private const int BatchSize = 20;

    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Batch_SentFourTimesAtOnceToTwoReplicas_CountsOnce()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        await using var broker = await TestVirtualHost.Create();
        var environment = ServiceEnvironment.For(database, broker);
        environment["Capture__AheadMessages"] = "1";
        environment["Capture__MaxCommitMessages"] = "60";
        await using var first = ServiceProcess.Create("Capture", environment);
        await using var second = ServiceProcess.Create("Capture", environment);
        await first.Start();
        await second.Start();
        var workspace = new CaptureClient(first, Guid.CreateVersion7(Start), "UTC", "USD");
        var other = workspace.Through(second);

        // Twice in one direction and twice in the other, so that commits under way at once hold the same messages in any order.
        var numbers = Enumerable.Range(0, Batches).ToArray();
        var answers = await Task.WhenAll(
            new[] { (workspace, numbers), (other, [.. numbers.Reverse()]), (workspace, [.. numbers.Reverse()]), (other, numbers) }
                .SelectMany(sender => sender.Item2.Select(number => sender.Item1.Post("/v1/batch", new { batch = Batch(number) }))));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(Batches * BatchSize, answers.Sum(answer => answer.Body["accepted"]!.GetValue<int>()));
        Assert.Equal(3 * Batches * BatchSize, answers.Sum(answer => answer.Body["duplicates"]!.GetValue<int>()));
        Assert.Equal((long)Batches * BatchSize, await database.Scalar<long>("select count(*) from activity"));
        Assert.Equal((long)Batches * BatchSize, await database.Scalar<long>("select sum(activities) from session"));
        // Batches of an even and of an odd number speak of one person each.
        Assert.Equal(2L, await database.Scalar<long>("select count(*) from lead"));
        Assert.Equal(2L, await database.Scalar<long>("select count(*) from visitor where lead_id is not null"));
    }

    private static object[] Batch(int number) =>
    [
        Messages.Identify($"d{number % 2}", Messages.At(Start, number * BatchSize), $"u{number % 2}", new { }),
        .. Enumerable.Range(1, BatchSize - 1)
            .Select(step => Messages.Page($"d{number % 2}", Messages.At(Start, (number * BatchSize) + step))),
    ];
}
