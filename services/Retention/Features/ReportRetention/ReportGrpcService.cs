using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Granularity = Lifecycle.Kernel.Granularity;
using ProtoGranularity = Lifecycle.Common.V1.Granularity;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>Cohorts, the MRR waterfall, NPS.</summary>
public sealed class ReportGrpcService(UnitOfWork<RetentionDbContext> work, TimeProvider time) : RetentionReportService.RetentionReportServiceBase
{
    public override Task<MrrReport> GetMrrReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = Period(request, caller);
        return work.Read(
            caller.WorkspaceId,
            async tx =>
            {
                var changes = await Facts.MrrChanges(tx, null, period.To);
                var rows = Mrr.Waterfall(changes.Select(fact => new MrrChange(fact.CustomerId, fact.OccurTime, fact.Delta)), Boundaries(period));
                Common.V1.Money Amount(decimal amount) => new Kernel.Money(caller.CurrencyCode, amount).ToProto();
                var report = new MrrReport { Note = changes.Count == 0 ? "No recurring revenue is recorded before the end of the period." : "" };
                for (var index = 0; index < rows.Count; index++)
                {
                    var row = rows[index];
                    var proto = new MrrRow
                    {
                        Start = Text(period.Granules[index].Start),
                        MrrStart = Amount(row.Start),
                        MrrNew = Amount(row.New),
                        MrrReactivation = Amount(row.Reactivation),
                        MrrExpansion = Amount(row.Expansion),
                        MrrContraction = Amount(row.Contraction),
                        MrrChurn = Amount(row.Churn),
                        MrrEnd = Amount(row.End),
                    };
                    if (row is { Grr: { } grr, Nrr: { } nrr })
                    {
                        (proto.Grr, proto.Nrr) = ((double)grr, (double)nrr);
                    }

                    report.Rows.Add(proto);
                }

                return report;
            },
            context.CancellationToken);
    }

    public override Task<NpsReport> GetNpsReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = Period(request, caller);
        return work.Read(
            caller.WorkspaceId,
            async tx =>
            {
                var scores = await Facts.NpsScores(tx, null, period.From, period.To);
                var byGranule = scores.ToLookup(fact => period.IndexOf(fact.Time), fact => fact.Score);
                var report = new NpsReport { Note = scores.Count == 0 ? "Nobody answered an NPS survey in the period." : "" };
                for (var index = 0; index < period.Granules.Count; index++)
                {
                    var count = NpsCount.Of(byGranule[index]);
                    var row = new NpsRow
                    {
                        Start = Text(period.Granules[index].Start),
                        Promoters = count.Promoters,
                        Passives = count.Passives,
                        Detractors = count.Detractors,
                    };
                    if (count.Score is { } score)
                    {
                        row.Nps = score;
                    }

                    report.Rows.Add(row);
                }

                return report;
            },
            context.CancellationToken);
    }

    public override Task<CohortsReport> GetCohortsReport(GetRetentionReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var period = Period(request, caller);
        var now = time.GetUtcNow();
        return work.Read(
            caller.WorkspaceId,
            async tx =>
            {
                var tenures = (await Facts.Tenures(tx, null, period.To)).ToLookup(fact => fact.CustomerId, fact => fact.Tenure);
                var changes = (await Facts.MrrChanges(tx, null, period.To)).ToLookup(fact => fact.CustomerId);
                var cohorts = tenures.ToLookup(customer => period.IndexOf(customer.Min(tenure => tenure.Start)), customer => customer.Key);
                var report = new CohortsReport { Note = tenures.Count == 0 ? "No customer began before the end of the period." : "" };
                for (var index = 0; index < period.Granules.Count; index++)
                {
                    report.Cohorts.Add(Cohort(period, index, now, caller.CurrencyCode, [.. cohorts[index]], tenures, changes));
                }

                return report;
            },
            context.CancellationToken);
    }

    private static Cohort Cohort(
        ReportPeriod period, int start, DateTimeOffset now, string currencyCode, Guid[] members, ILookup<Guid, Tenure> tenures, ILookup<Guid, MrrFact> changes)
    {
        var cohort = new Cohort { Start = Text(period.Granules[start].Start), Customers = members.Length, Mrr = new Kernel.Money(currencyCode, 0).ToProto() };
        decimal? first = null;
        foreach (var granule in period.Granules.Skip(start).TakeWhile(granule => granule.To <= now))
        {
            var left = members.Count(member => tenures[member].Any(tenure => tenure.Holds(granule.To)));
            var mrr = members.Sum(member => changes[member].Where(change => change.OccurTime < granule.To).Sum(change => change.Delta));
            first ??= mrr;
            var cell = new CohortCell { Customers = left, Mrr = new Kernel.Money(currencyCode, mrr).ToProto() };
            if (members.Length > 0)
            {
                cell.CustomerRetention = (double)left / members.Length;
            }

            if (first > 0)
            {
                cell.RevenueRetention = (double)(mrr / first.Value);
            }

            cohort.Cells.Add(cell);
        }

        cohort.Mrr = new Kernel.Money(currencyCode, first ?? 0).ToProto();
        return cohort;
    }

    private static ReportPeriod Period(GetRetentionReportRequest request, Caller caller) => ReportPeriod.Create(
        request.From, request.To, request.Granularity == ProtoGranularity.Unspecified ? Granularity.Month : (Granularity)(int)request.Granularity, caller.TimeZone).OrThrow();

    private static DateTimeOffset[] Boundaries(ReportPeriod period) => [.. period.Granules.Select(granule => granule.From), period.To];

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", null);
}
