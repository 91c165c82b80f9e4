using Lifecycle.Contracts;
using Lifecycle.Postgres;

namespace Lifecycle.Shared.UnitTests.Postgres;

public sealed class EventGathererTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly Guid workspace = Guid.CreateVersion7();
    private readonly EventGatherer<LeadErased> gatherer = new(maxWeight: 10, concurrent: 1);
    private readonly List<int[]> pieces = [];
    private readonly TaskCompletionSource begun = new();
    private readonly TaskCompletionSource release = new();

    [Fact]
    public async Task Gather_WhileAPieceIsUnderWay_TheRestFormsTheNextUpToTheWeight()
    {
        var first = Gather(1, weight: 1);
        await begun.Task.WaitAsync(Deadline);
        Task<Exception?>[] rest = [Gather(2, 6), Gather(3, 4), Gather(4, 11), Gather(5, 1)];

        release.SetResult();

        Assert.All(await Task.WhenAll([first, .. rest]).WaitAsync(Deadline), Assert.Null);
        Assert.Equal([[1], [2, 3], [4], [5]], pieces);
    }

    [Fact]
    public async Task Gather_APieceFails_ItsEventsSayWhyAndTheNextIsDone()
    {
        var first = Gather(-1, weight: 1);
        await begun.Task.WaitAsync(Deadline);
        var second = Gather(2, 1);

        release.SetResult();

        Assert.Equal("-1 fails", (await first.WaitAsync(Deadline))?.Message);
        Assert.Null(await second.WaitAsync(Deadline));
    }

    [Fact]
    public async Task Gather_OtherWorkspace_DoesNotWait()
    {
        var first = Gather(1, weight: 1);
        await begun.Task.WaitAsync(Deadline);

        Assert.Null(await gatherer.Gather(Event(2, Guid.CreateVersion7()), 1, (_, _) => Task.CompletedTask, default).WaitAsync(Deadline));

        release.SetResult();
        Assert.Null(await first.WaitAsync(Deadline));
    }

    private Task<Exception?> Gather(int number, int weight) =>
        gatherer.Gather(Event(number, workspace), weight, Work, CancellationToken.None);

    private async Task Work(IReadOnlyList<LeadErased> events, CancellationToken ct)
    {
        pieces.Add([.. events.Select(e => (int)e.Version)]);
        begun.TrySetResult();
        await release.Task;
        if (events[0].Version < 0)
        {
            throw new InvalidOperationException($"{events[0].Version} fails");
        }
    }

    private static LeadErased Event(int number, Guid workspace) =>
        new(Guid.CreateVersion7(), workspace, DateTimeOffset.UnixEpoch, number, Guid.CreateVersion7());
}
