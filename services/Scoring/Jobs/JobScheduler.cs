using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Jobs;

/// <summary>
/// Does what no message starts: scoring by new models, points that begin or end, decay below the threshold. When the next of it is due in a
/// workspace is asked once and remembered; a workspace is asked again when scores or models of it change, which every replica hears. So a
/// workspace in which nothing happens costs nothing but a look every few minutes. Replicas share the work: what one has locked the others
/// pass over.
/// </summary>
public sealed partial class JobScheduler(
    UnitOfWork<ScoringDbContext> work, WorkspaceAgenda agenda, RescoreJob rescore, TimedScoreJob timed, DecayJob decay, ModelStore models,
    IOptions<ScoringOptions> options, TimeProvider time, ILogger<JobScheduler> logger) : BackgroundService
{
    private TimeSpan Pause => TimeSpan.FromSeconds(options.Value.JobPauseSeconds);

    /// <summary>Scores or models of the workspace changed.</summary>
    public void Changed(Guid workspaceId) => agenda.Plan(workspaceId, time.GetUtcNow() + Pause);

    /// <summary>Changes may have passed unseen.</summary>
    public void LookEverywhere() => agenda.LookEverywhere();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var sweep = DateTimeOffset.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var (everywhere, workspaces) = await agenda.Next(sweep, stoppingToken);
                if (everywhere)
                {
                    sweep = time.GetUtcNow().AddSeconds(options.Value.SweepSeconds);
                    await work.ForEachWorkspace(Look, stoppingToken);
                }

                foreach (var workspaceId in workspaces)
                {
                    await Look(workspaceId, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A job outlives whatever goes wrong.
                LogLost(fault);
                agenda.LookEverywhere();
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Look(Guid workspaceId, CancellationToken ct)
    {
        try
        {
            var due = await Due(workspaceId, ct);
            var (now, worked) = (time.GetUtcNow(), false);
            if (due.Rescore)
            {
                worked = true;
                await rescore.Run(workspaceId, ct);
            }

            if (due.TimedTime <= now)
            {
                worked = true;
                await timed.Run(workspaceId, ct);
            }

            if (due.DecayTime <= now)
            {
                worked = true;
                await decay.Run(workspaceId, ct);
            }

            // What somebody else held is found when it is looked for again.
            if ((worked ? now + Pause : Earlier(due.TimedTime, due.DecayTime)) is { } next)
            {
                agenda.Plan(workspaceId, next);
            }
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            // Nothing is forgotten: the rows say what is due.
            LogFailed(workspaceId, fault);
            agenda.Plan(workspaceId, time.GetUtcNow() + Pause);
        }
    }

    /// <summary>What is due in the workspace, and when the next will be. Each part is the first entry of an index.</summary>
    private Task<DueRow> Due(Guid workspaceId, CancellationToken ct) => work.Read(workspaceId, async tx =>
        await tx.Connection.QuerySingleAsync<DueRow>(new CommandDefinition(
            """
            select
                exists (select from lead where workspace_id = @WorkspaceId and generation < @Generation and state is not null) rescore,
                least(
                    (select min(next_time) from lead where workspace_id = @WorkspaceId and next_time is not null),
                    (select min(next_time) from score where workspace_id = @WorkspaceId and next_time is not null)) timed_time,
                least(
                    (select min(due_time) from lead where workspace_id = @WorkspaceId and due_time > @Now),
                    (select min(change_time) + @quiet from lead where workspace_id = @WorkspaceId and due_time <= @Now)) decay_time
            """,
            new
            {
                tx.WorkspaceId,
                tx.Now,
                (await models.InForce(tx)).Generation,
                quiet = TimeSpan.FromSeconds(options.Value.DecayQuietSeconds)
            },
            cancellationToken: ct)), ct);

    private static DateTimeOffset? Earlier(DateTimeOffset? left, DateTimeOffset? right) => right < left || left is null ? right : left;

    [LoggerMessage(4241, LogLevel.Warning, "Jobs of workspace {WorkspaceId} failed and come back")]
    private partial void LogFailed(Guid workspaceId, Exception fault);

    [LoggerMessage(4242, LogLevel.Warning, "The workspaces could not be asked for; jobs come back")]
    private partial void LogLost(Exception fault);

    private sealed class DueRow
    {
        public bool Rescore { get; init; }

        public DateTimeOffset? TimedTime { get; init; }

        public DateTimeOffset? DecayTime { get; init; }
    }
}
