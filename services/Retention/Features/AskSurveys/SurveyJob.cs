using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.AskSurveys;

/// <summary>Finds and decides occasions in every workspace. Every replica runs it; rows are shared out by <c>SKIP LOCKED</c>.</summary>
internal sealed partial class SurveyJob(
    UnitOfWork<RetentionDbContext> work, SendInvitations invitations, IOptions<RetentionOptions> options, TimeProvider time, ILogger<SurveyJob> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work.ForEachWorkspace(Run, stoppingToken);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                LogRoundFailed(fault.GetBaseException().Message, fault);
            }

            await Task.Delay(TimeSpan.FromSeconds(options.Value.SurveyPollSeconds), time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task Run(Guid workspaceId, CancellationToken ct)
    {
        try
        {
            await UntilDone(workspaceId, SurveyOccasions.FindByTime, ct);
            await UntilDone(workspaceId, invitations.Send, ct);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            // One workspace's fault holds up no other.
            LogFailed(workspaceId, fault.GetBaseException().Message, fault);
        }
    }

    private async Task UntilDone(Guid workspaceId, Func<Transaction<RetentionDbContext>, Task<bool>> batch, CancellationToken ct)
    {
        var more = true;
        while (more && !ct.IsCancellationRequested)
        {
            await work.Run(workspaceId, async tx => more = await batch(tx), ct);
        }
    }

    [LoggerMessage(6301, LogLevel.Error, "Surveys of workspace {WorkspaceId} were not asked and come again: {Reason}")]
    private partial void LogFailed(Guid workspaceId, string reason, Exception fault);

    [LoggerMessage(6302, LogLevel.Error, "Surveys found no workspaces and come again: {Reason}")]
    private partial void LogRoundFailed(string reason, Exception fault);
}
