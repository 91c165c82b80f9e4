using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Conversion.Features.AnswerHandoff;
using Lifecycle.Conversion.Features.CloseOpportunity;
using Lifecycle.Conversion.Jobs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Testing;
using Microsoft.EntityFrameworkCore;
using OpportunityRow = Lifecycle.Conversion.Storage.OpportunityRow;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>
/// Two who want different things of one lead at the same moment, as transactions on a real database: whoever locks the lead first is served
/// first, the other decides on what it finds then. Every round must end in a sound state, and both orders must have been seen or be legal.
/// </summary>
public sealed class RaceTests : IAsyncLifetime
{
    private const int Rounds = 40;

    private readonly Guid workspace = Guid.CreateVersion7();
    private readonly Caller caller;
    private TestDatabase database = null!;
    private UnitOfWork<ConversionDbContext> work = null!;

    public RaceTests() => caller = Caller.Service("test", workspace, currencyCode: "USD");

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<ConversionDbContext>("conversion");
        work = database.UnitOfWork<ConversionDbContext>();
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task DecayAgainstAccept_EveryRound_EndsAsIfOneCameAfterTheOther()
    {
        var answer = new AnswerHandoff(work, TimeProvider.System);
        for (var round = 0; round < Rounds; round++)
        {
            var lead = await Mql();
            var handoff = await Read(tx => tx.Db.Handoffs.SingleAsync(row => row.LeadId == lead));
            Result<Handoff> accepted = default;
            await AtOnce(
                () => Apply(lead, new LeadDisqualified(Guid.CreateVersion7(), workspace, Times.March(4), 3, lead, 10, "SCORE_DECAYED")),
                async () => accepted = await answer.Accept(new() { Id = handoff.Id.ToString() }, caller, "Accept", CancellationToken.None));

            var (stage, state) = (await Lead(lead), await Read(tx => tx.Db.Handoffs.SingleAsync(row => row.LeadId == lead)));
            Assert.Equal(
                accepted.Succeeded ? (Stage.Sql, HandoffState.Accepted) : (Stage.Lead, HandoffState.Expired), (stage.Stage, state.State));
            Assert.True(accepted.Succeeded || accepted.Error!.Kind == ErrorKind.FailedPrecondition);
        }

        await AssertLedgerIsSound();
    }

    [Fact]
    public async Task WinsAgainstLoss_EveryRound_OneHoldsAndBooksOnce()
    {
        var close = new CloseOpportunity(work, new JourneySignal(), TimeProvider.System);
        for (var round = 0; round < Rounds; round++)
        {
            var lead = await Mql();
            var deal = await Deal(lead);
            var outcomes = new Result<Opportunity>[4];
            await AtOnce([.. Enumerable.Range(0, 4).Select(index => (Func<Task>)(async () => outcomes[index] = index < 3
                ? await close.Win(new() { Id = deal.ToString() }, caller, "Win", CancellationToken.None)
                : await close.Lose(new() { Id = deal.ToString(), Reason = "Price" }, caller, "Lose", CancellationToken.None)))]);

            var only = Assert.Single(outcomes, outcome => outcome.Succeeded).Value;
            Assert.All(outcomes.Where(outcome => !outcome.Succeeded), outcome =>
                Assert.Equal(ErrorKind.FailedPrecondition, outcome.Error!.Kind));
            var won = only.State == Opportunity.Types.State.Won;
            Assert.Equal(won ? Stage.Customer : Stage.Lead, (await Lead(lead)).Stage);
            Assert.Equal(won ? 1L : 0L, await Published("RevenueBooked", deal));
            Assert.Equal([1, 2], await Read(tx => tx.Db.OpportunityChanges.Where(row => row.OpportunityId == deal)
                .OrderBy(row => row.Version).Select(row => row.Version).ToListAsync()));
        }

        await AssertLedgerIsSound();
    }

    [Fact]
    public async Task EraseDuringWin_EveryRound_ForgetsThePersonAndKeepsTheBooking()
    {
        var close = new CloseOpportunity(work, new JourneySignal(), TimeProvider.System);
        for (var round = 0; round < Rounds; round++)
        {
            var lead = await Mql();
            var deal = await Deal(lead);
            await AtOnce(
                () => work.Run(workspace, tx => LeadIdentity.Erase(tx, lead), CancellationToken.None),
                async () => Assert.True((await close.Win(new() { Id = deal.ToString() }, caller, "Win", CancellationToken.None))
                    .Succeeded));

            var (row, sold) = (await Lead(lead), await Read(tx => tx.Db.Opportunities.SingleAsync(one => one.Id == deal)));
            Assert.Equal((Stage.Customer, true, null, "{}"), (row.Stage, row.Erased, row.Email, row.Traits));
            Assert.Equal((OpportunityState.Won, "Erased", null), (sold.State, sold.Name, sold.Account));
            Assert.Equal(1L, await Published("RevenueBooked", deal));
        }

        await AssertLedgerIsSound();
    }

    [Fact]
    public async Task MergeDuringMove_EveryRound_TheTargetStandsWhereTheFurtherStood()
    {
        var answer = new AnswerHandoff(work, TimeProvider.System);
        for (var round = 0; round < Rounds; round++)
        {
            var (source, target) = (await Mql(), await Captured());
            var handoff = await Read(tx => tx.Db.Handoffs.SingleAsync(row => row.LeadId == source));
            Result<Handoff> accepted = default;
            await AtOnce(
                () => work.Run(workspace, tx => LeadIdentity.Merge(tx,
                    new(Guid.CreateVersion7(), workspace, Times.March(5), 5, source, target)), CancellationToken.None),
                async () => accepted = await answer.Accept(new() { Id = handoff.Id.ToString() }, caller, "Accept", CancellationToken.None),
                () => Apply(target, new LeadQualified(Guid.CreateVersion7(), workspace, Times.March(4), 2, target, 60, 1, [])));

            // The source's offer expires where the target was offered already: that one stays in the queue.
            Assert.Equal(accepted.Succeeded ? Stage.Sql : Stage.Mql, (await Lead(target)).Stage);
            Assert.Equal(target, (await Lead(source)).MergedInto);
            var handoffs = await Read(tx => tx.Db.Handoffs.Where(row => row.LeadId == source || row.LeadId == target).ToListAsync());
            Assert.All(handoffs, row => Assert.Equal(target, row.LeadId));
            Assert.Equal(accepted.Succeeded ? 0 : 1, handoffs.Count(row => row.State == HandoffState.Open));
        }

        await AssertLedgerIsSound();
    }

    [Fact]
    public async Task MovesOfOneLead_FiftyAtOnce_AreToldInTheOrderOfTheirVersions()
    {
        var lead = await Captured();
        Stage[] stages = [Stage.Mql, Stage.Sql, Stage.Opportunity];
        await AtOnce([.. Enumerable.Range(0, 50).Select(index => (Func<Task>)(() => work.Run(workspace, async tx =>
        {
            var row = await StageLedger.Lock(tx, lead);
            var to = stages[index % 3];
            await StageLedger.Move(
                tx, row, new(to, to < row.Stage ? StageReasons.Reopened : StageReasons.Manual, Times.March(2)), new("key:test"));
        }, CancellationToken.None)))]);

        Assert.InRange((await Lead(lead)).Version, 4, 51);
        await AssertLedgerIsSound();
    }

    /// <summary>Starts all at the same moment and waits for all of them.</summary>
    private static async Task AtOnce(params Func<Task>[] actions)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = actions.Select(async action =>
        {
            await start.Task;
            await action();
        }).ToArray();
        start.SetResult();
        await Task.WhenAll(running);
    }

    private async Task<Guid> Captured()
    {
        var lead = Guid.CreateVersion7();
        await work.Run(workspace, async tx => await LeadFacts.Capture(tx, await StageLedger.Lock(tx, lead), new(
            1, $"{lead:N}@example.com", null, "FORM", "demo", Times.March(1), null, new Dictionary<string,
                string>
            { ["plan"] = "pro" })), CancellationToken.None);
        return lead;
    }

    private async Task<Guid> Mql()
    {
        var lead = await Captured();
        await Apply(lead, new LeadQualified(Guid.CreateVersion7(), workspace, Times.March(2), 2, lead, 60, 1, []));
        return lead;
    }

    private async Task<Guid> Deal(Guid lead)
    {
        var id = Guid.CreateVersion7();
        await work.Run(workspace, async tx =>
        {
            var pipeline = await OpportunityBook.DefaultPipeline(tx);
            await OpportunityBook.Open(
                tx,
                new OpportunityRow
                {
                    WorkspaceId = workspace,
                    Id = id,
                    LeadId = lead,
                    Name = "Jane's deal",
                    Account = "Acme",
                    Amount = 10,
                    CurrencyCode = "USD",
                    PipelineId = pipeline.Id,
                    Stage = "Prospecting",
                    CreateTime = Times.March(3),
                },
                await StageLedger.Lock(tx, lead),
                "key:test");
        }, CancellationToken.None);
        return id;
    }

    private Task Apply(Guid lead, ILifecycleEvent e) =>
        work.Run(workspace, tx => LeadFacts.ApplyOrHold(tx, lead, e), CancellationToken.None);

    private Task<T> Read<T>(Func<Transaction<ConversionDbContext>, Task<T>> read) => work.Read(workspace, read, CancellationToken.None);

    private Task<LeadRow> Lead(Guid lead) => Read(tx => tx.Db.Leads.SingleAsync(row => row.LeadId == lead));

    private Task<long> Published(string type, Guid deal) => database.Scalar<long>(
        "select count(*) from outbox where type = $1 and body ->> 'opportunityId' = $2", type, deal.ToString());

    /// <summary>Versions without gaps, each change from where the one before ended, times that never run back; events in the same
    /// order.</summary>
    private async Task AssertLedgerIsSound()
    {
        var ledger = await Read(tx => tx.Db.StageChanges.OrderBy(row => row.LeadId).ThenBy(row => row.Version).ToListAsync());
        foreach (var history in ledger.GroupBy(row => row.LeadId).Select(changes => changes.ToArray()))
        {
            Assert.Equal(Enumerable.Range(1, history.Length).Select(version => (long)version), history.Select(change => change.Version));
            Assert.All(history.Zip(history.Skip(1)), pair =>
            {
                Assert.Equal(pair.First.ToStage, pair.Second.FromStage);
                Assert.True(pair.First.Time <= pair.Second.Time);
            });
        }

        var told = await database.Query(
            "select body ->> 'leadId', (body ->> 'version')::bigint from outbox where type = 'LeadStageChanged' order by body ->> 'leadId', seq");
        Assert.Equal(
            ledger.Select(change => $"{change.LeadId} {change.Version}"), told.Select(row => $"{row[0]} {row[1]}"));
        Assert.Equal(0L, await database.Scalar<long>(
            "select count(*) from handoff h join lead l using (workspace_id, lead_id) where h.state = 'OPEN' and l.stage <> 'MQL'"));
    }
}
