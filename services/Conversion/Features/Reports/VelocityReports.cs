using Lifecycle.Conversion.Features.QueryMetrics;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>How fast leads move, how fast qualified leads grow, and what the pipeline yields a day.</summary>
public sealed class VelocityReports(UnitOfWork<ConversionDbContext> work)
{
    /// <summary>The people that took a step in the period with the days it took: first entry into a stage to first entry into a later
    /// one. People of several leads that were merged are looked at apart: their entries may lie on different leads.</summary>
    private const string Taken =
        """
        with step(earlier, later) as (values (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (2, 6)),
        family as (
          select s.*, s.person_id as person from stage_stay s where s.workspace_id = @workspace and s.person_id is not null
          union all
          select s.*, s.lead_id from (select distinct person_id from stage_stay where workspace_id = @workspace and person_id is not null) m
          join stage_stay s on s.workspace_id = @workspace and s.lead_id = m.person_id),
        taken as (
          select b.workspace_id, b.source_key, coalesce(b.person_id, b.lead_id) as lead_id, a.stage as from_number, b.stage as number, b.enter_time as time,
            date_part('epoch', b.enter_time - a.enter_time) / 86400.0 as days
          from stage_stay b join step t on t.later = b.stage
          join stage_stay a on a.workspace_id = b.workspace_id and a.lead_id = b.lead_id and a.stage = t.earlier and a.counts and a.previous_time is null
            and a.enter_time <= b.enter_time
          where b.workspace_id = @workspace and b.enter_time >= @first and b.enter_time < @last and b.counts and b.previous_time is null
          union all
          select b.workspace_id, b.source_key, b.person, a.stage, b.stage, b.enter_time, date_part('epoch', b.enter_time - a.enter_time) / 86400.0
          from family b join step t on t.later = b.stage
          join family a on a.person = b.person and a.lead_id <> b.lead_id and a.stage = t.earlier and a.counts and a.previous_time is null
            and a.enter_time <= b.enter_time
          where b.enter_time >= @first and b.enter_time < @last and b.counts and b.previous_time is null)
        """;

    /// <summary>The rows behind one step.</summary>
    public static string Steps { get; } =
        $"""
        {Taken}
        select s.lead_id::text as key, s.lead_id, s.number, s.time, s.days, d.channel, d.source, d.medium, d.campaign, d.keyword, d.landing_page
        from taken s left join lead_source d on d.workspace_id = s.workspace_id and d.source_key = s.source_key
        where s.from_number = @from_stage and s.number = @stage
        """;

    public Task<Result<VelocityReport>> Handle(ReportQuery query, CancellationToken ct) =>
        work.Read(query.Caller.WorkspaceId, async tx =>
        {
            if (await SourceReports.MixedCurrency(tx, query) is { } mixed)
            {
                return (Result<VelocityReport>)mixed;
            }

            await ReportMemory.Prepare(tx);
            var cut = Cut.Of(query.Granules, query.Dimensions);
            var report = new VelocityReport { Rows = { await Rows(tx, query, cut) } };
            foreach (var step in await ReportData.Query<Step>(
                tx,
                cut,
                $"""
                {Taken}
                select granule, grp, from_number, number, leads, days[1] as median, days[2] as ninetieth, mean from (
                  select {cut.Point("s.time")} - 1 as granule, {cut.Group} as grp, s.from_number, s.number, count(*) as leads,
                    percentile_cont(array[0.5, 0.9]) within group (order by s.days) as days, avg(s.days) as mean
                  from taken s {cut.JoinSource("s")} group by 1, 2, 3, 4) part
                order by 1, 2, 3, 4
                """))
            {
                report.Transitions.Add(new VelocityTransition
                {
                    Start = query.Start(step.Granule),
                    Group = { GroupKeys.Split(step.Grp, query.Dimensions) },
                    From = ((Stage)step.FromNumber).ToProto(),
                    To = ((Stage)step.Number).ToProto(),
                    Leads = step.Leads,
                    MedianDays = Math.Round(step.Median, 6),
                    P90Days = Math.Round(step.Ninetieth, 6),
                    MeanDays = Math.Round(step.Mean, 6),
                });
            }

            if (report.Rows.Count == 0 && report.Transitions.Count == 0)
            {
                (report.EmptyReason, report.Note) = await EmptyReport.Explain(
                    tx, query, EmptyReport.Everything, "No lead moved and no deal was open, opened or closed in the period.");
            }

            return report;
        }, ct);

    private static async Task<IReadOnlyList<VelocityRow>> Rows(Transaction<ConversionDbContext> tx, ReportQuery query, Cut cut)
    {
        var first = query.Granules[0];
        var start = query.Granularity is { } granularity
            ? ConversionMetrics.Before(first.Start, granularity)
            : first.Start.AddDays(first.Start.DayNumber - first.End.DayNumber);
        var before = new Granule(start, first.Start, ReportPeriod.Midnight(start, query.Caller.TimeZone), first.From);
        var qualified = (await ReportData.Entered(tx, cut, Stage.Mql))
            .ToDictionary(entry => (entry.Granule, entry.Grp), entry => entry.Entered);
        foreach (var entry in await ReportData.Entered(tx, Cut.Of([before], query.Dimensions), Stage.Mql))
        {
            qualified[(-1, entry.Grp)] = entry.Entered;
        }

        var deals = (await ReportData.Deals(tx, cut)).ToDictionary(deal => (deal.Granule, deal.Grp));
        var groups = qualified.Keys.Select(key => key.Grp).Union(deals.Keys.Select(key => key.Grp)).Order(StringComparer.Ordinal).ToArray();
        var open = groups.ToDictionary(group => group, _ => 0L, StringComparer.Ordinal);
        var rows = new List<VelocityRow>();
        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            foreach (var group in groups)
            {
                var deal = deals.GetValueOrDefault((granule, group));
                open[group] = deal?.Open ?? open[group];
                var row = new VelocityRow
                {
                    Start = query.Start(granule),
                    Group = { GroupKeys.Split(group, query.Dimensions) },
                    Qualified = qualified.GetValueOrDefault((granule, group)),
                    QualifiedBefore = qualified.GetValueOrDefault((granule - 1, group)),
                    OpenOpportunities = open[group],
                };
                if (row.QualifiedBefore > 0)
                {
                    row.LeadVelocityRate = (row.Qualified - row.QualifiedBefore) / (double)row.QualifiedBefore;
                }

                AddPipeline(query, row, deal);
                rows.Add(row);
            }
        }

        return rows;
    }

    /// <summary>Open × win rate × average won / cycle days.</summary>
    private static void AddPipeline(ReportQuery query, VelocityRow row, DealCount? deal)
    {
        if (deal is null || deal.Won + deal.Lost == 0)
        {
            return;
        }

        row.WinRate = deal.Won / (double)(deal.Won + deal.Lost);
        if (deal.Won == 0)
        {
            return;
        }

        var digits = Money.MinorDigits(query.Caller.CurrencyCode);
        var (average, cycle) = (deal.Bookings / deal.Won, deal.CycleDays / deal.Won);
        (row.AverageWon, row.CycleDays) = (SourceReports.Money(query, Math.Round(average, digits)), Math.Round(cycle, 6));
        if (cycle > 0)
        {
            row.PipelineVelocity = SourceReports.Money(
                query, Math.Round(row.OpenOpportunities * (decimal)row.WinRate * average / (decimal)cycle, digits));
        }
    }

    private sealed class Step
    {
        public int Granule { get; init; }

        public string Grp { get; init; } = "";

        public short FromNumber { get; init; }

        public short Number { get; init; }

        public long Leads { get; init; }

        public double Median { get; init; }

        public double Ninetieth { get; init; }

        public double Mean { get; init; }
    }
}
