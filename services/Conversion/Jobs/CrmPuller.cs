using Lifecycle.Conversion.Features.SyncCrm;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Jobs;

/// <summary>Looks for connections that are due to pull, round by round.</summary>
public sealed class CrmPuller(
    PullCrm pull, UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options, TimeProvider time, ILogger<CrmPuller> logger)
    : WorkspaceJob<ConversionDbContext>(work, TimeSpan.FromSeconds(options.Value.CrmPollSeconds), time, logger)
{
    protected override Task Run(Guid workspaceId, CancellationToken ct) => pull.Handle(workspaceId, ct);
}
