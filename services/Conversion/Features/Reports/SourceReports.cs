using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>From clicks to revenue: the source, attribution and roi reports. Amounts of different currencies are refused, not
/// mixed.</summary>
public sealed class SourceReports(UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options)
{
    public Task<Result<SourceReport>> Source(
        ReportQuery query, CancellationToken ct) => Read(query with { Kind = ConversionKind.Customer }, async (tx, deals) =>
        {
            var cut = Cut.Of(query.Granules, query.Dimensions);
            var rows = new SortedDictionary<(int Granule, string Group), SourceRow>();
            foreach (var lead in await ReportData.Leads(tx, cut))
            {
                var row = Row(lead.Granule, lead.Grp);
                (row.Leads, row.FormLeads, row.CallLeads, row.ChatLeads) = (lead.Leads, lead.Forms, lead.Calls, lead.Chats);
            }

            foreach (var entry in await ReportData.Entered(tx, cut, Stage.Mql, Stage.Sql))
            {
                var row = Row(entry.Granule, entry.Grp);
                row.Mqls += entry.Stage == "MQL" ? entry.Entered : 0;
                row.Sqls += entry.Stage == "SQL" ? entry.Entered : 0;
            }

            foreach (var deal in await ReportData.Opened(tx, cut))
            {
                Row(deal.Granule, deal.Grp).Opportunities = deal.Opened;
            }

            var spend = (await ReportData.Spend(tx, cut)).ToDictionary(sum => (sum.Granule, sum.Grp));
            var credits = await deals.Credit();
            foreach (var (key, sum) in spend)
            {
                (Row(key.Granule, key.Grp).Clicks, Row(key.Granule, key.Grp).Spend) = (sum.Clicks, Money(query, sum.Amount));
            }

            for (var granule = 0; granule < query.Granules.Count; granule++)
            {
                foreach (var credit in credits.FirstWon(granule))
                {
                    Row(granule, credit.Group).Customers = Rounded(credit.Conversions);
                }

                foreach (var credit in credits.Won(granule))
                {
                    Row(granule, credit.Group).Revenue = credit.Value.ToProto();
                }

                var year = credits.YearWon(granule).ToDictionary(credit => credit.Group, credit => credit.Value.Amount);
                foreach (var ((_, group), row) in rows.Where(pair => pair.Key.Granule == granule))
                {
                    if (Roi(year.GetValueOrDefault(group), spend.TryGetValue((granule, group), out var sum) ? sum.Amount : 0) is { } roi)
                    {
                        row.Roi = roi;
                    }
                }
            }

            var report = new SourceReport { Rows = { rows.Values } };
            (report.EmptyReason, report.Note) = await Note(
                tx, query, rows.Count, EmptyReport.Everything, "No lead, deal or spend falls into the period.", deals);
            return report;

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

    public Task<Result<AttributionReport>> Attribution(ReportQuery query, CancellationToken ct) => Read(query, async (tx, deals) =>
    {
        var report = new AttributionReport { Model = (AttributionModel)(int)query.Model, ConversionKind = query.Kind };
        if (deals.LookbackDays is { } days)
        {
            report.LookbackDays = days;
        }

        var credits = await deals.Credit();
        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            report.Rows.AddRange(credits.Won(granule).OrderByDescending(credit => credit.Value.Amount).ThenBy(
                credit => credit.Group, StringComparer.Ordinal)
                .Select(credit => Row(query, granule, credit)));
        }

        var isDeals = query.Kind == ConversionKind.Customer;
        (report.EmptyReason, report.Note) = await Note(
            tx, query, report.Rows.Count, isDeals ? EmptyReport.Wins : EmptyReport.Journeys,
            isDeals ? "No deal was won in the period." : $"No lead first reached {CreditedDeals.KindName(query.Kind)} in the period.",
            deals);
        return report;
    }, ct);

    public Task<Result<RoiReport>> Roi(
        ReportQuery query, CancellationToken ct) => Read(query with { Kind = ConversionKind.Customer }, async (tx, deals) =>
        {
            var spend = await ReportData.Spend(tx, Cut.Of(query.Granules, query.Dimensions));
            var credits = await deals.Credit();
            var report = new RoiReport();
            for (var granule = 0; granule < query.Granules.Count; granule++)
            {
                var spent = spend.Where(sum => sum.Granule == granule).ToDictionary(sum => sum.Grp, sum => sum.Amount);
                var booked = credits.YearWon(granule).ToDictionary(credit => credit.Group);
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

            (report.EmptyReason, report.Note) = await Note(
                tx, query, report.Rows.Count, EmptyReport.Everything,
                "Neither spend nor a deal of a lead created in the period is known.", deals);
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

            await ReportMemory.Prepare(tx);
            var deals = await CreditedDeals.ReadTotals(tx, query, options.Value.MaxReportDeals);
            if (!deals.TryGet(out var read, out var error))
            {
                return (Result<T>)error;
            }

            // While Postgres counts the rest.
            _ = read.Credit();
            return await report(tx, read);
        }, ct);

    /// <summary>The refusal to add amounts of different currencies; null where all are in the workspace's.</summary>
    public static async Task<Error?> MixedCurrency(Transaction<ConversionDbContext> tx, ReportQuery query) =>
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

    private static async Task<(EmptyReason Reason, string Note)> Note(
        Transaction<ConversionDbContext> tx, ReportQuery query, int rows, string span, string empty, CreditedDeals deals) => rows == 0
        ? await EmptyReport.Explain(tx, query, span, empty)
        : (EmptyReason.Unspecified, deals.Pending > 0
            ? $"The journeys before {deals.Pending} {(query.Kind == ConversionKind.Customer ? "deals" : "conversions")} are still being fetched; "
                + "until then the first touch is credited."
            : "");

    internal static Common.V1.Money Money(ReportQuery query, decimal amount) => new Money(query.Caller.CurrencyCode, amount).ToProto();

    private static double Rounded(decimal value) => (double)Math.Round(value, 9);
}
