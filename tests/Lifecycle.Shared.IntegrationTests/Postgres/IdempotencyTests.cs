using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Postgres.Outbox;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Money = Lifecycle.Common.V1.Money;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

public sealed class IdempotencyTests : TrialDatabase
{
    private const string Method = "lifecycle.trial.v1.TrialService/Move";

    private readonly ManualTimeProvider time = new(Noon);
    private int runs;

    private UnitOfWork<TrialDbContext> Work => Database.UnitOfWork<TrialDbContext>(time);

    [Fact]
    public async Task RunIdempotent_SameIdTwice_AnswersTheFirstResponse()
    {
        var first = await Call("r1", "10.00");
        var second = await Call("r1", "10.00");

        Assert.Equal(("run 1", "run 1"), (first.Value.Value, second.Value.Value));
        Assert.Equal(1, await Count("move"));
    }

    [Fact]
    public async Task RunIdempotent_SameIdOtherBody_IsAborted()
    {
        await Call("r1", "10.00");
        var second = await Call("r1", "11.00");

        Assert.Equal(ErrorKind.Aborted, second.Error?.Kind);
        Assert.Equal(1, await Count("move"));
    }

    [Fact]
    public async Task RunIdempotent_NoId_RunsEachTime()
    {
        await Call("", "10.00");
        await Call("", "10.00");

        Assert.Equal((2, 0), (await Count("move"), await Count("idempotency")));
    }

    [Fact]
    public async Task RunIdempotent_AnotherWorkspaceOrMethod_IsAnotherRequest()
    {
        await Call("r1", "10.00");
        await Call("r1", "10.00", method: "lifecycle.trial.v1.TrialService/Other");
        await Call("r1", "10.00", workspace: Guid.CreateVersion7(Noon));

        Assert.Equal(3, runs);
    }

    [Fact]
    public async Task RunIdempotent_RacingTwins_RunOnceAndAgree()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Call("r1", "10.00")));

        Assert.All(answers, answer => Assert.Equal("run 1", answer.Value.Value));
        Assert.Equal((1, 1L), (runs, await Count("move")));
    }

    [Fact]
    public async Task RunIdempotent_Error_MayBeTriedAgain()
    {
        var failed = await Work.RunIdempotent<StringValue>(
            WorkspaceId, Method, "r1", new Money(), _ => Task.FromResult<Result<StringValue>>(Error.Unavailable("Later.")), Ct);
        var second = await Call("r1", "10.00");

        Assert.Equal(ErrorKind.Unavailable, failed.Error?.Kind);
        Assert.True(second.Succeeded);
    }

    [Fact]
    public async Task Clean_AfterSevenDays_ForgetsRequestsAndMessages()
    {
        await Database.Query("insert into workspace values ($1, 'Acme', 'UTC', 'USD', 1)", WorkspaceId);
        await Call("old", "10.00");
        await Work.RunOnce(WorkspaceId, Guid.CreateVersion7(Noon), "A", _ => Task.CompletedTask, Ct);
        time.Advance(TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));
        await Call("new", "10.00");
        using var cleaner = new MemoryCleaner<TrialDbContext>(
            Work, [], new OutboxOptions(), time, NullLogger<MemoryCleaner<TrialDbContext>>.Instance);
        await cleaner.Clean(Ct);

        Assert.Equal([["new"]], await Database.Query("select request_id from idempotency"));
        Assert.Equal(0, await Count("inbox"));
    }

    private Task<Result<StringValue>> Call(string requestId, string amount, Guid? workspace = null, string method = Method)
    {
        var id = workspace ?? WorkspaceId;
        return Work.RunIdempotent<StringValue>(id, method, requestId, new Money { CurrencyCode = "USD", Amount = amount }, tx =>
        {
            tx.Db.Moves.Add(NewMove(id, tx.NewId(), 1));
            return Task.FromResult<Result<StringValue>>(new StringValue { Value = $"run {Interlocked.Increment(ref runs)}" });
        }, Ct);
    }
}
