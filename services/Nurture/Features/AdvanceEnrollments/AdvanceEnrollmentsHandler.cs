using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.AdvanceEnrollments;

/// <summary>
/// Moves enrollments whose step is over. One transaction moves a batch: the next timer, the visits for the report, the queued mails and the
/// events commit together, so that a killed worker leaves either nothing or all of it.
/// </summary>
internal sealed class AdvanceEnrollmentsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    ProgramStore programs,
    IOptions<NurtureOptions> options,
    WorkSignal signal,
    NurtureTelemetry telemetry) : ITimerWork
{
    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var count = 0;
        await unitOfWork.Run(workspaceId, async tx => count = await Advance(tx), ct);
        return count >= options.Value.BatchSize;
    }

    private async Task<int> Advance(Transaction<NurtureDbContext> tx)
    {
        // Reads the head of the partial index on (workspace_id, due_time) and stops at the limit.
        var due = (await tx.Connection.QueryAsync<DueEnrollment>(new CommandDefinition(
            """
            select e.id, e.program_id, e.lead_id, e.step_id, e.version, p.state = 'ACTIVE' as runs, p.version as program_version, p.path
            from enrollment e join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
            where e.workspace_id = @workspace and e.state = 'ACTIVE' and not e.held and e.due_time <= @now
            order by e.due_time limit @limit for update of e skip locked
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now, limit = options.Value.BatchSize },
            cancellationToken: tx.CancellationToken))).AsList();
        if (due.Count == 0)
        {
            return 0;
        }

        var batch = new AdvanceBatch(tx);
        var leads = await LeadsForBranches(tx, due);
        foreach (var enrollment in due)
        {
            if (enrollment.Runs)
            {
                var path = PathOf(enrollment);
                batch.Add(enrollment, EnrollmentEngine.Advance(
                    path, enrollment.StepId, tx.Now, branch => Holds(branch, leads.GetValueOrDefault(enrollment.LeadId), tx.Now)));
            }
            else
            {
                batch.Hold(enrollment.Id);
            }
        }

        await batch.Write();
        telemetry.StepsCompleted.Add(batch.CompletedSteps);
        if (batch.QueuedMails > 0)
        {
            signal.Ring(tx.WorkspaceId);
        }

        return due.Count;
    }

    private ProgramPath PathOf(DueEnrollment enrollment) =>
        programs.PathOf(enrollment.ProgramId, enrollment.ProgramVersion, enrollment.Path);

    /// <summary>Only branches look at the lead.</summary>
    private async Task<IReadOnlyDictionary<Guid, LeadRow>> LeadsForBranches(
        Transaction<NurtureDbContext> tx, IReadOnlyList<DueEnrollment> due)
    {
        var ids = due.Where(enrollment => PathOf(enrollment).Steps.Any(step => step is BranchStep)).Select(enrollment => enrollment.LeadId)
            .ToList();
        return ids.Count == 0 ? new Dictionary<Guid, LeadRow>() : await LeadStore.FindAll(tx, ids);
    }

    private static bool Holds(BranchStep branch, LeadRow? lead, DateTimeOffset now) =>
        lead is not null && Condition.Parse(branch.Condition, Domain.Segments.LeadFacts.Catalog).TryGet(out var condition, out _)
        && condition.Holds(LeadStore.Facts(lead), now);

    internal sealed record DueEnrollment(
        Guid Id, Guid ProgramId, Guid LeadId, string StepId, long Version, bool Runs, int ProgramVersion, string Path);

    /// <summary>Gathers the rows of a batch and writes each table once.</summary>
    private sealed class AdvanceBatch(Transaction<NurtureDbContext> tx)
    {
        private readonly List<(DueEnrollment Enrollment, Advance Advance)> moves = [];
        private readonly List<(DueEnrollment Enrollment, string StepId, bool Open)> visits = [];
        private readonly List<(DueEnrollment Enrollment, SendEmailStep Step)> mails = [];
        private readonly List<Guid> held = [];

        public int CompletedSteps { get; private set; }

        public int QueuedMails => mails.Count;

        public void Hold(Guid enrollmentId) => held.Add(enrollmentId);

        public void Add(DueEnrollment enrollment, Advance advance)
        {
            moves.Add((enrollment, advance));
            mails.AddRange(advance.Sends.Select(step => (enrollment, step)));
            visits.AddRange(advance.CompletedSteps.Select(step => (enrollment, step, false)));
            CompletedSteps += advance.CompletedSteps.Count;
            if (advance.StepId is { } next)
            {
                visits.Add((enrollment, next, true));
            }

            var version = enrollment.Version;
            foreach (var step in advance.CompletedSteps)
            {
                Publish(enrollment, step, ++version, StepVisitRow.Completed);
            }

            if (advance.State == EnrollmentState.Exited)
            {
                Publish(enrollment, enrollment.StepId, ++version, StepVisitRow.Dropped);
            }
        }

        public async Task Write()
        {
            await WriteMoves();
            await Bulk.Insert(
                tx,
                "step_visit",
                [
                    BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, visits, _ => tx.WorkspaceId),
                    BulkColumn.From("enrollment_id", NpgsqlDbType.Uuid, visits, visit => visit.Enrollment.Id),
                    BulkColumn.From("step_id", NpgsqlDbType.Text, visits, visit => visit.StepId),
                    BulkColumn.From("program_id", NpgsqlDbType.Uuid, visits, visit => visit.Enrollment.ProgramId),
                    BulkColumn.From("enter_time", NpgsqlDbType.TimestampTz, visits, _ => tx.Now),
                    BulkColumn.From("leave_time", NpgsqlDbType.TimestampTz, visits, visit => visit.Open ? (DateTimeOffset?)null : tx.Now),
                    BulkColumn.From("outcome", NpgsqlDbType.Text, visits, visit => visit.Open ? null : StepVisitRow.Completed),
                ],
                """
                on conflict (workspace_id, enrollment_id, step_id) do update
                set leave_time = excluded.leave_time, outcome = excluded.outcome
                """);
            await Bulk.Insert(
                tx,
                "message",
                [
                    BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, mails, _ => tx.WorkspaceId),
                    BulkColumn.From("id", NpgsqlDbType.Uuid, mails, _ => tx.NewId()),
                    BulkColumn.From("lead_id", NpgsqlDbType.Uuid, mails, mail => mail.Enrollment.LeadId),
                    BulkColumn.From("enrollment_id", NpgsqlDbType.Uuid, mails, mail => mail.Enrollment.Id),
                    BulkColumn.From("program_id", NpgsqlDbType.Uuid, mails, mail => mail.Enrollment.ProgramId),
                    BulkColumn.From("step_id", NpgsqlDbType.Text, mails, mail => mail.Step.Id),
                    BulkColumn.From("email_id", NpgsqlDbType.Uuid, mails, mail => mail.Step.EmailId),
                    BulkColumn.From("state", NpgsqlDbType.Text, mails, _ => MessageRow.Pending),
                    BulkColumn.From("due_time", NpgsqlDbType.TimestampTz, mails, _ => tx.Now),
                    BulkColumn.From("attempts", NpgsqlDbType.Integer, mails, _ => 0),
                    BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, mails, _ => tx.Now),
                    BulkColumn.From("version", NpgsqlDbType.Bigint, mails, _ => 0L),
                ],
                "on conflict (workspace_id, enrollment_id, step_id) do nothing");
        }

        private async Task WriteMoves() => await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update enrollment e
            set state = m.state, step_id = m.step, due_time = m.due, exit_reason = m.reason, version = e.version + m.events,
                end_time = case when m.state = 'ACTIVE' then null else @now end
            from unnest(@ids, @states, @steps, @dues, @reasons, @events) as m(id, state, step, due, reason, events)
            where e.workspace_id = @workspace and e.id = m.id;
            update step_visit v set leave_time = @now, outcome = 'DROPPED'
            from unnest(@ids, @dropped) as m(id, step) where v.workspace_id = @workspace and v.enrollment_id = m.id and v.step_id = m.step;
            update enrollment set held = true where workspace_id = @workspace and id = any(@held);
            """,
            new
            {
                workspace = tx.WorkspaceId,
                now = tx.Now,
                ids = moves.Select(move => move.Enrollment.Id).ToArray(),
                states = moves.Select(move => Name(move.Advance.State)).ToArray(),
                steps = moves.Select(move => move.Advance.StepId).ToArray(),
                // Not DateTime: an array that begins with null would be taken for one without time zone.
                dues = moves.Select(move => move.Advance.DueAt).ToArray(),
                reasons = moves.Select(move => move.Advance.ExitReason).ToArray(),
                events = moves.Select(move => move.Advance.CompletedSteps.Count + (move.Advance.State == EnrollmentState.Exited ? 1 : 0))
                    .ToArray(),
                dropped = moves.Select(move => move.Advance.State == EnrollmentState.Exited ? move.Enrollment.StepId : null).ToArray(),
                held = held.ToArray(),
            },
            cancellationToken: tx.CancellationToken));

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
}
