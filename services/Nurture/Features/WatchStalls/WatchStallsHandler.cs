using Dapper;
using Lifecycle.Nurture.Features.AdvanceEnrollments;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.WatchStalls;

/// <summary>
/// Finds enrollments whose step has been over for long and that nobody moves, keeps why, and moves them: those that are free by itself,
/// with growing pauses; where a worker holds them and does not answer, it ends that worker's session, so that the others get at them.
/// </summary>
/// <remarks>
/// A worker that is killed holds nothing: its session ends with it. What hangs is a process that is stopped or cut off, whose session the
/// database would keep for hours. What fails by itself (a step, a call, a mail) comes again by its own pauses and needs no watchdog; the
/// report reads it where it stands.
/// </remarks>
internal sealed partial class WatchStallsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    AdvanceEnrollmentsHandler advance,
    IOptions<NurtureOptions> options,
    TimeProvider time,
    NurtureTelemetry telemetry,
    ILogger<WatchStallsHandler> logger) : IWatchWork
{
    /// <summary>Enrollments that one look takes up; those that stand still longest come first.</summary>
    private const int MaxFound = 1_000;

    private readonly Dictionary<Guid, DateTimeOffset> looked = [];

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (looked.TryGetValue(workspaceId, out var last) && now - last < TimeSpan.FromSeconds(options.Value.WatchSeconds))
        {
            return false;
        }

        looked[workspaceId] = now;
        IReadOnlyList<Guid> free = [];
        await unitOfWork.Run(workspaceId, async tx => free = await Look(tx), ct);
        foreach (var enrollment in free)
        {
            await advance.Resume(workspaceId, enrollment, ct);
        }

        return false;
    }

    /// <returns>Enrollments to take on now.</returns>
    private async Task<IReadOnlyList<Guid>> Look(Transaction<NurtureDbContext> tx)
    {
        if (!await tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select pg_try_advisory_xact_lock(hashtextextended('stall:' || @workspace::text, 0))",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken)))
        {
            // Another replica looks at this moment; two would take each other's locks for those of a worker that hangs.
            return [];
        }

        await CloseEnded(tx);
        // By the partial index on (workspace_id, due_time), from its head.
        var overdue = (await tx.Connection.QueryAsync<Overdue>(new CommandDefinition(
            """
            select e.id, e.lead_id, e.program_id, e.step_id, e.visit, e.due_time
            from enrollment e join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
            where e.workspace_id = @workspace and e.state = 'ACTIVE' and not e.held and e.due_time < @late and p.state = 'ACTIVE'
            order by e.due_time limit @limit
            """,
            new { workspace = tx.WorkspaceId, late = Late(tx), limit = MaxFound },
            cancellationToken: tx.CancellationToken))).AsList();
        if (overdue.Count == 0)
        {
            return [];
        }

        var free = await Free(tx, overdue);
        if (await Keep(tx, overdue, free) is > 0 and var found)
        {
            LogFound(tx.WorkspaceId, found, overdue[0].DueTime);
        }

        if (free.Count < overdue.Count && await EndHangingSessions(tx) is > 0 and var ended)
        {
            LogSessionsEnded(ended, options.Value.HangSeconds);
        }

        return (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            """
            update stall set tries = tries + 1, next_time = @now + least(interval '30 seconds' * power(2, least(tries, 10)), interval '1 hour')
            where workspace_id = @workspace and end_time is null and next_time <= @now and enrollment_id = any(@free) returning enrollment_id
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, free = free.ToArray() },
            cancellationToken: tx.CancellationToken))).AsList();
    }

    /// <summary>What has gone on since, or left. One that now fails by itself stands still still.</summary>
    private async Task CloseEnded(Transaction<NurtureDbContext> tx)
    {
        var ended = await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update stall s set end_time = @now
            where s.workspace_id = @workspace and s.end_time is null and not exists (
              select 1 from enrollment e join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
              where e.workspace_id = @workspace and e.id = s.enrollment_id and e.state = 'ACTIVE' and not e.held and p.state = 'ACTIVE'
                and e.step_id = s.step_id and e.visit = s.visit and (e.due_time < @late or e.fault is not null))
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, late = Late(tx) },
            cancellationToken: tx.CancellationToken));
        telemetry.StallsEnded.Add(ended);
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            "delete from stall where workspace_id = @workspace and end_time < @before",
            new { workspace = tx.WorkspaceId, before = tx.Now.AddDays(-options.Value.ActivityDays).UtcDateTime },
            cancellationToken: tx.CancellationToken));
    }

    /// <summary>Those that no other transaction holds: neither the enrollment itself nor its lead.</summary>
    private static async Task<HashSet<Guid>> Free(Transaction<NurtureDbContext> tx, List<Overdue> overdue)
    {
        var parameters = new
        {
            workspace = tx.WorkspaceId,
            ids = overdue.Select(one => one.Id).ToArray(),
            leads = overdue.Select(one => one.LeadId).Distinct().ToArray(),
        };
        var enrollments = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            "select id from enrollment where workspace_id = @workspace and id = any(@ids) for update skip locked",
            parameters,
            cancellationToken: tx.CancellationToken))).ToHashSet();
        var leads = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            "select lead_id from lead where workspace_id = @workspace and lead_id = any(@leads) for update skip locked",
            parameters,
            cancellationToken: tx.CancellationToken))).ToHashSet();
        return overdue.Where(one => enrollments.Contains(one.Id) && leads.Contains(one.LeadId)).Select(one => one.Id).ToHashSet();
    }

    /// <summary>
    /// A worker holds a batch for a moment: only who is found held again, a look later, is held by one that hangs. And the workers get that
    /// long to take on the others by themselves.
    /// </summary>
    /// <returns>How many were not known before.</returns>
    private async Task<int> Keep(Transaction<NurtureDbContext> tx, List<Overdue> overdue, HashSet<Guid> free)
    {
        // xmax is 0 for rows that were inserted, not updated.
        var isNew = (await tx.Connection.QueryAsync<bool>(new CommandDefinition(
            """
            insert into stall (workspace_id, id, enrollment_id, program_id, step_id, visit, reason, due_time, find_time, tries, next_time)
            select @workspace, o.id, o.enrollment_id, o.program_id, o.step_id, o.visit, 'NOT_TAKEN', o.due_time, @now, 0, @next
            from unnest(@ids, @enrollments, @programs, @steps, @visits, @dues) o(id, enrollment_id, program_id, step_id, visit, due_time)
            on conflict (workspace_id, enrollment_id) where end_time is null
            do update set reason = case when stall.enrollment_id = any(@free) then 'NOT_TAKEN' else 'WORKER_HANGS' end
            returning xmax = 0
            """,
            new
            {
                workspace = tx.WorkspaceId,
                now = tx.Now,
                next = tx.Now.AddSeconds(options.Value.WatchSeconds),
                ids = overdue.ConvertAll(_ => tx.NewId()).ToArray(),
                enrollments = overdue.ConvertAll(one => one.Id).ToArray(),
                programs = overdue.ConvertAll(one => one.ProgramId).ToArray(),
                steps = overdue.ConvertAll(one => one.StepId).ToArray(),
                visits = overdue.ConvertAll(one => one.Visit).ToArray(),
                dues = overdue.ConvertAll(one => one.DueTime.UtcDateTime).ToArray(),
                free = free.ToArray(),
            },
            cancellationToken: tx.CancellationToken))).Count(isNewRow => isNewRow);
        telemetry.StallsFound.Add(isNew);
        return isNew;
    }

    /// <summary>
    /// Ends this service's sessions that idle within a transaction for longer than any worker does. Their transactions roll back.
    /// </summary>
    private Task<int> EndHangingSessions(Transaction<NurtureDbContext> tx) => tx.Connection.ExecuteScalarAsync<int>(new CommandDefinition(
        """
        select count(*) filter (where pg_terminate_backend(pid))::integer from pg_stat_activity
        where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
          and state = 'idle in transaction' and state_change < clock_timestamp() - make_interval(secs => @seconds)
        """,
        new { seconds = (double)options.Value.HangSeconds },
        cancellationToken: tx.CancellationToken));

    private DateTime Late(Transaction<NurtureDbContext> tx) => tx.Now.AddSeconds(-options.Value.StallSeconds).UtcDateTime;

    [LoggerMessage(4131, LogLevel.Warning, "{Count} enrollments of workspace {WorkspaceId} stand still, the longest since {DueTime}")]
    private partial void LogFound(Guid workspaceId, int count, DateTimeOffset dueTime);

    [LoggerMessage(4132, LogLevel.Warning, "Ended {Count} database sessions that held leads and did nothing for {Seconds} s")]
    private partial void LogSessionsEnded(int count, int seconds);

    private sealed class Overdue
    {
        public Guid Id { get; init; }

        public Guid LeadId { get; init; }

        public Guid ProgramId { get; init; }

        public string StepId { get; init; } = "";

        public int Visit { get; init; }

        public DateTimeOffset DueTime { get; init; }
    }
}
