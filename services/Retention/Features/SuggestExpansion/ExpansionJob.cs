using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.SuggestExpansion;

/// <summary>Holds every customer against the rules again and again.</summary>
public sealed class ExpansionJob(
    UnitOfWork<RetentionDbContext> work, ExpansionEvaluator evaluator, IOptions<RetentionOptions> options, TimeProvider time,
    ILogger<ExpansionJob> logger)
    : WorkspaceJob<RetentionDbContext>(work, TimeSpan.FromMinutes(options.Value.ExpansionPauseMinutes), time, logger)
{
    protected override bool BeginsAtOnce => false;

    protected override Task Run(Guid workspaceId, CancellationToken ct) => evaluator.Run(workspaceId, ct);
}
