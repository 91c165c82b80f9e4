using Lifecycle.Contracts;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Consumers;

/// <summary>The score crossed the threshold: MQL, and an offer to sales. Of a lead at SQL or beyond it says nothing new.</summary>
public sealed class LeadQualifiedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<LeadQualified, ConversionDbContext>(work)
{
    protected override Task Handle(Transaction<ConversionDbContext> tx, LeadQualified e) => LeadFacts.ApplyOrHold(tx, e.LeadId, e);
}

/// <summary>The score fell: back to LEAD, as long as sales have not accepted.</summary>
public sealed class LeadDisqualifiedConsumer(UnitOfWork<ConversionDbContext> work)
    : EventConsumer<LeadDisqualified, ConversionDbContext>(work)
{
    protected override Task Handle(Transaction<ConversionDbContext> tx, LeadDisqualified e) => LeadFacts.ApplyOrHold(tx, e.LeadId, e);
}

/// <summary>A recommendation makes a customer an ADVOCATE; of anyone else it is remembered until the first sale.</summary>
public sealed class AdvocateGainedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<AdvocateGained, ConversionDbContext>(work)
{
    protected override Task Handle(Transaction<ConversionDbContext> tx, AdvocateGained e) => LeadFacts.ApplyOrHold(tx, e.LeadId, e);
}

/// <summary>A customer left. Customers without a lead have no stage.</summary>
public sealed class CustomerChurnedConsumer(UnitOfWork<ConversionDbContext> work)
    : EventConsumer<CustomerChurned, ConversionDbContext>(work)
{
    protected override Task Handle(Transaction<ConversionDbContext> tx, CustomerChurned e) =>
        e.LeadId is { } leadId ? LeadFacts.ApplyOrHold(tx, leadId, e) : Task.CompletedTask;
}

/// <summary>First revenue or a reactivation makes a customer; other movements do not touch the stage.</summary>
public sealed class RevenueMovedConsumer(UnitOfWork<ConversionDbContext> work) : EventConsumer<RevenueMoved, ConversionDbContext>(work)
{
    protected override Task Handle(Transaction<ConversionDbContext> tx, RevenueMoved e) =>
        e is { LeadId: { } leadId, Type: "NEW" or "REACTIVATION" } ? LeadFacts.ApplyOrHold(tx, leadId, e) : Task.CompletedTask;
}
