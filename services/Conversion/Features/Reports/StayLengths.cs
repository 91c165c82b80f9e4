using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// Percentiles of the days that stays took, from sums by month and bucket of length (see the migration CountedStays): each is the mean of
/// its bucket, and off by less than a five-hundredth. Where a report asks for other moments than the first of a month, the stays between
/// the two are read and counted by the difference. (Sorting half a million stays for exact percentiles takes longer than all the rest.)
/// </summary>
public static class StayLengths
{
    /// <summary>Of the stays that began in the period and ended (a snapshot: before its end).</summary>
    public static Task<IReadOnlyList<StageDays>> InPeriod(Transaction<ConversionDbContext> tx, Cut cut, bool asOfEnd)
    {
        var (first, last) = (CountedTime.ToMonth(cut.From[0], tx.Now), CountedTime.ToMonth(cut.To[^1], tx.Now));
        if (first.Counted >= last.Counted)
        {
            // No month lies between: nothing is counted, and all stays are read.
            (first, last) = (new(first.Exact, first.Exact), new(last.Exact, first.Exact));
        }

        return Read(
            tx,
            $"s.enter_day >= @first_day and s.enter_day < @last_day and s.end_day < {(asOfEnd ? "@last_day" : "'infinity'")}",
            bound => $"s.enter_time >= @first{bound} and s.enter_time < @last{bound} and s.leave_time "
                + (asOfEnd ? $"< @last{bound}" : "is not null"),
            new
            {
                first = first.Exact,
                first_counted = first.Counted,
                first_day = first.Day,
                last = last.Exact,
                last_counted = last.Counted,
                last_day = last.Day,
            },
            [first, last],
            asOfEnd && first.Counted < last.Counted ? [last] : []);
    }

    /// <summary>Of the stays that ended since.</summary>
    public static Task<IReadOnlyList<StageDays>> EndedSince(Transaction<ConversionDbContext> tx, DateTimeOffset since)
    {
        var start = CountedTime.ToMonth(since, tx.Now);
        return Read(
            tx,
            "s.end_day >= @since_day",
            bound => $"s.leave_time >= @since{bound}",
            new { since, since_counted = start.Counted, since_day = start.Day },
            [],
            [start]);
    }

    /// <param name="counted">SQL: which sums count.</param>
    /// <param name="isOf">SQL: which stays count, by the moments (empty text) or by their bounds (<c>_counted</c>).</param>
    /// <param name="entries">Where entries at the edges are read.</param>
    /// <param name="leavings">Where leavings at the edges are read; a stay is left by the entry into the next.</param>
    private static async Task<IReadOnlyList<StageDays>> Read(
        Transaction<ConversionDbContext> tx, string counted, Func<string, string> isOf, object bounds,
        CountedTime[] entries, CountedTime[] leavings)
    {
        var parameters = new DynamicParameters(bounds);
        parameters.AddDynamicParams(new
        {
            workspace = tx.WorkspaceId,
            enter_from = entries.Select(edge => edge.Start).ToArray(),
            enter_to = entries.Select(edge => edge.Stop).ToArray(),
            leave_from = leavings.Select(edge => edge.Start).ToArray(),
            leave_to = leavings.Select(edge => edge.Stop).ToArray(),
        });
        const string Length = "conversion.stay_milliseconds(s.enter_time, s.leave_time)";
        var stages = await tx.Connection.QueryAsync<StageBuckets>(new CommandDefinition(
            $"""
            with near as (
              select s.lead_id, s.version, s.stage, s.enter_time, s.leave_time from unnest(@enter_from, @enter_to) as edge(start, stop)
              cross join lateral (
                select * from stage_stay s where s.workspace_id = @workspace and s.enter_time >= edge.start and s.enter_time < edge.stop offset 0) s
              where s.leave_time is not null
              union
              select s.lead_id, s.version, s.stage, s.enter_time, s.leave_time from unnest(@leave_from, @leave_to) as edge(start, stop)
              cross join lateral (
                select * from stage_stay n where n.workspace_id = @workspace and n.enter_time >= edge.start and n.enter_time < edge.stop offset 0) n
              cross join lateral (
                select * from stage_stay s where s.workspace_id = @workspace and s.lead_id = n.lead_id and s.leave_time = n.enter_time offset 0) s)
            select number, array_agg(place) as places, array_agg(stays) as stays, array_agg(milliseconds) as milliseconds from (
              select number, place, sum(stays)::bigint as stays, sum(milliseconds)::bigint as milliseconds from (
                select s.stage as number, s.place, s.stays, s.milliseconds from stay_sum s where s.workspace_id = @workspace and s.kind = 3 and {counted}
                union all
                select s.stage, conversion.stay_place(s.enter_time, s.leave_time), s.sign, s.sign * {Length}
                from stay_loose s where s.workspace_id = @workspace and s.leave_time is not null and {isOf("_counted")}
                union all
                select s.stage, conversion.stay_place(s.enter_time, s.leave_time), s.sign, s.sign * {Length}
                from (select s.*, ({isOf("")})::int - ({isOf("_counted")})::int as sign from near s) s where s.sign <> 0) part
              group by 1, 2 having sum(stays) <> 0) bucket
            group by 1
            """,
            parameters,
            cancellationToken: tx.CancellationToken));
        return stages.Select(stage => stage.ToDays()).ToArray();
    }

    private sealed class StageBuckets
    {
        public short Number { get; init; }

        public int[] Places { get; init; } = [];

        public long[] Stays { get; init; } = [];

        public long[] Milliseconds { get; init; } = [];

        public StageDays ToDays()
        {
            var order = Enumerable.Range(0, Places.Length).OrderBy(index => Places[index]).ToArray();
            return new(Number, Stays.Sum(), Percentile(order, 0.5), Percentile(order, 0.9));
        }

        /// <summary>
        /// The value at a share of the way from the first to the last, between two values by interpolation (as percentile_cont).
        /// </summary>
        private double Percentile(int[] order, double share)
        {
            var place = share * (Stays.Sum() - 1);
            var (below, above) = ((long)Math.Floor(place), (long)Math.Ceiling(place));
            return Value(order, below) + ((place - below) * (Value(order, above) - Value(order, below)));
        }

        private double Value(int[] order, long place)
        {
            foreach (var index in order)
            {
                if (place < Stays[index])
                {
                    return Milliseconds[index] / (double)Stays[index] / TimeSpan.MillisecondsPerDay;
                }

                place -= Stays[index];
            }

            throw new ArgumentOutOfRangeException(nameof(place), place, "There are not as many stays.");
        }
    }
}

/// <summary>Days in one stage of those that left it.</summary>
public sealed record StageDays(short Number, long Leavers, double Median, double Ninetieth);
