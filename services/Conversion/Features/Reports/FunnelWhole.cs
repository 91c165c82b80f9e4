using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// The funnel of one period without groups, in two passes over the stays that Postgres spreads over its workers: plain counts by stage, and a
/// histogram of the days in each stage. (Sorting half a million stays for exact percentiles takes longer than all the rest.)
/// </summary>
public static class FunnelWhole
{
    /// <summary>Buckets of the histogram to a factor of e: each is a five-hundredth wide, and percentiles are off by less than that.</summary>
    private const int Fineness = 500;

    public static Task<IEnumerable<StageCount>> Counts(
        Transaction<ConversionDbContext> tx, Cut cut, bool asOfEnd, IReadOnlyDictionary<Stage, double> limits)
    {
        var until = SittingLeads.Until(tx, cut)[0];
        var isEntry = $"s.enter_time >= @first and s.enter_time < @last and s.counts and {ReportData.IsFirst(cut)}";
        const string Sits = "s.enter_time < @until and (s.leave_time is null or s.leave_time >= @until) and s.person_id is null";
        return ReportData.Query<StageCount>(
            tx,
            cut,
            $"""
            select s.stage as number, count(*) filter (where {isEntry}) as entered,
              count(*) filter (where {isEntry} and s.onward_time {(asOfEnd ? "< @last" : "is not null")}) as went_on,
              count(*) filter (where {Sits}) as current,
              count(*) filter (where {Sits} and s.enter_time < (@stalled_before)[s.stage]) as stalled
            from stage_stay s where s.workspace_id = @workspace and s.enter_time < greatest(@last, @until) group by 1
            """,
            new { until, stalled_before = Enumerable.Range(1, 9).Select(stage => StallLimits.Before(until, limits[(Stage)stage])).ToArray() });
    }

    public static async Task<IReadOnlyList<StageDays>> Days(Transaction<ConversionDbContext> tx, Cut cut, bool asOfEnd)
    {
        var buckets = await ReportData.Query<Bucket>(
            tx,
            cut,
            $"""
            select number, floor(ln(greatest(days, 1e-9)) * {Fineness})::int as place, count(*) as leads, min(days) as least, max(days) as most from (
              select s.stage as number, date_part('epoch', s.leave_time - s.enter_time) / 86400.0 as days from stage_stay s
              where s.workspace_id = @workspace and s.enter_time >= @first and s.enter_time < @last
                and s.leave_time {(asOfEnd ? "< @last" : "is not null")}) stay
            group by 1, 2
            """);
        return buckets.GroupBy(bucket => bucket.Number).Select(stage =>
        {
            var ordered = stage.OrderBy(bucket => bucket.Place).ToArray();
            return new StageDays(stage.Key, Percentile(ordered, 0.5), Percentile(ordered, 0.9));
        }).ToArray();
    }

    /// <summary>The value at a share of the way from the first to the last, between two values by interpolation (as percentile_cont).</summary>
    private static double Percentile(Bucket[] ordered, double share)
    {
        var place = share * (ordered.Sum(bucket => bucket.Leads) - 1);
        var (below, above) = ((long)Math.Floor(place), (long)Math.Ceiling(place));
        return Value(ordered, below) + ((place - below) * (Value(ordered, above) - Value(ordered, below)));
    }

    private static double Value(Bucket[] ordered, long place)
    {
        foreach (var bucket in ordered)
        {
            if (place < bucket.Leads)
            {
                return bucket.Leads == 1 ? bucket.Least : bucket.Least + ((bucket.Most - bucket.Least) * place / (bucket.Leads - 1));
            }

            place -= bucket.Leads;
        }

        return ordered[^1].Most;
    }

    private sealed class Bucket
    {
        public short Number { get; init; }

        public int Place { get; init; }

        public long Leads { get; init; }

        public double Least { get; init; }

        public double Most { get; init; }
    }
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

/// <summary>Days in one stage of those that left it.</summary>
public sealed record StageDays(short Number, double Median, double Ninetieth);
