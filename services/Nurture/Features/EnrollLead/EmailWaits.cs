using Dapper;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.EnrollLead;

/// <summary>
/// Ends waits for a mail of the enrollment itself. The enrollment's row is locked by whoever moves it, from before it reads what became of
/// its mails; whoever judges a mail locks it too before it marks the mail. So one of the two always sees what the other did.
/// </summary>
internal sealed class EmailWaits(ProgramStore programs, WorkSignal signal)
{
    /// <summary>When the wait was over, by what became of the mail; a click proves an opening.</summary>
    public static DateTimeOffset? TimeOf(WaitEmailStep wait, DateTimeOffset? openTime, DateTimeOffset? clickTime) =>
        wait.IsClick || openTime is null || clickTime < openTime ? clickTime : openTime;

    /// <summary>Locks the lead and the running enrollment of a mail, without ever waiting for them.</summary>
    /// <returns>False where another transaction holds one; the enrollment, null where none runs.</returns>
    public static async Task<(bool IsFree, WaitingForEmail? Enrollment)> TryLock(Transaction<NurtureDbContext> tx, MessageRow message)
    {
        var parameters = new { workspace = tx.WorkspaceId, lead = message.LeadId, id = message.EnrollmentId };
        var enrollment = await tx.Connection.QuerySingleOrDefaultAsync<WaitingForEmail>(new CommandDefinition(
            """
            select e.id, e.program_id, e.step_id, e.due_time, e.waits_for,
              case when e.path_version = 0 then p.version else e.path_version end as path_version
            from enrollment e join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
            where e.workspace_id = @workspace and e.id = @id::uuid and e.state = 'ACTIVE' for update of e skip locked
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
        var isFree = await tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            """
            with held as (select 1 from lead where workspace_id = @workspace and lead_id = @lead for update skip locked)
            select (exists (select 1 from held) or not exists (select 1 from lead where workspace_id = @workspace and lead_id = @lead))
              and (@isHeld or not exists (select 1 from enrollment where workspace_id = @workspace and id = @id::uuid and state = 'ACTIVE'))
            """,
            new { workspace = tx.WorkspaceId, lead = message.LeadId, id = message.EnrollmentId, isHeld = enrollment is not null },
            cancellationToken: tx.CancellationToken));
        return (isFree, enrollment);
    }

    /// <summary>The mail is marked: an enrollment that waits for that is due, and goes on as after it.</summary>
    public async Task Engaged(Transaction<NurtureDbContext> tx, WaitingForEmail? enrollment, MessageRow message)
    {
        if (enrollment?.WaitsFor is not ("EMAIL_OPEN" or "EMAIL_CLICK"))
        {
            return;
        }

        var paths = await programs.Paths(tx, [(enrollment.ProgramId, enrollment.PathVersion)]);
        if (paths[(enrollment.ProgramId, enrollment.PathVersion)].Steps.FirstOrDefault(
            step => step.Id == enrollment.StepId) is not WaitEmailStep wait
            || !wait.IsOf(message.StepId!) || TimeOf(wait, message.OpenTime, message.ClickTime) is not { } time
            || time > enrollment.DueTime)
        {
            return;
        }

        // Only the last mail counts: a reminder's opening is not that of the mail before it.
        if (await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update enrollment set event_time = @time, due_time = @now, waits_for = null
            where workspace_id = @workspace and id = @id and not exists (
              select 1 from message where workspace_id = @workspace and enrollment_id = @id and visit > @visit and (@step::text is null or step_id = @step))
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = enrollment.Id,
                time = time.UtcDateTime,
                now = tx.Now,
                visit = message.Visit,
                step = wait.MailStepId
            },
            cancellationToken: tx.CancellationToken)) > 0)
        {
            signal.Ring(tx.WorkspaceId);
        }
    }
}

/// <summary>A running enrollment, as it stands.</summary>
internal sealed class WaitingForEmail
{
    public Guid Id { get; init; }

    public Guid ProgramId { get; init; }

    public string StepId { get; init; } = "";

    public DateTimeOffset DueTime { get; init; }

    public string? WaitsFor { get; init; }

    public int PathVersion { get; init; }
}
