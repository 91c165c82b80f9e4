using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Features.IngestMessages;

namespace Capture.UnitTests;

public sealed class IngestLanesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid First = Guid.CreateVersion7(Now);
    private static readonly Guid Second = Guid.CreateVersion7(Now);

    [Fact]
    public async Task Take_WhileAWorkspaceCommits_GathersWhatComesForItsNextCommit()
    {
        var lanes = new IngestLanes(100);
        lanes.TryAdd(Request(First, 1));
        var group = await lanes.Take(10);
        lanes.TryAdd(Request(First, 2));
        lanes.TryAdd(Request(Second, 1));
        lanes.TryAdd(Request(First, 3));

        var other = await lanes.Take(10);
        lanes.Done(group!);
        var next = await lanes.Take(10);

        Assert.Equal(Second, Assert.Single(other!).WorkspaceId);
        Assert.Equal([2, 3], next!.Select(request => request.Messages.Count));
    }

    [Fact]
    public async Task Take_MoreThanACommitHolds_LeavesTheRestForTheNextTurn()
    {
        var lanes = new IngestLanes(100);
        foreach (var messages in new[] { 6, 6, 6 })
        {
            lanes.TryAdd(Request(First, messages));
        }

        var group = await lanes.Take(10);
        lanes.Done(group!);

        Assert.Equal(2, group!.Length);
        Assert.Single((await lanes.Take(10))!);
    }

    [Fact]
    public async Task TryAdd_BeyondTheBound_RefusesUntilACommitIsDone()
    {
        var lanes = new IngestLanes(10);

        Assert.True(lanes.TryAdd(Request(First, 11)));
        Assert.False(lanes.TryAdd(Request(Second, 1)));
        lanes.Done((await lanes.Take(10))!);
        Assert.True(lanes.TryAdd(Request(Second, 10)));
        Assert.False(lanes.TryAdd(Request(First, 1)));
    }

    [Fact]
    public async Task Close_WithRequestsWaiting_HandsThemOutAndTakesNoMore()
    {
        var lanes = new IngestLanes(10);
        lanes.TryAdd(Request(First, 1));
        lanes.Close();

        Assert.False(lanes.TryAdd(Request(First, 1)));
        lanes.Done((await lanes.Take(10))!);
        Assert.Null(await lanes.Take(10));
    }

    [Fact]
    public async Task Take_EnoughWaitsBehindACommit_GivesItToASecondWriterAndNoThird()
    {
        var lanes = new IngestLanes(100, ahead: 5);
        lanes.TryAdd(Request(First, 1));
        var first = await lanes.Take(10);
        lanes.TryAdd(Request(First, 4));
        lanes.TryAdd(Request(Second, 1));
        lanes.TryAdd(Request(First, 2));

        var other = await lanes.Take(10);
        var second = await lanes.Take(10);
        lanes.TryAdd(Request(First, 8));
        lanes.TryAdd(Request(Second, 5));
        var ahead = await lanes.Take(10);
        lanes.Done(first!);
        var third = await lanes.Take(10);

        Assert.Equal(Second, Assert.Single(other!).WorkspaceId);
        Assert.Equal([4, 2], second!.Select(request => request.Messages.Count));
        Assert.Equal(Second, Assert.Single(ahead!).WorkspaceId);
        Assert.Equal(8, Assert.Single(third!).Messages.Count);
    }

    [Fact]
    public async Task Close_WithTwoWritersOfALane_EndsAfterBoth()
    {
        var lanes = new IngestLanes(100, ahead: 1);
        lanes.TryAdd(Request(First, 1));
        var first = await lanes.Take(1);
        lanes.TryAdd(Request(First, 1));
        var second = await lanes.Take(1);
        lanes.Close();
        var end = lanes.Take(1);
        lanes.Done(second!);

        Assert.False(end.IsCompleted);
        lanes.Done(first!);
        Assert.Null(await end);
    }

    private static IngestRequest Request(Guid workspaceId, int messages) => new(
        workspaceId,
        Enumerable.Range(0, messages).Select(index => new IngestMessage
        {
            MessageId = $"{index}",
            Type = ActivityTypes.Track,
            Name = "n",
            Time = Now,
            Person = new PersonFacts(Now, "u", null, null, null, null, []),
        }).ToArray(),
        default);
}
