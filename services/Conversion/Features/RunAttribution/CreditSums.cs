using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Features.Reports;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Features.RunAttribution;

/// <summary>Credits of a run as they add up, by month and group; under Markov the counts of the chain and the bookings of all.</summary>
public sealed class CreditSums(RunRow run)
{
    /// <summary>Most months × groups that a run keeps.</summary>
    public const int MaxCredits = 200_000;

    private readonly AttributionKind kind = (AttributionKind)run.Model;
    private readonly JourneyReader journeys = new(run.Dimensions, run.LookbackDays);
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
        var shares = AttributionModels.Shares(kind, touches, run.HalfLifeDays).Where(share => share.Weight > 0).ToArray();
        var parts = row.Amount == 0 ? null : new Money(run.CurrencyCode, row.Amount).Split(shares.Select(share => share.Weight).ToArray());
        for (var index = 0; index < shares.Length; index++)
        {
            var (credited, amount) = sums.GetValueOrDefault((month, shares[index].Group));
            sums[(month, shares[index].Group)] = (credited + shares[index].Weight, amount + (parts?[index].Amount ?? 0));
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
