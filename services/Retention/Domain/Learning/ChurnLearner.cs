using Lifecycle.Kernel;
using Lifecycle.Kernel.Learning;

namespace Lifecycle.Retention.Domain.Learning;

/// <summary>
/// Learns from customers at past instants whose next months are known: a logistic regression on one case per customer and instant at which
/// it was with us, the discrete-time survival model of Allison (Sociological Methodology 13, 1982), under which cases of one customer count
/// as independent where their horizons do not overlap. Values are screened by how far the means of lost and staying cases lie apart
/// (two-sample t), as many as the data carries: one coefficient for each ten cases of the rarer kind (Peduzzi et al., Journal of Clinical
/// Epidemiology 49, 1996). Screening, fit and penalty are judged by five-fold cross-validation in which all cases of a customer are in one
/// part. The same history gives the same model.
/// </summary>
public static class ChurnLearner
{
    /// <summary>Fewest cases of each kind.</summary>
    public const int MinCases = 50;

    private const int CasesPerCoefficient = 10;
    private const int MaxPlans = 20;

    // A plan that fewer cases have, or lack, is about customers, not about the plan.
    private const int MinSupport = 10;

    /// <param name="cases">In any order.</param>
    /// <param name="horizonDays">Days within which a case that was lost left.</param>
    public static Result<ChurnModel> Train(IReadOnlyCollection<ChurnCase> cases, int horizonDays)
    {
        var sorted = cases.OrderBy(one => one.CustomerId).ThenBy(one => one.Time).ToArray();
        var (lost, stayed) = (sorted.Count(one => one.Lost), sorted.Count(one => !one.Lost));
        if (Missing(lost, stayed, horizonDays) is { } missing)
        {
            return missing;
        }

        var most = Math.Min(lost, stayed) / CasesPerCoefficient;
        var chosen = Screen(sorted, most);
        if (chosen.Count == 0)
        {
            return Error.Precondition(
                $"Nothing that is known differs among the {lost} cases lost and {stayed} that stayed: there is nothing to learn from.");
        }

        var quality = CrossValidation.Run([.. sorted.Select(one => one.Lost)], Folds(sorted), (seen, unseen) =>
        {
            ChurnCase[] learnt = [.. seen.Select(index => sorted[index])], tested = [.. unseen.Select(index => sorted[index])];
            var screened = Screen(learnt, most);
            return (Rows(learnt, screened), Rows(tested, screened), screened.Count);
        });
        var fit = LogisticRegression.Fit(Rows(sorted, chosen), chosen.Count, quality.Penalty);
        var features = chosen.Select((feature, index) => Learnt(feature, fit.Coefficients[index], sorted))
            .OrderByDescending(feature => Math.Abs(feature.Coefficient * feature.Deviation)).ThenBy(feature => feature.Feature.Factor)
            .ThenBy(feature => feature.Feature.Plan, StringComparer.Ordinal);
        return new ChurnModel(
            horizonDays, [.. features], fit.Intercept, lost, stayed, sorted.Select(one => one.CustomerId).Distinct().Count(), quality);
    }

    /// <summary>What is missing to learn from so many cases; null: nothing.</summary>
    public static Error? Missing(int lost, int stayed, int horizonDays)
    {
        var parts = new[] { (Kind: "lost", Count: lost), (Kind: "stayed", Count: stayed) }.Where(part => part.Count < MinCases)
            .Select(part => $"{MinCases - part.Count} more that {(part.Kind == "lost" ? "were lost" : "stayed")}").ToArray();
        return parts.Length == 0
            ? null
            : Error.Precondition(
                $"Learning needs at least {MinCases} cases of customers lost within {horizonDays} days and {MinCases} of customers that stayed; "
                + $"there are {lost} lost and {stayed} that stayed: {string.Join(" and ", parts)} are missing.");
    }

    /// <summary>Customers that were lost and others are dealt out by turns, in order of id, with all their cases.</summary>
    private static int[] Folds(ChurnCase[] sorted)
    {
        var customers = sorted.GroupBy(one => one.CustomerId).Select(group => (Id: group.Key, Lost: group.Any(one => one.Lost))).ToArray();
        var folds = CrossValidation.ByTurns(customers.Select(customer => customer.Lost));
        var byCustomer = customers.Zip(folds).ToDictionary(pair => pair.First.Id, pair => pair.Second);
        return [.. sorted.Select(one => byCustomer[one.CustomerId])];
    }

    private static List<ChurnFeature> Screen(ChurnCase[] cases, int most)
    {
        var plans = cases.GroupBy(one => one.Facts.Plan)
            .Where(group => group.Key.Length > 0 && group.Count() >= MinSupport && group.Count() <= cases.Length - MinSupport)
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Take(MaxPlans)
            .Select(group => new ChurnFeature(ChurnFactor.Plan, group.Key));
        return
        [
            .. ChurnFeature.Fixed.Concat(plans).Select(feature => (Feature: feature, Distance: Distance(feature, cases)))
                .Where(entry => entry.Distance > 0)
                .OrderByDescending(entry => entry.Distance).ThenBy(entry => entry.Feature.Factor)
                .ThenBy(entry => entry.Feature.Plan, StringComparer.Ordinal)
                .Take(most).Select(entry => entry.Feature)
                .OrderBy(feature => feature.Factor).ThenBy(feature => feature.Plan, StringComparer.Ordinal),
        ];
    }

    /// <summary>Welch's t of the two means, without sign; 0 for a value that does not vary.</summary>
    private static double Distance(ChurnFeature feature, ChurnCase[] cases)
    {
        var (lost, stayed) = (Moments(feature, cases.Where(one => one.Lost)), Moments(feature, cases.Where(one => !one.Lost)));
        var error = Math.Sqrt((lost.Variance / lost.Count) + (stayed.Variance / stayed.Count));
        return error > 1e-12 ? Math.Abs(lost.Mean - stayed.Mean) / error : lost.Mean == stayed.Mean ? 0 : double.MaxValue;
    }

    private static LearntChurnFeature Learnt(ChurnFeature feature, double coefficient, ChurnCase[] cases)
    {
        var all = Moments(feature, cases);
        return new(feature, coefficient, all.Mean, Math.Sqrt(all.Variance));
    }

    private static (int Count, double Mean, double Variance) Moments(ChurnFeature feature, IEnumerable<ChurnCase> cases)
    {
        var values = cases.Select(one => feature.Value(one.Facts)).ToArray();
        var mean = values.Average();
        return (values.Length, mean, values.Sum(value => (value - mean) * (value - mean)) / Math.Max(values.Length - 1, 1));
    }

    private static Example[] Rows(ChurnCase[] cases, List<ChurnFeature> features) =>
    [
        .. cases.Select(one =>
        {
            var known = features.Select((feature, index) => (Index: index, Value: feature.Value(one.Facts)))
                .Where(entry => entry.Value != 0).ToArray();
            return new Example([.. known.Select(entry => entry.Index)], [.. known.Select(entry => entry.Value)], one.Lost ? 1 : 0);
        }),
    ];
}
