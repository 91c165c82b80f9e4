using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.EnrollLead;

/// <summary>Ends running enrollments before the end of their path.</summary>
internal sealed class EndEnrollments(ProgramStore programs)
{
    /// <summary>The lead moved: programs whose goal this is have done their work, and programs that end here let go.</summary>
    public async Task OnStage(Transaction<NurtureDbContext> tx, Guid leadId, Stage stage)
    {
        var all = await Running(tx, leadId);
        var paths = await programs.Paths(tx, all.Select(running => (running.ProgramId, running.PathVersion)));
        foreach (var running in all)
        {
            var path = paths[(running.ProgramId, running.PathVersion)];
            if (path.IsGoalReached(stage))
            {
                await End(tx, running, EnrollmentState.Converted, null);
            }
            else if (path.ExitOnStages.Contains(stage))
            {
                await End(tx, running, EnrollmentState.Exited, "STAGE");
            }
        }
    }

    /// <summary>A program has handed the lead to sales: the others let go of it, but for those that send receipts and the like.</summary>
    public async Task HandedToSales(Transaction<NurtureDbContext> tx, Guid leadId, Guid byEnrollment)
    {
        var all = (await Running(tx, leadId)).Where(running => running.Id != byEnrollment).ToList();
        var paths = await programs.Paths(tx, all.Select(running => (running.ProgramId, running.PathVersion)));
        foreach (var running in all.Where(running => !paths[(running.ProgramId, running.PathVersion)].IsTransactional))
        {
            await End(tx, running, EnrollmentState.Exited, "HANDED_TO_SALES");
        }
    }

    /// <summary>Ends all of a lead's running enrollments, or those in the programs given.</summary>
    public static async Task All(Transaction<NurtureDbContext> tx, Guid leadId, string reason, IReadOnlySet<Guid>? inPrograms = null)
    {
        foreach (var running in await Running(tx, leadId))
        {
            if (inPrograms is null || inPrograms.Contains(running.ProgramId))
            {
                await End(tx, running, EnrollmentState.Exited, reason);
            }
        }
    }

    private static async Task<IReadOnlyList<RunningEnrollment>> Running(Transaction<NurtureDbContext> tx, Guid leadId) =>
        (await tx.Connection.QueryAsync<RunningEnrollment>(new CommandDefinition(
            """
            select e.id, e.program_id, e.lead_id, e.step_id, e.visit, e.version,
              case when e.path_version = 0 then p.version else e.path_version end as path_version
            from enrollment e join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
            where e.workspace_id = @workspace and e.lead_id = @lead and e.state = 'ACTIVE'
            order by e.id for update of e
            """,
            new { workspace = tx.WorkspaceId, lead = leadId },
            cancellationToken: tx.CancellationToken))).AsList();

    private static async Task End(Transaction<NurtureDbContext> tx, RunningEnrollment running, EnrollmentState state, string? reason)
    {
        var outcome = state == EnrollmentState.Converted ? StepVisitRow.Converted : StepVisitRow.Dropped;
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            with visit as (
              update step_visit set leave_time = @now, outcome = @outcome
              where workspace_id = @workspace and enrollment_id = @id and step_id = @step and visit = @visit)
            update enrollment
            set state = @state, exit_reason = @reason, end_time = @now, step_id = null, due_time = null,
              waits_for = null, event_time = null, fault = null, version = version + 1
            where workspace_id = @workspace and id = @id
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = running.Id,
                step = running.StepId,
                visit = running.Visit,
                now = tx.Now,
                outcome,
                reason,
                state = state == EnrollmentState.Converted ? EnrollmentRow.Converted : EnrollmentRow.Exited,
            },
            cancellationToken: tx.CancellationToken));
        tx.Publish(new ProgramStepCompleted(
            tx.NewId(), tx.WorkspaceId, tx.Now, running.Version + 1,
            running.ProgramId, running.StepId, running.Id, running.LeadId, outcome));
    }

    private sealed record RunningEnrollment(
        Guid Id, Guid ProgramId, Guid LeadId, string StepId, int Visit, long Version, int PathVersion);
}
