using Lifecycle.Contracts;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Testing;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Whatever the broker does with the order of events, and however often it delivers them, a lead ends in the same place.</summary>
public sealed class AnyOrderTests : IAsyncLifetime
{
    private const int Shuffles = 60;

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.Create<ConversionDbContext>("conversion");

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Facts_InAnyOrderAndTwice_EndInTheSamePlaceByALegalHistory()
    {
        var work = database.UnitOfWork<ConversionDbContext>();
        var (workspace, random) = (Guid.CreateVersion7(), new Random(20260301));
        for (var shuffle = 0; shuffle < Shuffles; shuffle++)
        {
            var lead = Guid.CreateVersion7();
            var events = Story(workspace, lead).SelectMany(e => new[] { e, e }).ToArray();
            random.Shuffle(events);
            foreach (var e in events)
            {
                await work.RunOnce(workspace, e.EventId, "test", tx => Apply(tx, lead, e), CancellationToken.None);
            }

            var (row, history) = await work.Read(workspace, async tx => (
                await tx.Db.Leads.SingleAsync(one => one.LeadId == lead),
                await tx.Db.StageChanges.Where(change => change.LeadId == lead).OrderBy(change => change.Version).ToListAsync()),
                    CancellationToken.None);
            Assert.Equal((Stage.Advocate, Stage.Advocate), (row.Stage, row.HighestStage));
            Assert.Equal(Enumerable.Range(1, history.Count).Select(version => (long)version), history.Select(change => change.Version));
            Assert.Equal(Stage.Visitor, history[0].FromStage);
            Assert.All(history.Zip(history.Skip(1)), pair =>
            {
                Assert.Equal(pair.First.ToStage, pair.Second.FromStage);
                Assert.True(pair.First.Time <= pair.Second.Time);
            });
        }

        Assert.Equal(
            await database.Scalar<long>("select count(*) from stage_change"),
            await database.Scalar<long>("select count(*) from outbox where type = 'LeadStageChanged'"));
        Assert.Equal(0L, await database.Scalar<long>("select count(*) from held_event"));
        Assert.Equal(0L, await database.Scalar<long>("select count(*) from handoff where state = 'OPEN'"));
    }

    private static ILifecycleEvent[] Story(Guid workspace, Guid lead)
    {
        var customer = Guid.CreateVersion7();
        var touch = new TouchInfo("Email", null, null, null, null, null, null, Times.March(1), null);
        Dictionary<string, string> traits = [];
        return
        [
            new LeadCaptured(
                Guid.CreateVersion7(), workspace, Times.March(1), 1, lead, null, null, "FORM", "demo", Times.March(1), touch, touch, traits,
                null),
            new LeadUpdated(
                Guid.CreateVersion7(), workspace, Times.March(2), 2, lead, "a@example.com", null, "FORM", Times.March(1), touch, touch,
                traits, null),
            new LeadQualified(Guid.CreateVersion7(), workspace, Times.March(3), 1, lead, 61, 1, []),
            new LeadDisqualified(Guid.CreateVersion7(), workspace, Times.March(4), 2, lead, 20, "SCORE_DECAYED"),
            new LeadQualified(Guid.CreateVersion7(), workspace, Times.March(5), 3, lead, 65, 1, []),
            new RevenueMoved(Guid.CreateVersion7(), workspace, Times.March(6), 1, customer, lead, "NEW", new("USD", 10), "MONTHLY"),
            new AdvocateGained(Guid.CreateVersion7(), workspace, Times.March(7), 1, lead, "REVIEW"),
            new CustomerChurned(Guid.CreateVersion7(), workspace, Times.March(8), 2, customer, lead, "Price"),
            new RevenueMoved(
                Guid.CreateVersion7(), workspace, Times.March(9), 3, customer, lead, "REACTIVATION", new("USD", 10), "MONTHLY"),
        ];
    }

    private static async Task Apply(Transaction<ConversionDbContext> tx, Guid lead, ILifecycleEvent e)
    {
        switch (e)
        {
            case LeadCaptured captured:
                await LeadFacts.Capture(tx, await StageLedger.Lock(tx, lead), new(
                    captured.Version, captured.Email, captured.ExternalId, captured.CaptureType, captured.FormType, captured.CreateTime,
                        captured.FirstTouch));
                break;
            case LeadUpdated updated:
                await LeadFacts.Capture(tx, await StageLedger.Lock(tx, lead), new(
                    updated.Version, updated.Email, updated.ExternalId, updated.CaptureType, null, updated.CreateTime, updated.FirstTouch));
                break;
            default:
                await LeadFacts.ApplyOrHold(tx, lead, e);
                break;
        }
    }
}
