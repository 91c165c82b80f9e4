using System.Collections.Concurrent;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// How long a lead may sit in a stage before it counts as stalled. What a year has taught hardly changes from minute to minute: it is
/// learnt anew after <see cref="ConversionOptions.StallLimitSeconds"/>, in each process.
/// </summary>
public sealed class StallLimits(IOptions<ConversionOptions> settings)
{
    private const int MaxWorkspaces = 1_000;

    private readonly ConcurrentDictionary<Guid, (DateTimeOffset At, IReadOnlyDictionary<Stage, double> Days)> known = [];

    /// <summary>The moment before which an entry counts as stalled at <paramref name="until"/>.</summary>
    public static DateTimeOffset Before(DateTimeOffset until, double days) =>
        until.AddTicks(-(long)Math.Round(days * TimeSpan.TicksPerDay / 10) * 10);

    /// <summary>Days by stage: the 90th percentile of those that left it within a year, or the setting where too few have.</summary>
    public async Task<IReadOnlyDictionary<Stage, double>> Read(Transaction<ConversionDbContext> tx)
    {
        if (known.TryGetValue(tx.WorkspaceId, out var last) && tx.Now - last.At < TimeSpan.FromSeconds(settings.Value.StallLimitSeconds))
        {
            return last.Days;
        }

        if (known.Count >= MaxWorkspaces)
        {
            known.Clear();
        }

        var days = await Learn(tx, settings.Value);
        known[tx.WorkspaceId] = (tx.Now, days);
        return days;
    }

    private static async Task<IReadOnlyDictionary<Stage, double>> Learn(Transaction<ConversionDbContext> tx, ConversionOptions options)
    {
        var known = (await StayLengths.EndedSince(tx, tx.Now.AddYears(-1))).ToDictionary(days => (Stage)days.Number);
        return Enum.GetValues<Stage>().ToDictionary(
            stage => stage,
            stage => known.TryGetValue(stage, out var seen) && seen.Leavers >= options.StallMinimumLeads
                ? seen.Ninetieth
                : options.StallDays);
    }
}

/// <summary>Leads in a stage when a point ended, or now where it has not.</summary>
public sealed record SittingCount(int Granule, string Group, Stage Stage, long Current, long Stalled);

/// <summary>
/// Counts who sat where when each point ended, in one pass: a stay adds to the points after its entry and takes from those after its
/// leaving, and likewise for the moment at which it began to count as stalled; the sums run over the points.
/// </summary>
public static class SittingLeads
{
    public static async Task<IReadOnlyList<SittingCount>> Read(
        Transaction<ConversionDbContext> tx, Cut cut, IReadOnlyDictionary<Stage, double> limits)
    {
        var until = Until(tx, cut);
        var changes = await ReportData.Query<Change>(
            tx,
            cut,
            $"""
            with stay as (
              select s.workspace_id, s.source_key, s.stage as number, {Place("s.enter_time")} as entered, {Place("s.leave_time")} as "left",
                {Place("s.enter_time + (@limits)[s.stage]")} as stalled, count(*) as leads
              from stage_stay s
              where s.workspace_id = @workspace and s.enter_time < @until_last and s.person_id is null
              group by 1, 2, 3, 4, 5, 6)
            select {cut.Group} as grp, s.number, s.entered, s."left", s.stalled, sum(s.leads)::bigint as leads
            from stay s {cut.JoinSource("s")} group by 1, 2, 3, 4, 5
            """,
            new
            {
                until,
                until_last = until[^1],
                limits = Enumerable.Range(1, 9).Select(stage => until[0] - StallLimits.Before(until[0], limits[(Stage)stage])).ToArray()
            });

        var sums = new Dictionary<(string Group, short Number), (long[] Current, long[] Stalled)>();
        foreach (var change in changes)
        {
            if (!sums.TryGetValue((change.Grp, change.Number), out var points))
            {
                sums[(change.Grp, change.Number)] = points = (new long[until.Length + 1], new long[until.Length + 1]);
            }

            points.Current[change.Entered] += change.Leads;
            points.Current[change.Left] -= change.Leads;
            points.Stalled[change.Stalled] += change.Leads;
            points.Stalled[Math.Max(change.Stalled, change.Left)] -= change.Leads;
        }

        var counts = new List<SittingCount>();
        foreach (var ((group, number), (current, stalled)) in sums)
        {
            var (sits, stalls) = (0L, 0L);
            for (var granule = 0; granule < until.Length; granule++)
            {
                (sits, stalls) = (sits + current[granule], stalls + stalled[granule]);
                if (sits > 0)
                {
                    counts.Add(new SittingCount(granule, group, (Stage)number, sits, stalls));
                }
            }
        }

        return counts;

        // Ends at or before the time: the point from which on it has happened; one past the last where it has not.
        string Place(string time) =>
            until.Length == 1
                ? $"case when {time} < @until_last then 0 else 1 end"
                : $"coalesce(width_bucket({time}, @until), {until.Length})";
    }

    /// <summary>The end of each point, or now where that is earlier.</summary>
    public static DateTimeOffset[] Until(Transaction<ConversionDbContext> tx, Cut cut) =>
        cut.To.Select(end => end < tx.Now ? end : tx.Now).ToArray();

    private sealed class Change
    {
        public string Grp { get; init; } = "";

        public short Number { get; init; }

        /// <summary>Place of the first point that ends after the entry.</summary>
        public int Entered { get; init; }

        public int Left { get; init; }

        public int Stalled { get; init; }

        public long Leads { get; init; }
    }
}
