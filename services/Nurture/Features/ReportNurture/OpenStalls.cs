using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ReportNurture;

/// <summary>What stands still in programs and why, read where it stands; and what the watchdog found and went on since.</summary>
internal static class OpenStalls
{
    /// <summary>Each part reads a partial index that holds what is open, and that alone.</summary>
    private const string Sql =
        """
        with stalled as (
          select 'STEP_FAILS' as reason, program_id, step_id, count(*) as count, 0::bigint as resumed, min(step_time) as since,
            min(due_time) as next_try, max(fault) as detail
          from enrollment
          where workspace_id = @workspace and state = 'ACTIVE' and fault is not null group by program_id, step_id
          union all
          select s.reason, s.program_id, s.step_id, count(*) filter (where s.end_time is null), count(s.end_time),
            min(s.due_time) filter (where s.end_time is null), min(s.next_time) filter (where s.end_time is null), ''
          from stall s
          where s.workspace_id = @workspace and (s.end_time is null and not exists (
              select 1 from enrollment e where e.workspace_id = @workspace and e.id = s.enrollment_id and e.fault is not null)
            or s.end_time >= @from and s.end_time < @to)
          group by s.reason, s.program_id, s.step_id
          union all
          select 'CALL_FAILS', program_id, step_id, count(*), 0, min(create_time), min(due_time), max(detail)
          from program_call where workspace_id = @workspace and state = 'PENDING' and detail is not null group by program_id, step_id
          union all
          select case detail when 'WAITS_FOR_PROFILE' then 'PROFILE_MISSING' else 'MAIL_DEFERRED' end, program_id, step_id, count(*), 0,
            min(create_time), min(due_time), max(case when detail <> 'WAITS_FOR_PROFILE' then detail end)
          from message
          where workspace_id = @workspace and state in ('PENDING', 'SENDING') and program_id is not null and detail is not null
            and detail <> 'WAITS_FOR_PACE'
          group by 1, program_id, step_id)
        select s.*, coalesce(p.display_name, s.program_id::text) as program_name
        from stalled s left join program p on p.workspace_id = @workspace and p.id = s.program_id
        where @program::uuid is null or s.program_id = @program
        order by s.count desc, s.resumed desc, program_name, s.step_id, s.reason
        """;

    public static async Task<IEnumerable<Stall>> Read(
        Transaction<NurtureDbContext> tx, DateTimeOffset from, DateTimeOffset to, Guid? program) =>
        (await tx.Connection.QueryAsync<StallNumbers>(new CommandDefinition(
            Sql,
            new { workspace = tx.WorkspaceId, from = from.UtcDateTime, to = to.UtcDateTime, program },
            cancellationToken: tx.CancellationToken))).Select(ToProto);

    private static Stall ToProto(StallNumbers row) => new()
    {
        Reason = System.Enum.Parse<Stall.Types.Reason>(row.Reason.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
        ProgramId = row.ProgramId.ToString(),
        ProgramName = row.ProgramName,
        StepId = row.StepId,
        Count = row.Count,
        Resumed = row.Resumed,
        Since = row.Since?.ToTimestamp(),
        NextTryTime = row.NextTry?.ToTimestamp(),
        Detail = row.Detail ?? "",
    };

    private sealed class StallNumbers
    {
        public string Reason { get; init; } = "";

        public Guid ProgramId { get; init; }

        public string ProgramName { get; init; } = "";

        public string StepId { get; init; } = "";

        public long Count { get; init; }

        public long Resumed { get; init; }

        public DateTimeOffset? Since { get; init; }

        public DateTimeOffset? NextTry { get; init; }

        public string? Detail { get; init; }
    }
}
