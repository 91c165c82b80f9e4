using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.AdvanceEnrollments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.EnrollLead;

/// <summary>Lets leads into programs. The lead's row is locked by the caller, so that no two entries of one lead race.</summary>
internal sealed class EnrollLeadHandler(ProgramStore programs, WorkSignal signal)
{
    /// <summary>Enters each lead wherever one of its causes admits it.</summary>
    public async Task EnterAll(
        Transaction<NurtureDbContext> tx, IReadOnlyCollection<(LeadRow Lead, IReadOnlyCollection<EntryCause> Causes)> leads)
    {
        var entering = leads.Where(lead => lead is { Causes.Count: > 0, Lead: { EraseTime: null, MergedInto: null } }).ToList();
        var active = entering.Count == 0 ? [] : await programs.Active(tx);
        foreach (var (lead, causes) in entering)
        {
            await EnterAll(tx, active, lead, causes);
        }
    }

    private async Task EnterAll(
        Transaction<NurtureDbContext> tx, IReadOnlyList<ActiveProgram> active, LeadRow lead, IReadOnlyCollection<EntryCause> causes)
    {
        var stage = StageNames.TryParse(lead.Stage, out var known) ? known : (Stage?)null;
        foreach (var program in active)
        {
            // Each key enters by itself; without keys all causes are one.
            foreach (var alike in causes.GroupBy(cause => program.Path.KeyOf(cause)))
            {
                if (alike.Select(cause => program.Path.Admits(cause, stage, tx.Now, Holds))
                    .FirstOrDefault(admits => admits is not null) is { } trigger)
                {
                    await Enter(tx, program, lead, trigger.Name, alike.Key);
                }
            }
        }
    }

    /// <summary>Enters the lead unless the re-entry rule forbids it. FAILED_PRECONDITION says why not.</summary>
    /// <param name="tx">The transaction, which holds the lead's row locked.</param>
    /// <param name="program">Where to.</param>
    /// <param name="lead">Who.</param>
    /// <param name="trigger">Name of what made the lead enter.</param>
    /// <param name="key">Key of the enrollment, for a program with re-entry per key; else empty.</param>
    /// <param name="start">When the first step begins; null: now.</param>
    public async Task<Result<EnrollmentRow>> Enter(
        Transaction<NurtureDbContext> tx, ActiveProgram program, LeadRow lead, string trigger, string key = "",
        DateTimeOffset? start = null)
    {
        var (last, isIn, hasKey, zone) = await tx.Connection.QuerySingleAsync<(int Last, bool IsIn, bool HasKey, string? Zone)>(
            new CommandDefinition(
            """
            select coalesce(max(occurrence), 0), coalesce(bool_or(state = 'ACTIVE'), false), coalesce(bool_or(key = @key), false),
              (select time_zone from workspace where id = @workspace)
            from enrollment where workspace_id = @workspace and program_id = @program and lead_id = @lead
            """,
            new { workspace = tx.WorkspaceId, program = program.Id, lead = lead.LeadId, key },
            cancellationToken: tx.CancellationToken));
        switch (program.Path.Reentry)
        {
            case Reentry.PerKey when hasKey:
                return Error.Precondition($"The lead has been in the program with the key {key}, and its re-entry rule is PER_KEY.");
            case not Reentry.PerKey when isIn:
                return Error.Precondition("The lead is in the program already.");
            case Reentry.Never when last > 0:
                return Error.Precondition("The lead has been in the program, and its re-entry rule is NEVER.");
        }

        if (HoldOut.Holds(program.Id, lead.LeadId, program.Path.HoldOutPercent))
        {
            return await HoldLeadOut(tx, program.Id, lead.LeadId, trigger, last + 1);
        }

        var workspaceZone = zone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? found : TimeZoneInfo.Utc;
        var engineLead = new ProgramLead(lead, lead.LeadId, tx.Now, workspaceZone, programs, new(SendingPolicy.None, []));
        var begin = EnrollmentEngine.Begin(program.Path, start ?? tx.Now, engineLead, out var waitsFor);
        var row = new EnrollmentRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            ProgramId = program.Id,
            LeadId = lead.LeadId,
            Occurrence = last + 1,
            State = EnrollmentRow.Active,
            Key = key,
            PathVersion = program.Version,
            StepId = begin.StepId,
            StepTime = begin.EnterTime,
            DueTime = begin.DueAt,
            WaitsFor = waitsFor,
            Trigger = trigger,
            EnterTime = tx.Now,
        };
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            with entered as (
              insert into enrollment
                (workspace_id, id, program_id, lead_id, occurrence, state, key, path_version, step_id, visit, step_time, due_time, waits_for,
                 attempts, held, version, trigger, enter_time)
              values (@WorkspaceId, @Id, @ProgramId, @LeadId, @Occurrence, @State, @Key, @PathVersion, @StepId, 0, @StepTime, @DueTime, @WaitsFor,
                 0, false, 0, @Trigger, @EnterTime))
            insert into step_visit (workspace_id, enrollment_id, step_id, visit, program_id, enter_time)
            values (@WorkspaceId, @Id, @StepId, 0, @ProgramId, @EnterTime)
            """,
            row,
            cancellationToken: tx.CancellationToken));
        signal.Ring(tx.WorkspaceId);
        return row;
    }

    /// <summary>Keeps that the lead would have entered, once: its control group is compared with those that did.</summary>
    private static async Task<Result<EnrollmentRow>> HoldLeadOut(
        Transaction<NurtureDbContext> tx, Guid programId, Guid leadId, string trigger, int occurrence)
    {
        var row = new EnrollmentRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            ProgramId = programId,
            LeadId = leadId,
            Occurrence = occurrence,
            State = EnrollmentRow.HeldOut,
            Trigger = trigger,
            EnterTime = tx.Now,
        };
        var isNew = await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into enrollment (workspace_id, id, program_id, lead_id, occurrence, state, held, version, trigger, enter_time)
            select @WorkspaceId, @Id, @ProgramId, @LeadId, @Occurrence, @State, false, 0, @Trigger, @EnterTime
            where not exists (
              select 1 from enrollment where workspace_id = @WorkspaceId and program_id = @ProgramId and lead_id = @LeadId and state = @State)
            """,
            row,
            cancellationToken: tx.CancellationToken)) == 1;
        return isNew ? row : Error.Precondition("The lead is held out of the program, as part of its control group.");
    }

    /// <summary>
    /// Leads did something that enrollments wait for: their steps are due, and go on as after the event. What lies before the lead came to
    /// the step, or after the wait was over, does not count. The leads' rows are locked by the caller, and an advance that begins such a
    /// wait locks them too: none falls between.
    /// </summary>
    public async Task Happened(Transaction<NurtureDbContext> tx, IReadOnlyCollection<(Guid LeadId, ActivityFacts Activity)> activities)
    {
        var waiting = (await tx.Connection.QueryAsync<WaitingEnrollment>(new CommandDefinition(
            """
            select e.id, e.program_id, e.lead_id, e.key, e.step_id, e.step_time, e.due_time, e.waits_for,
              case when e.path_version = 0 then p.version else e.path_version end as path_version
            from enrollment e join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
            where e.workspace_id = @workspace and e.lead_id = any(@leads) and e.state = 'ACTIVE' and e.waits_for = any(@names)
            order by e.id for update of e
            """,
            new
            {
                workspace = tx.WorkspaceId,
                leads = activities.Select(activity => activity.LeadId).Distinct().ToArray(),
                names = activities.Select(activity => activity.Activity.Name).Distinct().ToArray(),
            },
            cancellationToken: tx.CancellationToken))).AsList();
        if (waiting.Count == 0)
        {
            return;
        }

        var paths = await programs.Paths(tx, waiting.Select(enrollment => (enrollment.ProgramId, enrollment.PathVersion)));
        foreach (var enrollment in waiting)
        {
            var path = paths[(enrollment.ProgramId, enrollment.PathVersion)];
            if (path.Steps.FirstOrDefault(step => step.Id == enrollment.StepId) is WaitEventStep wait
                && activities.Where(did => did.LeadId == enrollment.LeadId && Ends(did.Activity, wait, enrollment, tx.Now))
                    .Select(did => (DateTimeOffset?)did.Activity.Time).Min() is { } time)
            {
                await tx.Connection.ExecuteAsync(new CommandDefinition(
                    "update enrollment set event_time = @time, due_time = @now, waits_for = null where workspace_id = @workspace and id = @id",
                    new { workspace = tx.WorkspaceId, id = enrollment.Id, time, now = tx.Now },
                    cancellationToken: tx.CancellationToken));
                signal.Ring(tx.WorkspaceId);
            }
        }
    }

    private bool Ends(ActivityFacts activity, WaitEventStep wait, WaitingEnrollment enrollment, DateTimeOffset now) =>
        activity.Name == wait.EventName && activity.Time >= enrollment.StepTime && activity.Time <= enrollment.DueTime
        && (wait.KeyProperty is null || activity.Text(wait.KeyProperty) == enrollment.Key)
        && (wait.Condition is null || programs.ActivityCondition(wait.Condition)?.Holds(activity, now) == true);

    /// <summary>Whether a trigger's condition holds for an activity.</summary>
    private bool Holds(string condition, ActivityFacts activity) =>
        programs.ActivityCondition(condition)?.Holds(activity, activity.Time) == true;

    private sealed class WaitingEnrollment
    {
        public Guid Id { get; init; }

        public Guid ProgramId { get; init; }

        public Guid LeadId { get; init; }

        public string Key { get; init; } = "";

        public string StepId { get; init; } = "";

        public DateTimeOffset? StepTime { get; init; }

        public DateTimeOffset DueTime { get; init; }

        public int PathVersion { get; init; }
    }
}
