using System.Collections.Concurrent;
using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Npgsql;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

/// <summary>Requests that wait at the same time run in one transaction, and each is answered as if it had come alone.</summary>
public sealed class RequestGathererTests : TrialDatabase
{
    private const string Method = "lifecycle.trial.v1.TrialService/Write";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    private readonly ConcurrentQueue<string> pieces = [];
    private readonly TaskCompletionSource begun = new();
    private readonly TaskCompletionSource release = new();
    private UnitOfWork<TrialDbContext>? work;
    private RequestGatherer<TrialDbContext, StringValue, StringValue>? gatherer;

    private UnitOfWork<TrialDbContext> Work => work ??= Database.UnitOfWork<TrialDbContext>(new ManualTimeProvider(Noon));

    private RequestGatherer<TrialDbContext, StringValue, StringValue> Gatherer => gatherer ??= new(Work, maxTogether: 100, concurrent: 1);

    [Fact]
    public async Task Run_WhileOneIsUnderWay_TheRestRunsTogetherWithAnAnswerEach()
    {
        var answers = await Gather(("", "a"), ("r2", "b"), ("", "c"));

        Assert.Equal(["a by 1", "b by 1", "c by 1"], answers.Select(answer => answer.Value.Value));
        Assert.Equal(["first", "a b c"], pieces);
        Assert.Equal(["a", "b", "c", "first"], await Written());
    }

    [Fact]
    public async Task Run_AnIdAgain_AnswersTheFirstResponse()
    {
        var first = await Gather(("r1", "a"));
        var again = await Run("r1", "a");
        var gathered = await Task.WhenAll(Run("", "b"), Run("r1", "a"), Run("", "c")).WaitAsync(Deadline, Ct);

        Assert.Equal((first[0].Value, first[0].Value), (again.Value, gathered[1].Value));
        Assert.Equal(["a", "b", "c", "first"], await Written());
    }

    [Fact]
    public async Task Run_TwinsInOneGathering_RunOnceAndAgree()
    {
        var answers = await Gather(("", "a"), ("r1", "b"), ("r1", "b"), ("r1", "b"));

        Assert.Equal(["a by 1", "b by 1", "b by 1", "b by 1"], answers.Select(answer => answer.Value.Value));
        Assert.Equal(["a", "b", "first"], await Written());
    }

    [Fact]
    public async Task Run_AnIdWithAnotherBody_IsAborted()
    {
        var answers = await Gather(("", "a"), ("r1", "b"), ("r1", "c"), ("", "d"));
        var later = await Run("r1", "e");

        Assert.Equal([null, null, ErrorKind.Aborted, null], answers.Select(answer => answer.Error?.Kind));
        Assert.Equal(ErrorKind.Aborted, later.Error?.Kind);
        Assert.Equal(["a", "b", "d", "first"], await Written());
    }

    [Fact]
    public async Task Run_AnErrorOfOne_LeavesItsNeighboursAndMayBeTriedAgain()
    {
        var answers = await Gather(("", "a"), ("r1", "refused"), ("r2", "b"));
        var again = await Run("r1", "now");

        Assert.Equal([null, ErrorKind.FailedPrecondition, null], answers.Select(answer => answer.Error?.Kind));
        Assert.True(again.Succeeded);
        Assert.Equal(["a", "b", "first", "now"], await Written());
    }

    [Fact]
    public async Task Run_OnlyErrors_WriteNothing()
    {
        var answers = await Gather(("", "a"), ("r1", "refused"), ("", "refused"));

        Assert.Equal([null, ErrorKind.FailedPrecondition, ErrorKind.FailedPrecondition], answers.Select(answer => answer.Error?.Kind));
        Assert.Equal((2L, 0L), (await Count("move"), await Count("idempotency")));
    }

    [Fact]
    public async Task Run_AFaultOfTheWhole_FallsBackToEachAlone()
    {
        var running = await Start(("", "a"), ("r1", "b"), ("", "breaks"), ("r1", "b"));

        var fault = await Assert.ThrowsAsync<PostgresException>(() => running[2].WaitAsync(Deadline, Ct));
        Assert.Equal(PostgresErrorCodes.NotNullViolation, fault.SqlState);
        var sound = await Task.WhenAll(running[0], running[1], running[3]).WaitAsync(Deadline, Ct);
        Assert.Equal(["a alone", "b alone", "b alone"], sound.Select(answer => answer.Value.Value));
        Assert.Equal(["a", "b", "first"], await Written());
    }

    [Fact]
    public async Task Run_OneThatHasToRunAlone_RunsAloneOnce()
    {
        var answers = await Gather(("", "a"), ("r1", "shy"), ("", "b"));

        Assert.Equal(["a by 1", "shy alone", "b by 1"], answers.Select(answer => answer.Value.Value));
        Assert.Equal("shy alone", (await Run("r1", "shy")).Value.Value);
        Assert.Equal(["a", "b", "first", "shy"], await Written());
    }

    [Fact]
    public async Task Run_CancelledInLine_DoesNotRunAndItsNeighboursDo()
    {
        using var cancel = new CancellationTokenSource();
        var first = Run("", "first");
        await begun.Task.WaitAsync(Deadline, Ct);
        var (leaves, stays) = (Run("r1", "a", cancel.Token), Run("r2", "b"));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        release.SetResult();

        Assert.True((await first.WaitAsync(Deadline, Ct)).Succeeded);
        Assert.True((await stays.WaitAsync(Deadline, Ct)).Succeeded);
        Assert.Equal(["first", "b"], pieces);
        Assert.Equal(["b", "first"], await Written());
    }

    [Fact]
    public async Task Run_CancelledUnderWay_IsWrittenWithTheOthersAndKeepsItsAnswer()
    {
        using var cancel = new CancellationTokenSource();
        var first = Run("r1", "first", cancel.Token);
        await begun.Task.WaitAsync(Deadline, Ct);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        release.SetResult();

        Assert.Equal("first by 0", (await Run("r1", "first")).Value.Value);
        Assert.Equal(["first"], await Written());
    }

    [Fact]
    public async Task Run_TheServerEndsTheSession_IsNotRunAgain()
    {
        release.SetResult();

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Run("", "kills"));

        Assert.Equal(["kills"], pieces);
        Assert.Equal(0, await Count("move"));
    }

    [Fact]
    public async Task Run_TheSameIdsInTwoProcessesAtOnce_RunOnceAndAgree()
    {
        release.SetResult();
        var other = new RequestGatherer<TrialDbContext, StringValue, StringValue>(Work, maxTogether: 7, concurrent: 2);
        var ids = Enumerable.Range(0, 40).Select(number => $"r{number:00}").ToArray();

        var answers = await Task.WhenAll(
            Task.WhenAll(ids.Select(id => Run(id, id))).WaitAsync(Deadline, Ct),
            Task.WhenAll(ids.Reverse().Select(id => Run(id, id, with: other))).WaitAsync(Deadline, Ct));

        Assert.Equal(answers[0].Select(answer => answer.Value), answers[1].Reverse().Select(answer => answer.Value));
        Assert.Equal(ids, await Written());
    }

    /// <summary>The answers of requests that meet in one piece.</summary>
    private async Task<Result<StringValue>[]> Gather(params (string RequestId, string Name)[] requests) =>
        await Task.WhenAll(await Start(requests)).WaitAsync(Deadline, Ct);

    /// <summary>Holds a first request under way until the others stand in line behind it.</summary>
    private async Task<Task<Result<StringValue>>[]> Start(params (string RequestId, string Name)[] requests)
    {
        var first = Run("", "first");
        await begun.Task.WaitAsync(Deadline, Ct);
        var running = requests.Select(request => Run(request.RequestId, request.Name)).ToArray();
        release.SetResult();
        Assert.True((await first.WaitAsync(Deadline, Ct)).Succeeded);
        return running;
    }

    private Task<Result<StringValue>> Run(
        string requestId, string name, CancellationToken? ct = null, RequestGatherer<TrialDbContext, StringValue, StringValue>? with = null)
    {
        var request = new StringValue { Value = name };
        return (with ?? Gatherer).Run(WorkspaceId, Method, requestId, request, request, Together, tx => Alone(tx, name), ct ?? Ct);
    }

    private async Task<IReadOnlyList<Result<StringValue>?>> Together(Transaction<TrialDbContext> tx, IReadOnlyList<StringValue> items)
    {
        var number = pieces.Count;
        pieces.Enqueue(string.Join(' ', items.Select(item => item.Value)));
        begun.TrySetResult();
        await release.Task;
        var answers = new List<Result<StringValue>?>();
        foreach (var item in items)
        {
            answers.Add(item.Value switch
            {
                "refused" => Error.Precondition("Not now."),
                "shy" => default(Result<StringValue>?),
                _ => await Write(tx, item.Value, $"{item.Value} by {number}"),
            });
        }

        return answers;
    }

    private static Task<Result<StringValue>> Alone(Transaction<TrialDbContext> tx, string name) => Write(tx, name, $"{name} alone");

    private static async Task<Result<StringValue>> Write(Transaction<TrialDbContext> tx, string name, string answer)
    {
        await tx.Connection.ExecuteAsync(
            name == "kills"
                ? "select pg_terminate_backend(pg_backend_pid())"
                : "insert into move (workspace_id, lead_id, version, note) values (@WorkspaceId, @id, @version, @name)",
            new { tx.WorkspaceId, id = tx.NewId(), version = name == "breaks" ? (long?)null : 1, name });
        return new StringValue { Value = answer };
    }

    private async Task<string[]> Written() =>
        [.. (await Database.Query("select note from move order by note")).Select(row => (string)row[0]!)];
}
