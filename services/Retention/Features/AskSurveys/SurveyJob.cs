using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>Finds and decides occasions in every workspace. Every replica runs it; rows are shared out by <c>SKIP LOCKED</c>.</summary>
internal sealed class SurveyJob(
    UnitOfWork<RetentionDbContext> work, SendInvitations invitations, IOptions<RetentionOptions> options, TimeProvider time,
    ILogger<SurveyJob> logger)
    : WorkspaceJob<RetentionDbContext>(work, TimeSpan.FromSeconds(options.Value.SurveyPollSeconds), time, logger)
{
    protected override async Task Run(Guid workspaceId, CancellationToken ct)
    {
        await UntilDone(workspaceId, SurveyOccasions.FindByTime, ct);
        await UntilDone(workspaceId, invitations.Send, ct);
    }

    private async Task UntilDone(Guid workspaceId, Func<Transaction<RetentionDbContext>, Task<bool>> batch, CancellationToken ct)
    {
        for (var more = true; more && !ct.IsCancellationRequested;)
        {
            await Work.Run(workspaceId, async tx => more = await batch(tx), ct);
        }
    }
}
