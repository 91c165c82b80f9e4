using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;
using ReportRow = Lifecycle.Conversion.V1.OpportunityRow;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>From clicks to revenue: the source, attribution, roi and opportunity reports. Amounts of different currencies are refused, not
/// mixed.</summary>
public sealed class SourceReports(UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options)
{
    public Task<Result<SourceReport>> Source(ReportQuery query, CancellationToken ct) => Read(query, async (tx, deals) =>
    {
        var cut = Cut.Of(query.Granules, query.Dimensions);
        var rows = new SortedDictionary<(int Granule, string Group), SourceRow>();
        foreach (var lead in await ReportData.Leads(tx, cut))
        {
            var row = Row(lead.Granule, lead.Grp);
            (row.Leads, row.FormLeads, row.CallLeads, row.ChatLeads) = (lead.Leads, lead.Forms, lead.Calls, lead.Chats);
        }

        foreach (var entry in await ReportData.Entries(tx, cut))
        {
            var row = Row(entry.Granule, entry.Grp);
            row.Mqls += entry.Stage == "MQL" ? entry.Entered : 0;
            row.Sqls += entry.Stage == "SQL" ? entry.Entered : 0;
        }

        foreach (var deal in (await ReportData.Deals(tx, cut)).Where(deal => deal.Opened > 0))
        {
            Row(deal.Granule, deal.Grp).Opportunities = deal.Opened;
        }

        var spend = (await ReportData.Spend(tx, cut)).ToDictionary(sum => (sum.Granule, sum.Grp));
        foreach (var (key, sum) in spend)
        {
            (Row(key.Granule, key.Grp).Clicks, Row(key.Granule, key.Grp).Spend) = (sum.Clicks, Money(query, sum.Amount));
        }

        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            foreach (var credit in deals.FirstWon(granule))
            {
                Row(granule, credit.Group).Customers = Rounded(credit.Conversions);
            }

            foreach (var credit in deals.Won(granule))
            {
                Row(granule, credit.Group).Revenue = credit.Value.ToProto();
            }

            var year = deals.YearWon(granule).ToDictionary(credit => credit.Group, credit => credit.Value.Amount);
            foreach (var ((_, group), row) in rows.Where(pair => pair.Key.Granule == granule))
            {
                if (Roi(year.GetValueOrDefault(group), spend.TryGetValue((granule, group), out var sum) ? sum.Amount : 0) is { } roi)
                {
                    row.Roi = roi;
                }
            }
        }

        return new SourceReport { Rows = { rows.Values }, Note = Note(rows.Count, "No lead, deal or spend falls into the period.", deals) };

        SourceRow Row(int granule, string group)
        {
            if (!rows.TryGetValue((granule, group), out var row))
            {
                rows[(granule, group)] = row = new SourceRow
                {
                    Start = query.Start(granule),
                    Group = { GroupKeys.Split(group, query.Dimensions) },
                    Revenue = Money(query, 0),
                    Spend = Money(query, 0),
                };
            }

            return row;
        }
    }, ct);

    public Task<Result<AttributionReport>> Attribution(ReportQuery query, CancellationToken ct) => Read(query, (_, deals) =>
    {
        var report = new AttributionReport { Model = (AttributionModel)(int)query.Model };
        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            report.Rows.AddRange(deals.Won(granule).OrderByDescending(credit => credit.Value.Amount).ThenBy(
                credit => credit.Group, StringComparer.Ordinal)
                .Select(credit => Row(query, granule, credit)));
        }

        report.Note = Note(report.Rows.Count, "No deal was won in the period.", deals);
        return Task.FromResult(report);
    }, ct);

    public Task<Result<RoiReport>> Roi(ReportQuery query, CancellationToken ct) => Read(query, async (tx, deals) =>
    {
        var spend = await ReportData.Spend(tx, Cut.Of(query.Granules, query.Dimensions));
        var report = new RoiReport();
        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            var spent = spend.Where(sum => sum.Granule == granule).ToDictionary(sum => sum.Grp, sum => sum.Amount);
            var booked = deals.YearWon(granule).ToDictionary(credit => credit.Group);
            foreach (var group in spent.Keys.Union(booked.Keys).Order(StringComparer.Ordinal))
            {
                var bookings = booked.GetValueOrDefault(group);
                var row = new RoiRow
                {
                    Start = query.Start(granule),
                    Group = { GroupKeys.Split(group, query.Dimensions) },
                    Spend = Money(query, spent.GetValueOrDefault(group)),
                    Bookings = Money(query, bookings?.Value.Amount ?? 0),
                    Customers = Rounded(bookings?.Conversions ?? 0),
                };
                if (Roi(bookings?.Value.Amount ?? 0, spent.GetValueOrDefault(group)) is { } roi)
                {
                    row.Roi = roi;
                }

                report.Rows.Add(row);
            }
        }

        report.Note = Note(report.Rows.Count, "Neither spend nor a deal of a lead created in the period is known.", deals);
        return report;
    }, ct);

    public Task<Result<OpportunityReport>> Opportunity(ReportQuery query, CancellationToken ct) =>
        work.Read(query.Caller.WorkspaceId, async tx =>
        {
            if (await MixedCurrency(tx, query) is { } mixed)
            {
                return (Result<OpportunityReport>)mixed;
            }

            var cells = await ReportData.Query<Cell>(
                tx,
                Cut.Of(query.Granules, query.Dimensions),
                $"""
                select (g.n - 1)::int as granule, {GroupKeys.Sql("p", query.Dimensions)} as grp, l.display_name as pipeline, o.stage, o.state,
                  count(*) as count, sum(o.amount) as amount,
                  sum(case o.state when 'WON' then o.amount when 'LOST' then 0 else o.amount * coalesce(step.probability, 0) end) as weighted
                from unnest(@from, @to) with ordinality as g(begin_time, end_time, n)
                join opportunity o on o.workspace_id = @workspace and o.create_time >= g.begin_time and o.create_time < g.end_time
                join pipeline l on l.workspace_id = o.workspace_id and l.id = o.pipeline_id
                left join lead p on p.workspace_id = o.workspace_id and p.lead_id = o.lead_id
                left join lateral (
                  select (s.step ->> 'probability')::numeric as probability, s.n as place from jsonb_array_elements(l.stages) with ordinality as s(step, n)
                  where s.step ->> 'name' = o.stage) step on true
                group by 1, 2, 3, 4, 5 order by 1, 3, min(step.place), 5, 2
                """);
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
                        Amount = Money(query, cell.Amount),
                        WeightedAmount = Money(query, Math.Round(cell.Weighted, Kernel.Money.MinorDigits(query.Caller.CurrencyCode))),
                    }),
                },
            };
            report.Note = report.Rows.Count == 0 ? "No opportunity was opened in the period." : "";
            return report;
        }, ct);

    /// <summary>(1-year bookings − spend) / spend; null without spend.</summary>
    public static double? Roi(decimal bookings, decimal spend) => spend == 0 ? null : (double)((bookings - spend) / spend);

    private Task<Result<T>> Read<T>(
        ReportQuery query, Func<Transaction<ConversionDbContext>, CreditedDeals, Task<T>> report, CancellationToken ct) =>
        work.Read(query.Caller.WorkspaceId, async tx =>
        {
            if (await MixedCurrency(tx, query) is { } mixed)
            {
                return mixed;
            }

            var deals = await CreditedDeals.Read(tx, query, options.Value.MaxReportDeals);
            return deals.TryGet(out var read, out var error) ? (Result<T>)await report(tx, read) : error;
        }, ct);

    private static async Task<Error?> MixedCurrency(Transaction<ConversionDbContext> tx, ReportQuery query) =>
        await ReportData.ForeignCurrency(tx, query.Caller.CurrencyCode) is { } foreign
            ? Error.Precondition(
                $"There are amounts in {foreign} and the workspace reports in {query.Caller.CurrencyCode}; currencies are not mixed.")
            : null;

    private static AttributionRow Row(ReportQuery query, int granule, DealCredit credit)
    {
        var row = new AttributionRow
        {
            Start = query.Start(granule),
            Group = { GroupKeys.Split(credit.Group, query.Dimensions) },
            Conversions = Rounded(credit.Conversions),
            Value = credit.Value.ToProto(),
        };
        if (credit.RemovalEffect is { } effect)
        {
            row.RemovalEffect = Math.Round(effect, 12);
        }

        return row;
    }

    private static string Note(int rows, string empty, CreditedDeals deals) => rows == 0
        ? empty
        : deals.Pending > 0 ? $"The journeys before {deals.Pending} deals are still being fetched; until then the first touch is credited." : "";

    private static Common.V1.Money Money(ReportQuery query, decimal amount) => new Money(query.Caller.CurrencyCode, amount).ToProto();

    private static double Rounded(decimal value) => (double)Math.Round(value, 9);

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
    }
}
