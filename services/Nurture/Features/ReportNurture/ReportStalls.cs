using Dapper;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ReportNurture;

/// <summary>Where leads wait, are overdue or drop off, and what their score did after each step.</summary>
internal static class ReportStalls
{
    /// <summary>The score at an instant is that of the last change before it: one search each in the key of score_change.</summary>
    private const string Sql =
        """
        with visit as (
          select v.program_id, v.step_id, v.enter_time, v.leave_time, v.outcome, e.held,
            v.leave_time is null and not e.held and e.due_time < @late and p.state = 'ACTIVE' as overdue,
            coalesce(p.display_name, v.program_id::text) as program_name, s.score as score_before, t.score as score_after
          from enrollment e
          join step_visit v on v.workspace_id = e.workspace_id and v.enrollment_id = e.id
          left join program p on p.workspace_id = e.workspace_id and p.id = e.program_id
          left join lateral (
            select c.score from score_change c
            where c.workspace_id = e.workspace_id and c.lead_id = e.lead_id and c.time <= v.enter_time and v.enter_time <= @scored
            order by c.time desc, c.version desc limit 1) s on true
          left join lateral (
            select c.score from score_change c
            where c.workspace_id = e.workspace_id and c.lead_id = e.lead_id and c.time <= v.enter_time + make_interval(days => @days)
              and v.enter_time <= @scored
            order by c.time desc, c.version desc limit 1) t on true
          where e.workspace_id = @workspace and e.enter_time >= @from and e.enter_time < @to and (@program::uuid is null or e.program_id = @program))
        select program_id, program_name, step_id, count(*) as entered, count(*) filter (where leave_time is null) as waiting,
          count(*) filter (where overdue) as overdue, count(*) filter (where leave_time is null and held) as paused,
          count(*) filter (where outcome = 'COMPLETED') as completed, count(*) filter (where outcome = 'DROPPED') as dropped,
          count(*) filter (where outcome = 'CONVERTED') as converted,
          percentile_cont(0.5) within group (order by extract(epoch from leave_time - enter_time)) filter (where outcome = 'COMPLETED') as median_wait,
          percentile_cont(0.9) within group (order by extract(epoch from leave_time - enter_time)) filter (where outcome = 'COMPLETED') as p90_wait,
          max(extract(epoch from @now - enter_time)) filter (where leave_time is null) as longest_wait,
          count(score_before) as scored, avg(score_before) as score_before, avg(score_after - score_before) as score_change,
          sum(count(*) filter (where outcome = 'DROPPED')) over (partition by program_id) as dropped_in_all
        from visit group by program_id, program_name, step_id
        order by dropped desc, overdue desc, waiting desc, program_name, step_id
        """;

    /// <param name="tx">Reading transaction.</param>
    /// <param name="from">Leads that entered at or after.</param>
    /// <param name="to">Leads that entered before.</param>
    /// <param name="program">Only this program; null: all.</param>
    /// <param name="scoreDays">Days after which scores are compared.</param>
    /// <param name="patience">A step that is over for longer, in a program that runs, is overdue: workers look every second.</param>
    public static async Task<GetStallReportResponse> Run(
        Transaction<NurtureDbContext> tx, DateTimeOffset from, DateTimeOffset to, Guid? program, int scoreDays, TimeSpan patience)
    {
        var rows = await tx.Connection.QueryAsync<StepNumbers>(new CommandDefinition(
            Sql,
            new
            {
                workspace = tx.WorkspaceId,
                from = from.UtcDateTime,
                to = to.UtcDateTime,
                program,
                days = scoreDays,
                scored = tx.Now.AddDays(-scoreDays).UtcDateTime,
                late = (tx.Now - patience).UtcDateTime,
                now = tx.Now,
            },
            cancellationToken: tx.CancellationToken));
        var response = new GetStallReportResponse { Steps = { rows.Select(ToProto) } };
        response.Stalls.AddRange(await OpenStalls.Read(tx, from, to, program));
        response.EmptyReason = response.Steps.Count == 0 ? "No lead entered a program in the period." : "";
        return response;
    }

    private static StalledStep ToProto(StepNumbers row)
    {
        var step = new StalledStep
        {
            ProgramId = row.ProgramId.ToString(),
            ProgramName = row.ProgramName,
            StepId = row.StepId,
            Entered = row.Entered,
            Waiting = row.Waiting,
            Overdue = row.Overdue,
            Paused = row.Paused,
            Completed = row.Completed,
            Dropped = row.Dropped,
            Converted = row.Converted,
            DropOffRate = (double)row.Dropped / row.Entered,
            Scored = row.Scored,
        };
        Set(row.DroppedInAll > 0 ? row.Dropped / (double)row.DroppedInAll : null, value => step.DropOffShare = value);
        Set(row.MedianWait, value => step.MedianWaitSeconds = value);
        Set(row.P90Wait, value => step.P90WaitSeconds = value);
        Set((double?)row.LongestWait, value => step.LongestWaitSeconds = value);
        Set((double?)row.ScoreBefore, value => step.MeanScoreBefore = value);
        Set((double?)row.ScoreChange, value => step.MeanScoreChange = value);
        return step;
    }

    private static void Set(double? value, Action<double> set)
    {
        if (value is { } known)
        {
            set(known);
        }
    }

    private sealed class StepNumbers
    {
        public Guid ProgramId { get; init; }

        public string ProgramName { get; init; } = "";

        public string StepId { get; init; } = "";

        public long Entered { get; init; }

        public long Waiting { get; init; }

        public long Overdue { get; init; }

        public long Paused { get; init; }

        public long Completed { get; init; }

        public long Dropped { get; init; }

        public long Converted { get; init; }

        public double? MedianWait { get; init; }

        public double? P90Wait { get; init; }

        public decimal? LongestWait { get; init; }

        public long Scored { get; init; }

        public decimal? ScoreBefore { get; init; }

        public decimal? ScoreChange { get; init; }

        public decimal DroppedInAll { get; init; }
    }
}
