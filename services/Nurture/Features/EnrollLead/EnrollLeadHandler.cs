using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.EnrollLead;

/// <summary>Lets leads into programs. The lead's row is locked by the caller, so that no two entries of one lead race.</summary>
internal sealed class EnrollLeadHandler(ProgramStore programs, WorkSignal signal)
{
    /// <summary>Enters the lead wherever one of the causes admits it.</summary>
    public async Task EnterAll(Transaction<NurtureDbContext> tx, LeadRow lead, IReadOnlyCollection<EntryCause> causes)
    {
        if (causes.Count == 0 || lead.EraseTime is not null || lead.MergedInto is not null)
        {
            return;
        }

        var stage = StageNames.TryParse(lead.Stage, out var known) ? known : (Stage?)null;
        foreach (var program in await programs.Active(tx))
        {
            if (causes.Select(cause => program.Path.Admits(cause, stage, tx.Now)).FirstOrDefault(admits => admits is not null) is { } trigger)
            {
                await Enter(tx, program, lead.LeadId, trigger.Name);
            }
        }
    }

    /// <summary>Enters the lead unless the re-entry rule forbids it. FAILED_PRECONDITION says why not.</summary>
    public async Task<Result<EnrollmentRow>> Enter(Transaction<NurtureDbContext> tx, ActiveProgram program, Guid leadId, string trigger)
    {
        var parameters = new { workspace = tx.WorkspaceId, program = program.Id, lead = leadId };
        var (last, isIn) = await tx.Connection.QuerySingleAsync<(int Last, bool IsIn)>(new CommandDefinition(
            """
            select coalesce(max(occurrence), 0), coalesce(bool_or(state = 'ACTIVE'), false)
            from enrollment where workspace_id = @workspace and program_id = @program and lead_id = @lead
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
        if (isIn)
        {
            return Error.Precondition("The lead is in the program already.");
        }

        if (last > 0 && program.Path.Reentry == Reentry.Never)
        {
            return Error.Precondition("The lead has been in the program, and its re-entry rule is NEVER.");
        }

        if (HoldOut.Holds(program.Id, leadId, program.Path.HoldOutPercent))
        {
            return await HoldLeadOut(tx, program.Id, leadId, trigger, last + 1);
        }

        var row = new EnrollmentRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            ProgramId = program.Id,
            LeadId = leadId,
            Occurrence = last + 1,
            State = EnrollmentRow.Active,
            StepId = program.Path.Steps[0].Id,
            DueTime = EnrollmentEngine.FirstDue(program.Path, tx.Now),
            Trigger = trigger,
            EnterTime = tx.Now,
        };
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            with entered as (
              insert into enrollment
                (workspace_id, id, program_id, lead_id, occurrence, state, step_id, due_time, held, version, trigger, enter_time)
              values (@WorkspaceId, @Id, @ProgramId, @LeadId, @Occurrence, @State, @StepId, @DueTime, false, 0, @Trigger, @EnterTime))
            insert into step_visit (workspace_id, enrollment_id, step_id, program_id, enter_time)
            values (@WorkspaceId, @Id, @StepId, @ProgramId, @EnterTime)
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
}
