using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Contracts;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Consumers;

/// <summary>Keeps a service's receipt of an erasure.</summary>
internal sealed class LeadErasureConfirmedConsumer(UnitOfWork<CaptureDbContext> work)
    : EventConsumer<LeadErasureConfirmed, CaptureDbContext>(work)
{
    protected override Task Handle(Transaction<CaptureDbContext> tx, LeadErasureConfirmed e) => ErasureReceipts.Take(tx, e);
}
