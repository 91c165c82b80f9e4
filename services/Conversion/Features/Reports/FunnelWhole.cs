using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// The funnel of one period without groups, from the sums of stays by day and what is not added up yet (see the migration CountedStays).
/// Sums answer for bounds at midnight, UTC. Where the report asks for other moments, the stays are read that the moment and its bound tell
/// apart, and counted by the difference. Every time of a stay is an entry of the same person, so that people without an entry between the
/// two are told apart by neither.
/// </summary>
public static class FunnelWhole
{
    private const int Stages = 9;

    public static Task<IEnumerable<StageCount>> Counts(
        Transaction<ConversionDbContext> tx, Cut cut, bool asOfEnd, IReadOnlyDictionary<Stage, double> limits)
    {
        var (first, last) = (CountedTime.ToDay(cut.From[0], tx.Now), CountedTime.ToDay(cut.To[^1], tx.Now));
        var until = CountedTime.ToDay(SittingLeads.Until(tx, cut)[^1], tx.Now);
        var late = Enumerable.Range(1, Stages)
            .Select(stage => CountedTime.ToDay(StallLimits.Before(until.Exact, limits[(Stage)stage]), tx.Now)).ToArray();
        var edges = new[] { first, last, until }.Where(edge => edge.HasEdge).Distinct().ToArray();
        return ReportData.Query<StageCount>(
            tx,
            cut,
            $"""
            with moved as (
              select distinct coalesce(e.person_id, e.lead_id) as person
              from unnest(@edge_from, @edge_to) as edge(start, stop)
              cross join lateral (
                select * from stage_stay e where e.workspace_id = @workspace and e.enter_time >= edge.start and e.enter_time < edge.stop offset 0) e),
            near as (
              select s.* from moved m
              cross join lateral (select * from stage_stay s where s.workspace_id = @workspace and s.lead_id = m.person offset 0) s
              union
              select s.* from moved m
              cross join lateral (select * from stage_stay s where s.workspace_id = @workspace and s.person_id = m.person offset 0) s
              union
              select s.* from unnest(@late_from, @late_to) with ordinality as edge(start, stop, stage)
              cross join lateral (
                select * from stage_stay s
                where s.workspace_id = @workspace and s.enter_time >= edge.start and s.enter_time < edge.stop and s.stage = edge.stage offset 0) s)
            select number, sum(entered)::bigint as entered, sum(went_on)::bigint as went_on, sum(current)::bigint as current, sum(stalled)::bigint as stalled
            from (
              select s.stage as number, sum(s.stays) as entered,
                sum(s.stays) filter (where s.end_day < {(asOfEnd ? "@last_counted_day" : "'infinity'")}) as went_on, 0 as current, 0 as stalled
              from stay_sum s
              where s.workspace_id = @workspace and s.kind = 1 and s.enter_day >= @first_counted_day and s.enter_day < @last_counted_day
                and s.previous_day < @first_counted_day
              group by 1
              union all
              select s.stage, 0, 0, sum(s.stays), sum(s.stays) filter (where s.enter_day < (@late_counted_days)[s.stage])
              from stay_sum s
              where s.workspace_id = @workspace and s.kind = 2 and s.end_day >= @until_counted_day and s.enter_day < @until_counted_day
              group by 1
              union all
              select s.stage, sum(s.sign) filter (where {Entered("_counted")}), sum(s.sign) filter (where {WentOn("_counted", asOfEnd)}),
                sum(s.sign) filter (where {Sits("_counted")}), sum(s.sign) filter (where {IsLate("_counted")})
              from stay_loose s where s.workspace_id = @workspace group by 1
              union all
              select s.stage, {Difference(Entered)}, {Difference(bound => WentOn(bound, asOfEnd))}, {Difference(Sits)}, {Difference(IsLate)}
              from (select n.*, n.person_id is null as own from near n) s group by 1) part
            group by 1
            """,
            new
            {
                until = until.Exact,
                late = late.Select(time => time.Exact).ToArray(),
                first_counted = first.Counted,
                last_counted = last.Counted,
                until_counted = until.Counted,
                late_counted = late.Select(time => time.Counted).ToArray(),
                first_counted_day = first.Day,
                last_counted_day = last.Day,
                until_counted_day = until.Day,
                late_counted_days = late.Select(time => time.Day).ToArray(),
                edge_from = edges.Select(edge => edge.Start).ToArray(),
                edge_to = edges.Select(edge => edge.Stop).ToArray(),
                late_from = late.Select(time => time.Start).ToArray(),
                late_to = late.Select(time => time.Stop).ToArray(),
            });
    }

    private static string Entered(string bound) =>
        $"s.counts and s.enter_time >= @first{bound} and s.enter_time < @last{bound} and (s.previous_time is null or s.previous_time < @first{bound})";

    private static string WentOn(string bound, bool asOfEnd) =>
        $"{Entered(bound)} and s.onward_time {(asOfEnd ? $"< @last{bound}" : "is not null")}";

    private static string Sits(string bound) =>
        $"s.own and s.enter_time < @until{bound} and (s.leave_time is null or s.leave_time >= @until{bound})";

    private static string IsLate(string bound) => $"{Sits(bound)} and s.enter_time < (@late{bound})[s.stage]";

    /// <summary>How many more there are at the moments than at their bounds.</summary>
    private static string Difference(Func<string, string> isOf) =>
        $"count(*) filter (where {isOf("")}) - count(*) filter (where {isOf("_counted")})";
}

/// <summary>Counts of one stage.</summary>
public sealed class StageCount
{
    public short Number { get; init; }

    public long Entered { get; init; }

    public long WentOn { get; init; }

    public long Current { get; init; }

    public long Stalled { get; init; }
}
