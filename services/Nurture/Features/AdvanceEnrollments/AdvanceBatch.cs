using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Webhooks;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.AdvanceEnrollments;

/// <summary>Gathers what a batch of advances writes, and adds it to the statements that go to the server with the commit.</summary>
internal sealed class AdvanceBatch(Transaction<NurtureDbContext> tx)
{
    private readonly List<(DueEnrollment Enrollment, Advance Advance, int Events)> moves = [];
    private readonly List<(DueEnrollment Enrollment, string StepId, int Visit, string? Outcome)> visits = [];
    private readonly List<(DueEnrollment Enrollment, SendEmailStep Step, int Visit, bool Skipped)> mails = [];
    private readonly List<(Guid Id, string StepId, int Visit)> dropped = [];
    private readonly List<ProgramCallRow> calls = [];
    private readonly List<Guid> held = [];

    public int CompletedSteps { get; private set; }

    public int QueuedMails { get; private set; }

    public int QueuedCalls => calls.Count;

    /// <summary>Leads that went to sales, with the enrollment that brought them there.</summary>
    public List<(Guid LeadId, Guid EnrollmentId)> HandedToSales { get; } = [];

    /// <summary>Leads that come onto lists or leave them.</summary>
    public List<(Guid List, Guid LeadId, bool Adds)> ListChanges { get; } = [];

    public void Hold(Guid enrollmentId) => held.Add(enrollmentId);

    /// <param name="enrollment">As it was.</param>
    /// <param name="advance">What became of it.</param>
    /// <param name="lead">Its lead, where the path asks for it.</param>
    public void Add(DueEnrollment enrollment, Advance advance, LeadRow? lead)
    {
        var version = enrollment.Version;
        foreach (var (step, visit) in advance.Completed)
        {
            var outcome = step is GoalStep or HandToSalesStep ? StepVisitRow.Converted : StepVisitRow.Completed;
            visits.Add((enrollment, step.Id, visit, outcome));
            Publish(enrollment, step.Id, ++version, outcome);
        }

        foreach (var (step, visit) in advance.Skipped)
        {
            mails.Add((enrollment, (SendEmailStep)step, visit, true));
        }

        foreach (var effect in advance.Effects)
        {
            AddEffect(enrollment, effect, lead);
        }

        if (advance.At is { } at && at.Visit != enrollment.Visit)
        {
            visits.Add((enrollment, at.StepId, at.Visit, null));
        }

        if (advance.State == EnrollmentState.Exited)
        {
            if (advance.Completed.Count == 0)
            {
                dropped.Add((enrollment.Id, enrollment.StepId, enrollment.Visit));
            }

            Publish(enrollment, enrollment.StepId, ++version, StepVisitRow.Dropped);
        }

        CompletedSteps += advance.Completed.Count;
        moves.Add((enrollment, advance, (int)(version - enrollment.Version)));
    }

    /// <summary>Adds the statements to <see cref="Transaction{TContext}.Closing"/>.</summary>
    public void Write()
    {
        Bulk.AddUpdate(
            tx.Closing,
            "enrollment",
            ["workspace_id", "id"],
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, moves, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, moves, move => move.Enrollment.Id),
                BulkColumn.From("state", NpgsqlDbType.Text, moves, move => Name(move.Advance.State)),
                BulkColumn.From("path_version", NpgsqlDbType.Integer, moves, move => move.Enrollment.PathVersion),
                BulkColumn.From("step_id", NpgsqlDbType.Text, moves, move => move.Advance.At?.StepId),
                BulkColumn.From(
                    "visit", NpgsqlDbType.Integer, moves, move => move.Advance.At?.Visit ?? LastVisit(move.Enrollment, move.Advance)),
                BulkColumn.From("step_time", NpgsqlDbType.TimestampTz, moves, move => move.Advance.At?.EnterTime),
                BulkColumn.From("due_time", NpgsqlDbType.TimestampTz, moves, move => move.Advance.At?.DueAt),
                BulkColumn.From("waits_for", NpgsqlDbType.Text, moves, move => move.Advance.WaitsFor),
                BulkColumn.From("event_time", NpgsqlDbType.TimestampTz, moves, _ => (DateTimeOffset?)null),
                BulkColumn.From("fault", NpgsqlDbType.Text, moves, _ => (string?)null),
                BulkColumn.From("attempts", NpgsqlDbType.Integer, moves, _ => 0),
                BulkColumn.From("exit_reason", NpgsqlDbType.Text, moves, move => move.Advance.ExitReason),
                BulkColumn.From("version", NpgsqlDbType.Bigint, moves, move => move.Enrollment.Version + move.Events),
                BulkColumn.From(
                    "end_time", NpgsqlDbType.TimestampTz, moves, move => move.Advance.At is null ? tx.Now : (DateTimeOffset?)null),
            ]);
        WriteHolds();
        WriteVisits();
        WriteMails();
        tx.Db.ProgramCalls.AddRange(calls);
    }

    /// <summary>
    /// Stops the timers of paused programs. A program that is started at this very moment is waited for and looked at again: held after its
    /// start, an enrollment would stand still for ever.
    /// </summary>
    private void WriteHolds()
    {
        if (held.Count > 0)
        {
            tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                update enrollment e set held = true
                from (select id from program where workspace_id = $1 and state <> 'ACTIVE' for share) p
                where e.workspace_id = $1 and e.program_id = p.id and e.id = any($2)
                """)
            {
                Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, held.ToArray()) },
            });
        }
    }

    private void WriteVisits()
    {
        Bulk.Add(
            tx.Closing,
            "step_visit",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, visits, _ => tx.WorkspaceId),
                BulkColumn.From("enrollment_id", NpgsqlDbType.Uuid, visits, visit => visit.Enrollment.Id),
                BulkColumn.From("step_id", NpgsqlDbType.Text, visits, visit => visit.StepId),
                BulkColumn.From("visit", NpgsqlDbType.Integer, visits, visit => visit.Visit),
                BulkColumn.From("program_id", NpgsqlDbType.Uuid, visits, visit => visit.Enrollment.ProgramId),
                BulkColumn.From("enter_time", NpgsqlDbType.TimestampTz, visits, _ => tx.Now),
                BulkColumn.From(
                    "leave_time", NpgsqlDbType.TimestampTz, visits, visit => visit.Outcome is null ? (DateTimeOffset?)null : tx.Now),
                BulkColumn.From("outcome", NpgsqlDbType.Text, visits, visit => visit.Outcome),
            ],
            """
            on conflict (workspace_id, enrollment_id, step_id, visit) do update
            set leave_time = excluded.leave_time, outcome = excluded.outcome
            """);
        Bulk.AddUpdate(
            tx.Closing,
            "step_visit",
            ["workspace_id", "enrollment_id", "step_id", "visit"],
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, dropped, _ => tx.WorkspaceId),
                BulkColumn.From("enrollment_id", NpgsqlDbType.Uuid, dropped, visit => visit.Id),
                BulkColumn.From("step_id", NpgsqlDbType.Text, dropped, visit => visit.StepId),
                BulkColumn.From("visit", NpgsqlDbType.Integer, dropped, visit => visit.Visit),
                BulkColumn.From("leave_time", NpgsqlDbType.TimestampTz, dropped, _ => tx.Now),
                BulkColumn.From("outcome", NpgsqlDbType.Text, dropped, _ => StepVisitRow.Dropped),
            ]);
    }

    private void WriteMails() => Bulk.Add(
        tx.Closing,
        "message",
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, mails, _ => tx.WorkspaceId),
            BulkColumn.From("id", NpgsqlDbType.Uuid, mails, _ => tx.NewId()),
            BulkColumn.From("lead_id", NpgsqlDbType.Uuid, mails, mail => mail.Enrollment.LeadId),
            BulkColumn.From("enrollment_id", NpgsqlDbType.Uuid, mails, mail => mail.Enrollment.Id),
            BulkColumn.From("program_id", NpgsqlDbType.Uuid, mails, mail => mail.Enrollment.ProgramId),
            BulkColumn.From("step_id", NpgsqlDbType.Text, mails, mail => mail.Step.Id),
            BulkColumn.From("visit", NpgsqlDbType.Integer, mails, mail => mail.Visit),
            BulkColumn.From("email_id", NpgsqlDbType.Uuid, mails, mail => mail.Step.EmailId),
            BulkColumn.From("state", NpgsqlDbType.Text, mails, mail => mail.Skipped ? MessageRow.Skipped : MessageRow.Pending),
            BulkColumn.From("detail", NpgsqlDbType.Text, mails, mail => mail.Skipped ? "FREQUENCY_CAP" : null),
            BulkColumn.From("due_time", NpgsqlDbType.TimestampTz, mails, mail => mail.Skipped ? (DateTimeOffset?)null : tx.Now),
            BulkColumn.From("attempts", NpgsqlDbType.Integer, mails, _ => 0),
            BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, mails, _ => tx.Now),
            BulkColumn.From("version", NpgsqlDbType.Bigint, mails, _ => 0L),
        ],
        // The proof that nobody gets a mail twice: however often an advance is repeated, there is one row, and one sending of it.
        "on conflict (workspace_id, enrollment_id, step_id, visit) do nothing");

    private void AddEffect(DueEnrollment enrollment, StepVisit effect, LeadRow? lead)
    {
        switch (effect.Step)
        {
            case SendEmailStep send:
                mails.Add((enrollment, send, effect.Visit, false));
                QueuedMails++;
                break;
            case UpdateTraitStep update:
                calls.Add(Call(enrollment, update, ProgramCallRow.UpdateTrait, update.Trait, update.Value));
                break;
            case HandToSalesStep hand:
                calls.Add(Call(enrollment, hand, ProgramCallRow.HandToSales, null, hand.Note));
                HandedToSales.Add((enrollment.LeadId, enrollment.Id));
                break;
            case UpdateListStep list:
                ListChanges.Add((list.SegmentId, enrollment.LeadId, list.Adds));
                break;
            case NotifyStep notify when lead is not null:
                WebhookDeliveries.Add(
                    tx, notify.EndpointId, NotifyBody.Type, NotifyBody.Write(tx.Now, enrollment, notify, lead), lead.LeadId);
                break;
        }
    }

    private ProgramCallRow Call(DueEnrollment enrollment, Step step, string kind, string? trait, string? value) => new()
    {
        WorkspaceId = tx.WorkspaceId,
        Id = tx.NewId(),
        Kind = kind,
        LeadId = enrollment.LeadId,
        ProgramId = enrollment.ProgramId,
        EnrollmentId = enrollment.Id,
        StepId = step.Id,
        Trait = trait,
        Value = value,
        DueTime = tx.Now,
        CreateTime = tx.Now,
    };

    private static int LastVisit(DueEnrollment enrollment, Advance advance) =>
        advance.Completed.Count == 0 ? enrollment.Visit : advance.Completed[^1].Visit;

    private void Publish(DueEnrollment enrollment, string step, long version, string outcome) => tx.Publish(new ProgramStepCompleted(
        tx.NewId(), tx.WorkspaceId, tx.Now, version, enrollment.ProgramId, step, enrollment.Id, enrollment.LeadId, outcome));

    private static string Name(EnrollmentState state) => state switch
    {
        EnrollmentState.Active => EnrollmentRow.Active,
        EnrollmentState.Completed => EnrollmentRow.Completed,
        EnrollmentState.Converted => EnrollmentRow.Converted,
        _ => EnrollmentRow.Exited,
    };
}
