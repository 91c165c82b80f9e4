using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Who entered each stage, who sits there, who went on and how long it took.</summary>
public sealed class FunnelReports(UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options)
{
    private static readonly Stage[] Stages =
    [
        Stage.Lead, Stage.Mql, Stage.Sql, Stage.Opportunity, Stage.Customer, Stage.Advocate, Stage.Disqualified, Stage.Churned,
    ];

    public Task<FunnelReport> Handle(ReportQuery query, CancellationToken ct) => work.Read(query.Caller.WorkspaceId, async tx =>
    {
        var whole = new Granule(query.Granules[0].Start, query.Granules[^1].End, query.Granules[0].From, query.Granules[^1].To);
        var all = await Blocks(tx, [whole], []);
        var report = new FunnelReport { Stages = { all.TryGetValue((0, ""), out var stages) ? stages : Empty() } };
        if (all.Count == 0)
        {
            report.Note = "No lead entered a stage in the period, and none was in one when it ended.";
        }

        if (query.IsCut || query.Dimensions.Count > 0)
        {
            foreach (var ((granule, group), block) in await Blocks(tx, query.Granules, query.Dimensions))
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

    private async Task<SortedDictionary<(int Granule, string Group), FunnelStage[]>> Blocks(
        Transaction<ConversionDbContext> tx, IReadOnlyList<Granule> granules, IReadOnlyList<string> dimensions)
    {
        var cut = Cut.Of(granules, dimensions);
        var blocks = new SortedDictionary<(int Granule, string Group), FunnelStage[]>();
        foreach (var entry in await ReportData.Entries(tx, cut))
        {
            var stage = Row(entry.Granule, entry.Grp, entry.Stage);
            stage.Entered = entry.Entered;
            if (StageNames.Parse(entry.Stage) is >= Stage.Lead and < Stage.Advocate)
            {
                stage.ConversionRate = entry.WentOn / (double)entry.Entered;
            }
        }

        foreach (var stay in await Stays(tx, cut))
        {
            var stage = Row(stay.Granule, stay.Grp, stay.Stage);
            (stage.MedianDays, stage.P90Days) = (Math.Round(stay.Median, 6), Math.Round(stay.Ninetieth, 6));
        }

        foreach (var sitting in await Sitting(tx, cut))
        {
            var stage = Row(sitting.Granule, sitting.Grp, sitting.Stage);
            (stage.Current, stage.Stalled) = (sitting.Current, sitting.Stalled);
        }

        return blocks;

        FunnelStage Row(int granule, string group, string stage)
        {
            if (!blocks.TryGetValue((granule, group), out var block))
            {
                blocks[(granule, group)] = block = Empty();
            }

            return block[Array.IndexOf(Stages, StageNames.Parse(stage))];
        }
    }

    /// <summary>Days from entering within a point to leaving, of those who left.</summary>
    private static Task<IEnumerable<Stay>> Stays(Transaction<ConversionDbContext> tx, Cut cut) => ReportData.Query<Stay>(
        tx,
        cut,
        $"""
        select width_bucket(c.time, @from) - 1 as granule, {GroupKeys.Sql("p", cut.Dimensions)} as grp, c.to_stage as stage,
          percentile_cont(0.5) within group (order by extract(epoch from n.time - c.time) / 86400.0) as median,
          percentile_cont(0.9) within group (order by extract(epoch from n.time - c.time) / 86400.0) as ninetieth
        from stage_change c
        join stage_change n on n.workspace_id = c.workspace_id and n.lead_id = c.lead_id and n.version = c.version + 1
        join lead l on l.workspace_id = c.workspace_id and l.lead_id = c.lead_id
        join lead p on p.workspace_id = l.workspace_id and p.lead_id = coalesce(l.merged_into, l.lead_id)
        where c.workspace_id = @workspace and c.time >= @first and c.time < @last
        group by 1, 2, 3
        """);

    /// <summary>Who sat where when a point ended (or now), and who of these has sat too long by the experience of a year.</summary>
    private Task<IEnumerable<SittingCount>> Sitting(Transaction<ConversionDbContext> tx, Cut cut) => ReportData.Query<SittingCount>(
        tx,
        cut,
        $"""
        with experience as (
          select c.to_stage as stage, count(*) as leavers,
            percentile_cont(0.9) within group (order by extract(epoch from n.time - c.time) / 86400.0) as ninetieth
          from stage_change n
          join stage_change c on c.workspace_id = n.workspace_id and c.lead_id = n.lead_id and c.version = n.version - 1
          where n.workspace_id = @workspace and n.time >= @now - interval '1 year'
          group by 1)
        select (g.n - 1)::int as granule, {GroupKeys.Sql("p", cut.Dimensions)} as grp, c.to_stage as stage, count(*) as current,
          count(*) filter (where extract(epoch from least(g.end_time, @now) - c.time) / 86400.0
            > case when e.leavers >= @minimum then e.ninetieth else @stallDays end) as stalled
        from unnest(@from, @to) with ordinality as g(begin_time, end_time, n)
        join stage_change c on c.workspace_id = @workspace and c.time < g.end_time
        join lead p on p.workspace_id = c.workspace_id and p.lead_id = c.lead_id and p.merged_into is null
        left join stage_change n on n.workspace_id = c.workspace_id and n.lead_id = c.lead_id and n.version = c.version + 1
        left join experience e on e.stage = c.to_stage
        where n.time is null or n.time >= g.end_time
        group by 1, 2, 3
        """,
        new { now = tx.Now, minimum = options.Value.StallMinimumLeads, stallDays = (double)options.Value.StallDays });

    private static FunnelStage[] Empty() => Stages.Select(stage => new FunnelStage { Stage = stage.ToProto() }).ToArray();

    private sealed class Stay
    {
        public int Granule { get; init; }

        public string Grp { get; init; } = "";

        public string Stage { get; init; } = "";

        public double Median { get; init; }

        public double Ninetieth { get; init; }
    }

    private sealed class SittingCount
    {
        public int Granule { get; init; }

        public string Grp { get; init; } = "";

        public string Stage { get; init; } = "";

        public long Current { get; init; }

        public long Stalled { get; init; }
    }
}
