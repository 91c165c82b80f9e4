using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>
/// The credits of a report, by point: what converted in it, the first deals among that, and the 1-year bookings. Each conversion is
/// credited once, however many figures it counts in. (Under Markov, all conversions of a figure and point are credited together.)
/// </summary>
public sealed class CreditTotals
{
    /// <summary>Conversions below which one thread is as fast as several.</summary>
    private const int Few = 2_000;

    private readonly ReportQuery query;
    private readonly IReadOnlyList<DealCredit>[] won;
    private readonly IReadOnlyList<DealCredit>[] first;
    private readonly IReadOnlyList<DealCredit>[] year;

    private CreditTotals(ReportQuery query)
    {
        this.query = query;
        (won, first, year) = (Points(), Points(), Points());

        IReadOnlyList<DealCredit>[] Points() => Enumerable.Repeat<IReadOnlyList<DealCredit>>([], query.Granules.Count).ToArray();
    }

    /// <summary>Credits the conversions, all of which have their touches loaded.</summary>
    public static CreditTotals Of(ReportQuery query, IReadOnlyList<ConversionRow> rows, JourneyReader journeys) =>
        Of(query, rows, [], journeys);

    /// <summary>As above, and deals that are read by their paths.</summary>
    public static CreditTotals Of(
        ReportQuery query, IReadOnlyList<ConversionRow> rows, IReadOnlyList<ConversionPath> paths, JourneyReader journeys)
    {
        var totals = new CreditTotals(query);
        if (query.Model == AttributionKind.Markov)
        {
            totals.CreditTogether(rows, journeys);
        }
        else
        {
            totals.CreditEach(rows.Count, (sums, index) => totals.Add(sums, rows[index], journeys));
            totals.CreditEach(paths.Count, (sums, index) => totals.Add(sums, paths[index], journeys));
        }

        return totals;
    }

    /// <summary>What converted in the point, with its worth.</summary>
    public IReadOnlyList<DealCredit> Won(int granule) => won[granule];

    /// <summary>First deals of leads, and deals without a lead, won in the point.</summary>
    public IReadOnlyList<DealCredit> FirstWon(int granule) => first[granule];

    /// <summary>1-year bookings: deals of leads created in the point, won within a year of that.</summary>
    public IReadOnlyList<DealCredit> YearWon(int granule) => year[granule];

    private void CreditTogether(IReadOnlyList<ConversionRow> rows, JourneyReader journeys)
    {
        var paths = rows.Select(row => (Row: row, Touches: journeys.Touches(row), Points: Points(row))).ToArray();
        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            var lost = paths.Where(path => path.Row is { State: "LOST", LeadId: not null } && path.Points.Closed == granule)
                .Select(path => path.Touches).ToArray();
            won[granule] = Credit(path => path.Points.Closed == granule);
            first[granule] = Credit(path => path.Points.Closed == granule && path.Row.IsFirst);
            year[granule] = Credit(path => path.Points.Year == granule);

            IReadOnlyList<DealCredit> Credit(Func<(ConversionRow Row, PathTouch[] Touches, (int Closed, int Year) Points), bool> isOf)
            {
                var deals = paths.Where(path => path.Row.State == "WON" && isOf(path))
                    .Select(path => new Deal(path.Touches, new Money(query.Caller.CurrencyCode, path.Row.Amount))).ToArray();
                return AttributionCredits.Credit(query.Model, deals, lost, query.Caller.CurrencyCode, query.HalfLifeDays);
            }
        }
    }

    private void CreditEach(int count, Action<Sums, int> add)
    {
        if (count == 0)
        {
            return;
        }

        var parts = new Sums[count < Few ? 1 : Math.Min(Environment.ProcessorCount, 4)];
        Parallel.For(0, parts.Length, part =>
        {
            var sums = new Sums(query.Granules.Count);
            var end = (int)((long)count * (part + 1) / parts.Length);
            for (var index = (int)((long)count * part / parts.Length); index < end; index++)
            {
                add(sums, index);
            }

            parts[part] = sums;
        });
        for (var granule = 0; granule < query.Granules.Count; granule++)
        {
            won[granule] = Credits(parts.Select(part => part.Won[granule]));
            first[granule] = Credits(parts.Select(part => part.First[granule]));
            year[granule] = Credits(parts.Select(part => part.Year[granule]));
        }
    }

    private void Add(Sums sums, ConversionRow row, JourneyReader journeys)
    {
        var (closed, origin) = Points(row);
        if (row.State != "WON" || (closed < 0 && origin < 0))
        {
            return;
        }

        var deal = new Deal(journeys.Touches(row), new Money(query.Caller.CurrencyCode, row.Amount));
        foreach (var (group, weight, amount) in AttributionCredits.Of(query.Model, deal, query.HalfLifeDays))
        {
            sums.Add(closed, origin, row.IsFirst, group, weight, amount);
        }
    }

    private void Add(Sums sums, ConversionPath path, JourneyReader journeys)
    {
        if (path.Closed < 0 && path.Year < 0)
        {
            return;
        }

        var touches = journeys.Touches(path.Keys);
        foreach (var (group, weight, amount) in AttributionCredits.Of(query.Model, touches, path.Amounts, query.Caller.CurrencyCode))
        {
            sums.Add(path.Closed, path.Year, path.IsFirst, group, path.Conversions * weight, amount);
        }
    }

    private DealCredit[] Credits(IEnumerable<GroupSums> parts)
    {
        var total = new GroupSums();
        foreach (var (group, (conversions, amount)) in parts.SelectMany(part => part.Groups))
        {
            total.Add(group, conversions, amount);
        }

        return total.Groups.Select(pair => new DealCredit(
            pair.Key, pair.Value.Conversions, new Money(query.Caller.CurrencyCode, pair.Value.Amount), null)).ToArray();
    }

    /// <summary>Places of the points that a conversion closed in, and that its 1-year bookings belong to; -1 for none.</summary>
    private (int Closed, int Year) Points(ConversionRow row) =>
        (Point(row.CloseTime), row.CloseTime < row.OriginTime.AddYears(1) ? Point(row.OriginTime) : -1);

    private int Point(DateTimeOffset time)
    {
        var (low, high) = (0, query.Granules.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (time < query.Granules[middle].From)
            {
                high = middle - 1;
            }
            else if (time >= query.Granules[middle].To)
            {
                low = middle + 1;
            }
            else
            {
                return middle;
            }
        }

        return -1;
    }

    private sealed class Sums(int points)
    {
        public GroupSums[] Won { get; } = Of(points);

        public GroupSums[] First { get; } = Of(points);

        public GroupSums[] Year { get; } = Of(points);

        /// <param name="closed">Place of the point closed in; -1 for none.</param>
        /// <param name="origin">Place of the point of the 1-year bookings; -1 for none.</param>
        public void Add(int closed, int origin, bool isFirst, string group, decimal conversions, decimal amount)
        {
            if (closed >= 0)
            {
                Won[closed].Add(group, conversions, amount);
                if (isFirst)
                {
                    First[closed].Add(group, conversions, amount);
                }
            }

            if (origin >= 0)
            {
                Year[origin].Add(group, conversions, amount);
            }
        }

        private static GroupSums[] Of(int points) => Enumerable.Range(0, points).Select(_ => new GroupSums()).ToArray();
    }

    private sealed class GroupSums
    {
        public Dictionary<string, (decimal Conversions, decimal Amount)> Groups { get; } = new(StringComparer.Ordinal);

        public void Add(string group, decimal conversions, decimal amount)
        {
            ref var sum = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(Groups, group, out _);
            sum = (sum.Conversions + conversions, sum.Amount + amount);
        }
    }
}
