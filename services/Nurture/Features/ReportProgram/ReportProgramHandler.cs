using Dapper;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ReportProgram;

/// <summary>How leads fare in a program, from the visits of its steps.</summary>
internal static class ReportProgramHandler
{
    /// <param name="tx">Reading transaction.</param>
    /// <param name="program">The program.</param>
    /// <param name="from">Leads that entered at or after; null: from the start.</param>
    /// <param name="to">Leads that entered before; null: all.</param>
    public static async Task<ProgramReport> Report(
        Transaction<NurtureDbContext> tx, ProgramRow program, DateTimeOffset? from, DateTimeOffset? to)
    {
        var parameters = new
        {
            workspace = tx.WorkspaceId,
            program = program.Id,
            from = (from ?? DateTimeOffset.UnixEpoch).UtcDateTime,
            to = (to ?? tx.Now.AddDays(1)).UtcDateTime,
        };
        var report = new ProgramReport { ProgramId = program.Id.ToString() };
        var states = await tx.Connection.QueryAsync<(string State, long Count)>(new CommandDefinition(
            """
            select state, count(*) from enrollment
            where workspace_id = @workspace and program_id = @program and enter_time >= @from and enter_time < @to group by state
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
        foreach (var (state, count) in states)
        {
            if (state == EnrollmentRow.HeldOut)
            {
                report.HeldOut = count;
                continue;
            }

            report.Entered += count;
            report.Active += state == EnrollmentRow.Active ? count : 0;
            report.Completed += state == EnrollmentRow.Completed ? count : 0;
            report.Dropped += state == EnrollmentRow.Exited ? count : 0;
            report.Converted += state == EnrollmentRow.Converted ? count : 0;
        }

        var visits = (await tx.Connection.QueryAsync<StepNumbers>(new CommandDefinition(
            """
            select v.step_id, count(*) as entered, count(*) filter (where v.leave_time is null) as waiting,
              count(*) filter (where v.outcome = 'COMPLETED') as completed, count(*) filter (where v.outcome = 'DROPPED') as dropped,
              count(*) filter (where v.outcome = 'CONVERTED') as converted,
              percentile_cont(0.5) within group (order by extract(epoch from v.leave_time - v.enter_time)) filter (where v.outcome = 'COMPLETED') as median,
              count(m.id) filter (where m.state in ('SENT', 'BOUNCED')) as sent, count(m.open_time) as opened, count(m.click_time) as clicked,
              count(m.id) filter (where m.state in ('BOUNCED', 'FAILED', 'SKIPPED')) as failed
            from enrollment e
            join step_visit v on v.workspace_id = e.workspace_id and v.enrollment_id = e.id
            left join message m on m.workspace_id = v.workspace_id and m.enrollment_id = v.enrollment_id
              and m.step_id = v.step_id and m.visit = v.visit
            where e.workspace_id = @workspace and e.program_id = @program and e.enter_time >= @from and e.enter_time < @to
            group by v.step_id
            """,
            parameters,
            cancellationToken: tx.CancellationToken))).ToDictionary(row => row.StepId);
        var steps = ProgramStore.Parse(program.Path).Steps;
        report.Steps.AddRange(steps.Select(step => ToReport(step.Id, step.Action, visits.GetValueOrDefault(step.Id) ?? new StepNumbers())));
        report.Steps.AddRange(visits.Where(visit => steps.All(step => step.Id != visit.Key))
            .OrderBy(visit => visit.Key, StringComparer.Ordinal)
            .Select(visit => ToReport(visit.Key, "REMOVED", visit.Value)));
        return report;
    }

    private static StepReport ToReport(string stepId, string action, StepNumbers numbers)
    {
        var report = new StepReport
        {
            StepId = stepId,
            Action = action,
            Entered = numbers.Entered,
            Waiting = numbers.Waiting,
            Completed = numbers.Completed,
            Dropped = numbers.Dropped,
            Converted = numbers.Converted,
            EmailsSent = numbers.Sent,
            EmailsOpened = numbers.Opened,
            EmailsClicked = numbers.Clicked,
            EmailsFailed = numbers.Failed,
        };
        if (numbers.Median is { } median)
        {
            report.MedianWaitSeconds = median;
        }

        return report;
    }

    private sealed class StepNumbers
    {
        public string StepId { get; init; } = "";

        public long Entered { get; init; }

        public long Waiting { get; init; }

        public long Completed { get; init; }

        public long Dropped { get; init; }

        public long Converted { get; init; }

        public double? Median { get; init; }

        public long Sent { get; init; }

        public long Opened { get; init; }

        public long Clicked { get; init; }

        public long Failed { get; init; }
    }
}
