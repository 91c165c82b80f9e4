using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>
/// Holds customers against the rule of advocates again and again: what makes one may come by an event, an answer, a sale, a merge or
/// another rule.
/// </summary>
public sealed class AdvocateJob(
    UnitOfWork<RetentionDbContext> work, IOptions<RetentionOptions> options, TimeProvider time, ILogger<AdvocateJob> logger)
    : WorkspaceJob<RetentionDbContext>(work, TimeSpan.FromSeconds(options.Value.AdvocatePauseSeconds), time, logger)
{
    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        for (var count = GainAdvocates.PageSize; count == GainAdvocates.PageSize;)
        {
            await Work.Run(workspaceId, async tx => count = await GainAdvocates.Run(tx, null), ct);
        }
    }
}
