using System.Runtime.InteropServices;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Features.RunAttribution;

/// <summary>Credits of a run as they add up, by month and group; under Markov the counts of the chain and the bookings of all.</summary>
public sealed class CreditSums(RunRow run, TouchSources sources)
{
    /// <summary>Most months × groups that a run keeps.</summary>
    public const int MaxCredits = 200_000;

    private readonly AttributionKind kind = (AttributionKind)run.Model;
    private readonly JourneyReader journeys = new(sources, run.LookbackDays);
    private readonly TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(run.TimeZone);
    private readonly Dictionary<(DateOnly Month, string Group), (decimal Conversions, decimal Amount)> sums = [];
    private readonly MarkovCounts chain = new();
    private long conversions;
    private decimal bookings;

    /// <summary>Whether there are more groups than a run keeps or a chain is solved for.</summary>
    public bool IsTooMany => sums.Count > MaxCredits || chain.Groups.Count > MarkovChain.MaxGroups;

    public void Add(ConversionRow row)
    {
        var touches = journeys.Touches(row);
        if (kind == AttributionKind.Markov)
        {
            var isWon = row.State == "WON";
            chain.Add(touches, isWon ? 1 : 0, isWon ? 0 : 1);
            (conversions, bookings) = isWon ? (conversions + 1, bookings + row.Amount) : (conversions, bookings);
            return;
        }

        var day = TimeZoneInfo.ConvertTime(row.CloseTime, zone);
        var month = new DateOnly(day.Year, day.Month, 1);
        var deal = new Deal(touches, new Money(run.CurrencyCode, row.Amount));
        foreach (var (group, weight, part) in AttributionCredits.Of(kind, deal, run.HalfLifeDays))
        {
            ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, (month, group), out _);
            sum = (sum.Conversions + weight, sum.Amount + part);
        }
    }

    public IReadOnlyList<CreditRow> Build()
    {
        if (kind != AttributionKind.Markov)
        {
            return sums.Select(pair => new CreditRow
            {
                Month = pair.Key.Month,
                GroupKey = pair.Key.Group,
                Conversions = pair.Value.Conversions,
                Amount = pair.Value.Amount,
            }).ToArray();
        }

        var shares = MarkovChain.Solve(chain).Where(share => share.Share > 0).ToArray();
        var money = shares.Length == 0 ? [] : new Money(run.CurrencyCode, bookings).Split(shares.Select(share => share.Share).ToArray());
        return shares.Select((share, index) => new CreditRow
        {
            Month = CreditRow.NoMonth,
            GroupKey = share.Group,
            Conversions = conversions * share.Share,
            Amount = money[index].Amount,
            RemovalEffect = share.RemovalEffect,
        }).ToArray();
    }
}
