using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Who entered each stage, who sits there, who went on and how long it took.</summary>
public sealed class FunnelReports(UnitOfWork<ConversionDbContext> work, StallLimits limitsOf)
{
    private static readonly Stage[] Stages =
    [
        Stage.Lead, Stage.Mql, Stage.Sql, Stage.Opportunity, Stage.Customer, Stage.Advocate, Stage.Disqualified, Stage.Churned,
    ];

    public Task<FunnelReport> Handle(ReportQuery query, CancellationToken ct) => work.Read(query.Caller.WorkspaceId, async tx =>
    {
        await ReportMemory.Prepare(tx);
        var limits = await limitsOf.Read(tx);
        var (stages, isEmpty) = await Whole(tx, query, limits);
        var report = new FunnelReport { Stages = { stages } };
        if (isEmpty)
        {
            (report.EmptyReason, report.Note) = await EmptyReport.Explain(
                tx, query, EmptyReport.Stays, "No lead entered a stage in the period, and none was in one when it ended.");
        }

        if (query.IsCut || query.Dimensions.Count > 0)
        {
            foreach (var ((granule, group), block) in await Blocks(tx, query, query.Granules, query.Dimensions, limits))
            {
                report.Blocks.Add(new FunnelBlock
                {
                    Start = query.Start(granule),
                    Group = { GroupKeys.Split(group, query.Dimensions) },
                    Stages = { block },
                });
            }
        }

        return report;
    }, ct);

    private static async Task<(FunnelStage[] Stages, bool IsEmpty)> Whole(
        Transaction<ConversionDbContext> tx, ReportQuery query, IReadOnlyDictionary<Stage, double> limits)
    {
        var (cut, stages, isEmpty) = (Cut.Of([query.Whole], []), Empty(), true);
        foreach (var count in (await FunnelWhole.Counts(tx, cut, query.IsSnapshot, limits))
            .Where(count => count.Entered + count.Current > 0))
        {
            var stage = Find(stages, count.Number);
            (stage.Entered, stage.Current, stage.Stalled, isEmpty) = (count.Entered, count.Current, count.Stalled, false);
            SetRate(stage, count.Number, count.Entered, count.WentOn);
        }

        foreach (var days in await StayLengths.InPeriod(tx, cut, query.IsSnapshot))
        {
            var stage = Find(stages, days.Number);
            (stage.MedianDays, stage.P90Days, isEmpty) = (Math.Round(days.Median, 6), Math.Round(days.Ninetieth, 6), false);
        }

        return (stages, isEmpty);
    }

    private static async Task<SortedDictionary<(int Granule, string Group), FunnelStage[]>> Blocks(
        Transaction<ConversionDbContext> tx, ReportQuery query, IReadOnlyList<Granule> granules, IReadOnlyList<string> dimensions,
        IReadOnlyDictionary<Stage, double> limits)
    {
        var cut = Cut.Of(granules, dimensions);
        var blocks = new SortedDictionary<(int Granule, string Group), FunnelStage[]>();
        foreach (var entry in (await ReportData.Entries(tx, cut, query.IsSnapshot)).Where(entry => entry.Entered > 0))
        {
            var stage = Row(entry.Granule, entry.Grp, entry.Number);
            stage.Entered = entry.Entered;
            SetRate(stage, entry.Number, entry.Entered, entry.WentOn);
        }

        foreach (var stay in await Stays(tx, cut, query.IsSnapshot))
        {
            var stage = Row(stay.Granule, stay.Grp, stay.Number);
            (stage.MedianDays, stage.P90Days) = (Math.Round(stay.Median, 6), Math.Round(stay.Ninetieth, 6));
        }

        foreach (var sitting in await SittingLeads.Read(tx, cut, limits))
        {
            var stage = Row(sitting.Granule, sitting.Group, (short)sitting.Stage);
            (stage.Current, stage.Stalled) = (sitting.Current, sitting.Stalled);
        }

        return blocks;

        FunnelStage Row(int granule, string group, short number)
        {
            if (!blocks.TryGetValue((granule, group), out var block))
            {
                blocks[(granule, group)] = block = Empty();
            }

            return Find(block, number);
        }
    }

    /// <summary>Days from entering within a point to leaving, of those who left (a snapshot: until the point ended).</summary>
    private static Task<IEnumerable<Stay>> Stays(Transaction<ConversionDbContext> tx, Cut cut, bool asOfEnd)
    {
        var end = cut.From.Length == 1 ? "@last" : "(@to)[width_bucket(s.enter_time, @from)]";
        return ReportData.Query<Stay>(
            tx,
            cut,
            $"""
            select granule, grp, number, days[1] as median, days[2] as ninetieth from (
              select {cut.Point("s.enter_time")} - 1 as granule, {cut.Group} as grp, s.stage as number,
                percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', s.leave_time - s.enter_time) / 86400.0) as days
              from stage_stay s {cut.JoinSource("s")}
              where s.workspace_id = @workspace and s.enter_time >= @first and s.enter_time < @last
                and s.leave_time {(asOfEnd ? $"< {end}" : "is not null")}
              group by 1, 2, 3) stay
            """);
    }

    private static FunnelStage Find(FunnelStage[] block, short number) => block[Array.IndexOf(Stages, (Stage)number)];

    /// <summary>Stages that nothing follows in the funnel have no rate.</summary>
    private static void SetRate(FunnelStage stage, short number, long entered, long wentOn)
    {
        if (entered > 0 && (Stage)number is >= Stage.Lead and < Stage.Advocate)
        {
            (stage.Converted, stage.ConversionRate) = (wentOn, wentOn / (double)entered);
        }
    }

    private static FunnelStage[] Empty() => Stages.Select(stage => new FunnelStage { Stage = stage.ToProto() }).ToArray();

    private sealed class Stay
    {
        public int Granule { get; init; }

        public string Grp { get; init; } = "";

        public short Number { get; init; }

        public double Median { get; init; }

        public double Ninetieth { get; init; }
    }
}
