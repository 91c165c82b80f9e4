using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ReportNurture;

/// <summary>
/// Programs beside each other on lead → MQL. Each lead counts by its first entry of the period, on the side that the program's draw gave
/// it.
/// </summary>
internal static class ComparePrograms
{
    /// <summary>
    /// Entries of the period by (workspace_id, program_id, enter_time); the MQLs of each by (workspace_id, lead_id). The control side
    /// begins with the first lead that the program ever held out.
    /// </summary>
    private const string Sql =
        """
        with entry as (
          select distinct on (e.program_id, e.lead_id) e.program_id, e.lead_id, e.enter_time, e.state = 'HELD_OUT' as held
          from enrollment e
          where e.workspace_id = @workspace and e.enter_time >= @from and e.enter_time < least(@to, @mature)
          order by e.program_id, e.lead_id, e.enter_time, e.occurrence),
        control as (
          select program_id, min(enter_time) as since from enrollment
          where workspace_id = @workspace and state = 'HELD_OUT' group by program_id),
        result as (
          select e.*, m.time as mql_time, e.enter_time >= c.since as compared
          from entry e left join control c on c.program_id = e.program_id
          left join lateral (
            select min(q.time) as time from mql q
            where q.workspace_id = @workspace and q.lead_id = e.lead_id and q.time > e.enter_time
              and (@days = 0 or q.time < e.enter_time + make_interval(days => @days))) m on true)
        select r.program_id, coalesce(p.display_name, r.program_id::text) as display_name,
          count(*) filter (where not held) as leads, count(mql_time) filter (where not held) as mqls,
          percentile_cont(0.5) within group (order by extract(epoch from mql_time - r.enter_time) / 86400) filter (where mql_time is not null and not held)
            as median_days,
          count(*) filter (where compared and not held) as nurtured, count(mql_time) filter (where compared and not held) as nurtured_mqls,
          count(*) filter (where held) as control, count(mql_time) filter (where held) as control_mqls,
          (select count(*) from message m where m.workspace_id = @workspace and m.program_id = r.program_id and m.send_time is not null
            and m.lead_id in (select n.lead_id from result n where n.program_id = r.program_id and not n.held)) as emails
        from result r left join program p on p.workspace_id = @workspace and p.id = r.program_id
        group by r.program_id, p.display_name order by 2, 1
        """;

    public static async Task<CompareNurtureProgramsResponse> Run(
        Transaction<NurtureDbContext> tx, DateTimeOffset from, DateTimeOffset to, int windowDays)
    {
        var rows = await tx.Connection.QueryAsync<ComparedProgram>(new CommandDefinition(
            Sql,
            new
            {
                workspace = tx.WorkspaceId,
                from = from.UtcDateTime,
                to = to.UtcDateTime,
                mature = (windowDays == 0 ? tx.Now.AddDays(1) : tx.Now.AddDays(-windowDays)).UtcDateTime,
                days = windowDays,
            },
            cancellationToken: tx.CancellationToken));
        var response = new CompareNurtureProgramsResponse { Programs = { rows.Select(ToProto) } };
        response.EmptyReason = response.Programs.Count == 0
            ? windowDays == 0
                ? "No lead entered a program in the period."
                : $"No lead entered a program in the period at least {windowDays} days ago."
            : "";
        return response;
    }

    private static ProgramResult ToProto(ComparedProgram row)
    {
        var result = new ProgramResult
        {
            ProgramId = row.ProgramId.ToString(),
            DisplayName = row.DisplayName,
            Leads = row.Leads,
            Mqls = row.Mqls,
            EmailsSent = row.Emails,
            Lift = row.Control == 0
                ? null
                : ToProto(new Lift((int)row.Nurtured, (int)row.NurturedMqls, (int)row.Control, (int)row.ControlMqls)),
        };
        if (row.Leads > 0)
        {
            result.MqlRate = (double)row.Mqls / row.Leads;
        }

        if (row.MedianDays is { } days)
        {
            result.MedianDaysToMql = days;
        }

        return result;
    }

    private static ProgramLift ToProto(Lift lift)
    {
        var proto = new ProgramLift
        {
            NurturedLeads = lift.With,
            NurturedMqls = lift.WithResults,
            ControlLeads = lift.Without,
            ControlMqls = lift.WithoutResults,
            Verdict = (ProgramLift.Types.Verdict)(int)lift.Verdict,
        };
        if (lift.WithRate is { } with)
        {
            proto.NurturedRate = with;
        }

        if (lift.WithoutRate is { } without)
        {
            proto.ControlRate = without;
        }

        if (lift.Difference is { } difference)
        {
            (proto.Difference, proto.DifferenceLow, proto.DifferenceHigh) = (difference.Value, difference.Low, difference.High);
        }

        if (lift.Ratio is { } ratio)
        {
            (proto.RelativeLift, proto.RelativeLiftLow, proto.RelativeLiftHigh) = (ratio.Value - 1, ratio.Low - 1, ratio.High - 1);
        }

        return proto;
    }

    private sealed class ComparedProgram
    {
        public Guid ProgramId { get; init; }

        public string DisplayName { get; init; } = "";

        public long Leads { get; init; }

        public long Mqls { get; init; }

        public double? MedianDays { get; init; }

        public long Nurtured { get; init; }

        public long NurturedMqls { get; init; }

        public long Control { get; init; }

        public long ControlMqls { get; init; }

        public long Emails { get; init; }
    }
}
