using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Attribution;

/// <summary>What one group is credited with over many paths.</summary>
/// <param name="RemovalEffect">Only under <see cref="AttributionKind.Markov"/>.</param>
public sealed record Credit(string Group, decimal Conversions, decimal Value, double? RemovalEffect);

/// <summary>What one group is credited with over many deals; the money of all groups sums to the deals' exactly.</summary>
public sealed record DealCredit(string Group, decimal Conversions, Money Value, double? RemovalEffect);

/// <summary>A closed deal and the touches before it, at least one.</summary>
public sealed record Deal(IReadOnlyList<PathTouch> Touches, Money Amount);

/// <summary>Credits over many paths, under any model.</summary>
public static class AttributionCredits
{
    /// <summary>Credits by conversions, most first, then by group. Conversions sum to the paths', and so do values.</summary>
    public static IReadOnlyList<Credit> Evaluate(AttributionKind kind, IReadOnlyList<TouchPath> paths, double halfLifeDays)
    {
        if (kind == AttributionKind.Markov)
        {
            var (conversions, value) = (paths.Sum(path => (decimal)path.Conversions), paths.Sum(path => path.Value));
            return Ordered(MarkovChain.Solve(paths).Select(
                share => new Credit(share.Group, conversions * share.Share, value * share.Share, share.RemovalEffect)));
        }

        var totals = new Dictionary<string, (decimal Conversions, decimal Value)>(StringComparer.Ordinal);
        foreach (var path in paths.Where(path => path.Conversions > 0))
        {
            foreach (var share in AttributionModels.Shares(kind, path.Touches, halfLifeDays))
            {
                var (conversions, value) = totals.GetValueOrDefault(share.Group);
                totals[share.Group] = (conversions + (path.Conversions * share.Weight), value + (path.Value * share.Weight));
            }
        }

        return Ordered(totals.Where(pair => pair.Value.Conversions > 0).Select(
            pair => new Credit(pair.Key, pair.Value.Conversions, pair.Value.Value, null)));
    }

    /// <summary>Credits deals, splitting their money in minor units. All deals carry the currency
    /// <paramref name="currencyCode"/>.</summary>
    /// <param name="lost">Journeys of deals that were lost; only Markov looks at them.</param>
    public static IReadOnlyList<DealCredit> Credit(
        AttributionKind kind, IReadOnlyList<Deal> deals, IReadOnlyList<IReadOnlyList<PathTouch>> lost, string currencyCode,
        double halfLifeDays)
    {
        if (deals.Count == 0)
        {
            return [];
        }

        if (kind == AttributionKind.Markov)
        {
            var paths = deals.Select(deal => new TouchPath(deal.Touches, 1, 0, 0))
                .Concat(lost.Select(touches => new TouchPath(touches, 0, 1, 0))).ToArray();
            var shares = MarkovChain.Solve(paths).Where(share => share.Share > 0).ToArray();
            var money = new Money(currencyCode, deals.Sum(deal => deal.Amount.Amount)).Split(shares.Select(share => share.Share).ToArray());
            return shares.Select(
                (share, index) => new DealCredit(share.Group, deals.Count * share.Share, money[index], share.RemovalEffect)).ToArray();
        }

        var totals = new Dictionary<string, (decimal Conversions, decimal Amount)>(StringComparer.Ordinal);
        foreach (var (group, weight, part) in deals.SelectMany(deal => Of(kind, deal, halfLifeDays)))
        {
            var (conversions, amount) = totals.GetValueOrDefault(group);
            totals[group] = (conversions + weight, amount + part);
        }

        return totals.Select(
            pair => new DealCredit(pair.Key, pair.Value.Conversions, new Money(currencyCode, pair.Value.Amount), null)).ToArray();
    }

    /// <summary>
    /// What one deal gives to each group: its share, and its part of the money in minor units. Not for Markov, which needs all deals.
    /// </summary>
    public static IReadOnlyList<(string Group, decimal Weight, decimal Amount)> Of(AttributionKind kind, Deal deal, double halfLifeDays)
    {
        var shares = AttributionModels.Shares(kind, deal.Touches, halfLifeDays).Where(share => share.Weight > 0).ToArray();
        if (shares.Length == 1)
        {
            return [(shares[0].Group, shares[0].Weight, deal.Amount.Amount)];
        }

        var parts = deal.Amount.Split(shares.Select(share => share.Weight).ToArray());
        return shares.Select((share, index) => (share.Group, share.Weight, parts[index].Amount)).ToArray();
    }

    /// <summary>
    /// What deals with the same touches give to each group together: the share of each of them, and the parts of their amounts, each of
    /// which is split by itself. Not for models that look at times, nor for Markov.
    /// </summary>
    public static IReadOnlyList<(string Group, decimal Weight, decimal Amount)> Of(
        AttributionKind kind, IReadOnlyList<PathTouch> touches, IReadOnlyList<decimal> amounts, string currencyCode)
    {
        var shares = AttributionModels.Shares(kind, touches).Where(share => share.Weight > 0).ToArray();
        if (shares.Length == 1)
        {
            return [(shares[0].Group, shares[0].Weight, amounts.Sum())];
        }

        var (weights, sums) = (Array.ConvertAll(shares, share => share.Weight), new decimal[shares.Length]);
        foreach (var amount in amounts)
        {
            var parts = new Money(currencyCode, amount).Split(weights);
            for (var index = 0; index < sums.Length; index++)
            {
                sums[index] += parts[index].Amount;
            }
        }

        return shares.Select((share, index) => (share.Group, share.Weight, sums[index])).ToArray();
    }

    private static Credit[] Ordered(IEnumerable<Credit> credits) =>
        credits.OrderByDescending(credit => credit.Conversions).ThenBy(credit => credit.Group, StringComparer.Ordinal).ToArray();
}
