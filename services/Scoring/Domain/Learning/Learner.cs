using Lifecycle.Kernel;
using Lifecycle.Kernel.Learning;

namespace Lifecycle.Scoring.Domain.Learning;

/// <summary>
/// Learns from leads whose fate is known. Features are screened by how far won and lost leads differ in them, as many as the data carries:
/// one coefficient for each ten leads of the rarer kind (Peduzzi et al., Journal of Clinical Epidemiology 49, 1996). Screening, fit and
/// penalty are judged by five-fold cross-validation, each fold screened anew, so that what is reported holds for leads not seen. The same
/// leads give the same model.
/// </summary>
public static class Learner
{
    /// <summary>Fewest leads of each kind.</summary>
    public const int MinLeads = 50;

    private const int LeadsPerCoefficient = 10;
    private const int MaxFeatures = 60;
    private const double MinShare = 0.005;

    // A value that fewer leads have is about persons, not about leads.
    private const int MinSupport = 10;

    /// <param name="leads">In any order.</param>
    /// <param name="current">The model in force: the draft keeps its half-lives.</param>
    public static Result<PredictionModel> Train(IReadOnlyCollection<DecidedLead> leads, ModelDefinition current)
    {
        var cases = leads.OrderBy(lead => lead.LeadId).ToArray();
        var (won, lost) = (cases.Count(lead => lead.Won), cases.Count(lead => !lead.Won));
        if (Missing(won, lost) is { } missing)
        {
            return missing;
        }

        var most = Math.Min(MaxFeatures, Math.Min(won, lost) / LeadsPerCoefficient);
        var chosen = Screen(cases, most);
        if (chosen.Count == 0)
        {
            return Error.Precondition(
                $"Of {won} won and {lost} lost leads no attribute or activity is known that at least {MinSupport} of them share: there is nothing to learn from.");
        }

        // Each fold gets its share of won and of lost leads, by turns in order of id, and screens anew.
        var outcomes = cases.Select(lead => lead.Won).ToArray();
        var validated = CrossValidation.Run(outcomes, CrossValidation.ByTurns(outcomes), (seen, unseen) =>
        {
            DecidedLead[] learnt = [.. seen.Select(index => cases[index])], tested = [.. unseen.Select(index => cases[index])];
            var screened = Screen(learnt, most);
            return (Rows(learnt, screened), Rows(tested, screened), screened.Count);
        });
        var report = new TrainingReport(
            won, lost, CrossValidation.Folds, validated.Penalty, validated.Auc, validated.Brier, validated.BaseBrier,
            validated.LogLoss, validated.Bins);
        var fit = LogisticRegression.Fit(Rows(cases, chosen), chosen.Count, validated.Penalty);
        var features = chosen.Select((feature, index) => DraftBuilder.InPoints(feature, fit.Coefficients[index], cases))
            .OrderByDescending(feature => Math.Abs(feature.Coefficient))
            .ThenBy(feature => feature.Feature.ToString(), StringComparer.Ordinal)
            .ToArray();
        return new PredictionModel(features, fit.Intercept, validated.Calibration, report, DraftBuilder.Build(features, cases, current));
    }

    /// <summary>What is missing to learn from so many leads; null: nothing.</summary>
    public static Error? Missing(int won, int lost)
    {
        var parts = new[] { (Kind: "won", Count: won), (Kind: "lost", Count: lost) }.Where(part => part.Count < MinLeads)
            .Select(part => $"{MinLeads - part.Count} more {part.Kind}").ToArray();
        return parts.Length == 0
            ? null
            : Error.Precondition(
                $"Learning needs at least {MinLeads} won and {MinLeads} lost leads; there are {won} won and {lost} lost: {string.Join(" and ", parts)} are missing.");
    }

    /// <summary>The features in which won and lost leads differ most: by log odds ratio over its standard error, half a lead added to each
    /// cell (Haldane, Anscombe).</summary>
    private static List<Feature> Screen(DecidedLead[] cases, int most)
    {
        var (won, lost) = (cases.Count(lead => lead.Won), cases.Count(lead => !lead.Won));
        var counts = new Dictionary<Feature, (int Won, int Lost)>();
        foreach (var lead in cases)
        {
            foreach (var feature in lead.Features.Keys)
            {
                var (w, l) = counts.GetValueOrDefault(feature);
                counts[feature] = lead.Won ? (w + 1, l) : (w, l + 1);
            }
        }

        var least = Math.Max(MinSupport, cases.Length * MinShare);
        return counts.Where(entry => entry.Value.Won + entry.Value.Lost >= least)
            // A count varies among those who have it; whatever else all have tells nothing.
            .Where(entry => entry.Key.IsCount || entry.Value.Won + entry.Value.Lost <= cases.Length - least)
            .OrderByDescending(entry => Distance(entry.Value.Won, entry.Value.Lost, won, lost))
            .ThenBy(entry => entry.Key.ToString(), StringComparer.Ordinal)
            .Take(most).Select(entry => entry.Key)
            .OrderBy(feature => feature.ToString(), StringComparer.Ordinal).ToList();
    }

    private static double Distance(int wonWith, int lostWith, int won, int lost)
    {
        var (a, b, c, d) = (wonWith + 0.5, lostWith + 0.5, won - wonWith + 0.5, lost - lostWith + 0.5);
        return Math.Abs(Math.Log(a * d / (b * c))) / Math.Sqrt((1 / a) + (1 / b) + (1 / c) + (1 / d));
    }

    private static Example[] Rows(DecidedLead[] cases, List<Feature> features)
    {
        var positions = features.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        return cases.Select(lead =>
        {
            var known = lead.Features.Where(entry => positions.ContainsKey(entry.Key))
                .Select(entry => (Position: positions[entry.Key], entry.Value)).OrderBy(entry => entry.Position).ToArray();
            return new Example(
                known.Select(entry => entry.Position).ToArray(), known.Select(entry => entry.Value).ToArray(), lead.Won ? 1 : 0);
        }).ToArray();
    }
}
