using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using ReportRow = Lifecycle.Conversion.V1.OpportunityRow;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Opportunities opened in the period, by stage of the pipeline and first touch.</summary>
public sealed class OpportunityReports(UnitOfWork<ConversionDbContext> work)
{
    public Task<Result<OpportunityReport>> Handle(ReportQuery query, CancellationToken ct) =>
        work.Read(query.Caller.WorkspaceId, async tx =>
        {
            if (await SourceReports.MixedCurrency(tx, query) is { } mixed)
            {
                return (Result<OpportunityReport>)mixed;
            }

            await ReportMemory.Prepare(tx);
            var cut = Cut.Of(query.Granules, query.Dimensions);
            var cells = await ReportData.Query<Cell>(
                tx,
                cut,
                $"""
                select {cut.Point("o.create_time")} - 1 as granule, {cut.Group} as grp, l.display_name as pipeline, o.stage, o.state,
                  count(*) as count, sum(o.amount) as amount,
                  sum(case o.state when 'WON' then o.amount when 'LOST' then 0 else o.amount * coalesce(step.probability, 0) end) as weighted,
                  avg(date_part('epoch', coalesce(o.close_time, @now) - o.create_time) / 86400.0) as age_days
                from opportunity o
                join deal_fact f on f.workspace_id = o.workspace_id and f.opportunity_id = o.id
                join pipeline l on l.workspace_id = o.workspace_id and l.id = o.pipeline_id
                {cut.JoinSource("f")}
                left join lateral (
                  select (s.step ->> 'probability')::numeric as probability, s.n as place from jsonb_array_elements(l.stages) with ordinality as s(step, n)
                  where s.step ->> 'name' = o.stage) step on true
                where o.workspace_id = @workspace and o.create_time >= @first and o.create_time < @last
                group by 1, 2, 3, 4, 5 order by 1, 3, min(step.place), 5, 2
                """,
                new { now = tx.Now });
            var report = new OpportunityReport
            {
                Rows =
                {
                    cells.Select(cell => new ReportRow
                    {
                        Start = query.Start(cell.Granule),
                        Group = { GroupKeys.Split(cell.Grp, query.Dimensions) },
                        Pipeline = cell.Pipeline,
                        Stage = cell.Stage,
                        State = cell.State,
                        Count = cell.Count,
                        Amount = SourceReports.Money(query, cell.Amount),
                        WeightedAmount = SourceReports.Money(
                            query, Math.Round(cell.Weighted, Money.MinorDigits(query.Caller.CurrencyCode))),
                        AgeDays = Math.Round(cell.AgeDays, 6),
                    }),
                },
            };
            if (report.Rows.Count == 0)
            {
                (report.EmptyReason, report.Note) = await EmptyReport.Explain(
                    tx, query, EmptyReport.Deals, "No opportunity was opened in the period.");
            }

            return report;
        }, ct);

    private sealed class Cell
    {
        public int Granule { get; init; }

        public string Grp { get; init; } = "";

        public string Pipeline { get; init; } = "";

        public string Stage { get; init; } = "";

        public string State { get; init; } = "";

        public long Count { get; init; }

        public decimal Amount { get; init; }

        public decimal Weighted { get; init; }

        public double AgeDays { get; init; }
    }
}
