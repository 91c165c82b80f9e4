using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.ManageSegments;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lifecycle.Nurture.Features.AdvanceEnrollments;

/// <summary>
/// Moves enrollments whose step is over. One transaction moves a batch: the next timer, the visits for the report, the queued mails,
/// webhooks and calls and the events commit together, so that a killed worker leaves either nothing or all of it.
/// </summary>
internal sealed partial class AdvanceEnrollmentsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    ProgramStore programs,
    EndEnrollments ends,
    ChangeListHandler lists,
    IOptions<NurtureOptions> options,
    WorkSignal signal,
    NurtureTelemetry telemetry,
    ILogger<AdvanceEnrollmentsHandler> logger) : ITimerWork
{
    /// <summary>Rows up to which a batch reads past leads that others hold.</summary>
    private const int LargestBatch = 10_000;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromHours(1);

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        try
        {
            for (var limit = options.Value.BatchSize; ; limit *= 4)
            {
                var (count, moved) = await Run(workspaceId, limit, ct);
                if (moved > 0 || count < limit || limit >= LargestBatch)
                {
                    return moved > 0 && count >= limit;
                }

                // Others hold every lead at the queue's head: they must not hold up those behind.
            }
        }
        catch (Exception fault) when (!ct.IsCancellationRequested && fault is not NpgsqlException { IsTransient: true })
        {
            // Something in the batch cannot be moved. One by one, the rest goes on and the culprit is put off.
            LogBatchFailed(workspaceId, fault.GetBaseException().Message, fault);
            for (var one = 0; one < options.Value.BatchSize && await RunOne(workspaceId, ct); one++)
            {
                ct.ThrowIfCancellationRequested();
            }

            return true;
        }
    }

    /// <summary>
    /// Moves one enrollment that stands still. Whatever is in its way is kept with it and puts it off, also what would pass for a moment's
    /// fault: it has stood still for longer than that.
    /// </summary>
    public async Task Resume(Guid workspaceId, Guid enrollmentId, CancellationToken ct)
    {
        DueEnrollment? tried = null;
        try
        {
            await Run(workspaceId, 1, ct, due => tried = due, enrollmentId);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested && tried is not null)
        {
            await unitOfWork.Run(workspaceId, tx => Fail(tx, tried, fault), ct);
        }
    }

    private async Task<bool> RunOne(Guid workspaceId, CancellationToken ct)
    {
        DueEnrollment? tried = null;
        try
        {
            return (await Run(workspaceId, 1, ct, due => tried = due)).Count > 0;
        }
        catch (Exception fault)
            when (!ct.IsCancellationRequested && fault is not NpgsqlException { IsTransient: true } && tried is not null)
        {
            await unitOfWork.Run(workspaceId, tx => Fail(tx, tried, fault), ct);
            return true;
        }
    }

    private async Task<(int Count, int Moved)> Run(
        Guid workspaceId, int limit, CancellationToken ct, Action<DueEnrollment>? trying = null, Guid? only = null)
    {
        var (count, moved, steps, mails) = (0, 0, 0, 0);
        await unitOfWork.Run(
            workspaceId,
            (tx, batch) => DueEnrollments.Open(tx, batch, limit, only),
            async (tx, results) =>
            {
                var (due, workspace) = await DueEnrollments.Read(results, ct);
                await results.DisposeAsync();
                (count, moved) = (due.Count, 0);
                if (due.Count > 0)
                {
                    trying?.Invoke(due[0]);
                    (moved, steps, mails) = await Move(tx, due, workspace);
                }
            },
            ct);
        telemetry.StepsCompleted.Add(steps);
        if (mails > 0)
        {
            signal.Ring(workspaceId);
        }

        return (count, moved);
    }

    private async Task<(int Moved, int Steps, int Mails)> Move(
        Transaction<NurtureDbContext> tx, List<DueEnrollment> due, WorkspaceRules workspace)
    {
        var paths = await programs.Paths(
            tx, due.Where(enrollment => enrollment.Runs).Select(enrollment => (enrollment.ProgramId, enrollment.PathVersion)));
        var needs = PathNeeds.Of(paths.Values, workspace.Policy);
        var leads = needs.Leads
            ? await DueEnrollments.Leads(tx, due.ConvertAll(enrollment => enrollment.LeadId), needs.Locks)
            : new Dictionary<Guid, LeadRow>();
        var batch = new AdvanceBatch(tx);
        var sent = needs.Sendings
            ? await DueEnrollments.Sendings(tx, leads.Keys, workspace.Policy)
            : Enumerable.Empty<(Guid LeadId, DateTimeOffset Time)>().ToLookup(mail => mail.LeadId, mail => mail.Time);
        var reads = await ProgramReads.Load(
            tx, programs, due.Where(enrollment => enrollment.Runs).Select(enrollment => new ProgramReader(
                enrollment.Id, enrollment.LeadId,
                paths.GetValueOrDefault((enrollment.ProgramId, enrollment.PathVersion)), enrollment.StepId)));
        var sendings = new Dictionary<Guid, LeadSendings>();
        var busy = 0;
        foreach (var enrollment in due)
        {
            if (!enrollment.Runs)
            {
                batch.Hold(enrollment.Id);
                continue;
            }

            if (needs.Locks && !leads.ContainsKey(enrollment.LeadId))
            {
                // Something happens to the lead at this moment; the next round sees it.
                busy++;
                continue;
            }

            var path = paths[(enrollment.ProgramId, enrollment.PathVersion)];
            if (!sendings.TryGetValue(enrollment.LeadId, out var mailed))
            {
                sendings.Add(enrollment.LeadId, mailed = new LeadSendings(workspace.Policy, sent[enrollment.LeadId]));
            }

            var lead = new ProgramLead(
                leads.GetValueOrDefault(enrollment.LeadId), enrollment.LeadId, tx.Now, workspace.Zone, programs, mailed)
            {
                IsTransactional = path.IsTransactional,
                Reads = reads,
                EnrollmentId = enrollment.Id,
            };
            try
            {
                batch.Add(enrollment, EnrollmentEngine.Advance(path, enrollment.Position, tx.Now, lead), leads.GetValueOrDefault(
                    enrollment.LeadId));
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                await Fail(tx, enrollment, fault);
            }
        }

        batch.Write();
        if (batch.HandedToSales.Count > 0 || batch.ListChanges.Count > 0)
        {
            await tx.Flush();
        }

        await ChangeLists(tx, batch.ListChanges);

        foreach (var (leadId, enrollmentId) in batch.HandedToSales)
        {
            await ends.HandedToSales(tx, leadId, enrollmentId);
        }

        return (due.Count - busy, batch.CompletedSteps, batch.QueuedMails + batch.QueuedCalls);
    }

    /// <summary>
    /// With all that follows: events, segments that ask for the list, programs. A list that is gone since is passed over.
    /// </summary>
    private async Task ChangeLists(Transaction<NurtureDbContext> tx, List<(Guid List, Guid LeadId, bool Adds)> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        var ids = changes.Select(change => change.List).Distinct().ToList();
        var there = await tx.Db.Segments.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id) && row.IsList)
            .Select(row => row.Id).ToListAsync(tx.CancellationToken);
        foreach (var change in changes.GroupBy(change => (change.List, change.Adds)).Where(change => there.Contains(change.Key.List)))
        {
            await lists.Change(tx, change.Key.List, [.. change.Select(one => one.LeadId).Distinct()], change.Key.Adds);
        }
    }

    private async Task Fail(Transaction<NurtureDbContext> tx, DueEnrollment enrollment, Exception fault)
    {
        var pause = TimeSpan.FromSeconds(
            Math.Min(FirstRetry.TotalSeconds * Math.Pow(2, Math.Min(enrollment.Attempts, 20)), LongestRetry.TotalSeconds));
        LogStepFailed(enrollment.Id, enrollment.StepId, pause, fault.GetBaseException().Message, fault);
        await DueEnrollments.Fail(tx, enrollment.Id, fault.GetBaseException().Message, tx.Now + pause);
    }

    [LoggerMessage(4111, LogLevel.Error, "A batch of due steps of workspace {WorkspaceId} failed; its enrollments go one by one: {Reason}")]
    private partial void LogBatchFailed(Guid workspaceId, string reason, Exception fault);

    [LoggerMessage(4112, LogLevel.Error, "Enrollment {EnrollmentId} cannot leave step {StepId} and tries again in {Pause}: {Reason}")]
    private partial void LogStepFailed(Guid enrollmentId, string stepId, TimeSpan pause, string reason, Exception fault);
}

/// <summary>What the paths of a batch need to know of leads.</summary>
/// <param name="Leads">Their rows.</param>
/// <param name="Locks">Their rows, locked.</param>
/// <param name="Sendings">When they were mailed.</param>
internal readonly record struct PathNeeds(bool Leads, bool Locks, bool Sendings)
{
    public static PathNeeds Of(IEnumerable<ProgramPath> paths, SendingPolicy policy)
    {
        var (leads, locks, sendings) = (false, false, false);
        foreach (var path in paths)
        {
            foreach (var step in path.Steps)
            {
                leads |= step is not (SendEmailStep or WaitStep or SplitStep or GoalStep or ExitStep);
                locks |= step is WaitEventStep or UpdateTraitStep or UpdateListStep or NotifyStep or HandToSalesStep;
                // Two programs that mail one lead at the same moment count each other's mail only in turn.
                sendings |= step is SendEmailStep && !path.IsTransactional && policy.Caps.Count > 0;
                leads |= step is SendEmailStep && !path.IsTransactional && policy.QuietFrom is not null;
            }
        }

        return new(leads || locks || sendings, locks || sendings, sendings);
    }
}
