using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Consumers;

/// <summary>A won opportunity makes the customer and its first entry; a later one is an upsell.</summary>
public sealed class RevenueBookedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<RevenueBooked, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, RevenueBooked e)
    {
        var rates = await CurrencyRates.Of(tx, e.Amount.CurrencyCode);
        await Bookings.Book(
            tx, rates, new()
            {
                WorkspaceId = tx.WorkspaceId,
                OpportunityId = e.OpportunityId,
                LeadId = e.LeadId,
                Account = e.Account,
                Amount = e.Amount.Amount,
                CurrencyCode = e.Amount.CurrencyCode,
                CloseTime = e.CloseTime
            });
    }
}

/// <summary>Keeps how the opportunities end that suggestions opened.</summary>
public sealed class OpportunityChangedConsumer(UnitOfWork<RetentionDbContext> work)
    : EventConsumer<OpportunityChanged, RetentionDbContext>(work)
{
    protected override Task Handle(Transaction<RetentionDbContext> tx, OpportunityChanged e) =>
        Bookings.Decide(tx, e.OpportunityId, e.State is "WON" or "LOST" ? e.State : "", e.Version);
}

/// <summary>
/// Keeps how far a lead came. One that became a customer has a customer here, also where nothing was booked (an imported one).
/// </summary>
public sealed class LeadStageChangedConsumer(UnitOfWork<RetentionDbContext> work)
    : EventConsumer<LeadStageChanged, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, LeadStageChanged e)
    {
        if (StageNames.TryParse(e.To, out var stage) && stage is >= Stage.Mql and <= Stage.Advocate)
        {
            await LeadProfiles.Reach(tx, e.LeadId, stage);
        }

        if (stage == Stage.Customer)
        {
            await CustomerLedger.OfLead(tx, e.LeadId, e.OccurredAt, account: null);
        }
    }
}
