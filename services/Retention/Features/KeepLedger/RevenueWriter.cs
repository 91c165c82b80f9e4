using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.KeepLedger;

/// <summary>Writes single entries; those of a workspace that are asked for at the same time go into one transaction.</summary>
public sealed class RevenueWriter(UnitOfWork<RetentionDbContext> work)
{
    private const int MaxTogether = 200;

    // One commit at a time: while it runs the next set comes together, and the larger a set the less an entry costs.
    private const int Concurrent = 1;

    private readonly RequestGatherer<RetentionDbContext, AskedEntry, Revenue> gatherer = new(work, MaxTogether, Concurrent);

    internal Task<Result<Revenue>> Add(
        AddRevenueCommand command, Caller caller, string method, AddRevenueRequest request, CancellationToken ct) => gatherer.Run(
        caller.WorkspaceId, method, request.RequestId, request, new(command, caller), AddRevenueTogether.Run,
        tx => command.Run(tx, caller), ct);
}
