using Lifecycle.Kernel;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ReportRetention;

/// <summary>Cohorts as they are told: granules still to end are missing.</summary>
internal static class CohortReports
{
    public static CohortsReport Of(IReadOnlyCollection<CohortStep> steps, ReportPeriod period, DateTimeOffset now, string currencyCode)
    {
        var byCohort = steps.ToLookup(step => step.Cohort);
        var report = new CohortsReport { Note = steps.Count == 0 ? "No customer began in the period." : "" };
        for (var index = 0; index < period.Granules.Count; index++)
        {
            report.Cohorts.Add(Cohort(byCohort[index + 1].ToLookup(step => step.Granule), index, period, now, currencyCode));
        }

        return report;
    }

    private static Cohort Cohort(ILookup<int, CohortStep> steps, int start, ReportPeriod period, DateTimeOffset now, string currencyCode)
    {
        var began = steps.SelectMany(step => step).Sum(step => step.Began);
        var cohort = new Cohort { Start = period.Granules[start].Start.ToString("yyyy-MM-dd", null), Customers = began };
        var (left, mrr, first) = (0L, 0m, (decimal?)null);
        // What precedes the cohort's own granule (a sale before the customer's start) counts from its first cell on.
        for (var earlier = 0; earlier <= start; earlier++)
        {
            (left, mrr) = (left + steps[earlier].Sum(step => step.Customers), mrr + steps[earlier].Sum(step => step.Mrr));
        }

        for (var granule = start; granule < period.Granules.Count && period.Granules[granule].To <= now; granule++)
        {
            (left, mrr) = (left + steps[granule + 1].Sum(step => step.Customers), mrr + steps[granule + 1].Sum(step => step.Mrr));
            first ??= mrr;
            var cell = new CohortCell { Customers = left, Mrr = new Money(currencyCode, mrr).ToProto() };
            if (began > 0)
            {
                cell.CustomerRetention = (double)left / began;
            }

            if (first > 0)
            {
                cell.RevenueRetention = (double)(mrr / first.Value);
            }

            cohort.Cells.Add(cell);
        }

        cohort.Mrr = new Money(currencyCode, first ?? 0).ToProto();
        return cohort;
    }
}
