using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Consumers;

/// <summary>A won opportunity makes the customer and its first entry; a later one is an upsell.</summary>
public sealed class RevenueBookedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<RevenueBooked, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, RevenueBooked e)
    {
        var customer = e.LeadId is { } leadId
            ? await CustomerLedger.OfLead(tx, leadId, e.CloseTime, e.Account)
            : await CustomerLedger.OfAccount(tx, e.Account ?? e.OpportunityId.ToString(), e.CloseTime);
        var first = !await tx.Db.Revenue.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.CustomerId == customer.Id && row.Type == RevenueType.New, tx.CancellationToken);
        await CustomerLedger.Append(
            tx, customer, first ? RevenueType.New : RevenueType.Upsell, new Money(e.Amount.CurrencyCode, e.Amount.Amount), Recurrence.OneOff, e.CloseTime,
            $"opportunity:{e.OpportunityId}");
    }
}

/// <summary>A lead that became a customer has a customer here, also where nothing was booked (an imported one).</summary>
public sealed class LeadStageChangedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<LeadStageChanged, RetentionDbContext>(work)
{
    protected override Task Handle(Transaction<RetentionDbContext> tx, LeadStageChanged e) =>
        e.To == Stage.Customer.Name() ? CustomerLedger.OfLead(tx, e.LeadId, e.OccurredAt, account: null) : Task.CompletedTask;
}
