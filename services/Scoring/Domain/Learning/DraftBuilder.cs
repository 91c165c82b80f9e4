using System.Globalization;

namespace Lifecycle.Scoring.Domain.Learning;

/// <summary>
/// A learnt model as a scoring model. Points are log-odds on a scale that people can read: so many for each doubling of the odds. What a
/// lead did counts up to the points of once, whenever it was last done; counts give points each time up to a cap. Half-lives stay those of
/// the model in force.
/// </summary>
public static class DraftBuilder
{
    /// <summary>Points for each doubling of the odds.</summary>
    public const double PointsPerDoubling = 20;

    private const double LeastThreshold = 10;
    private const int MaxName = 120;

    /// <summary>A coefficient in points.</summary>
    public static LearntFeature InPoints(Feature feature, double coefficient, IReadOnlyCollection<DecidedLead> cases)
    {
        var with = cases.Where(lead => lead.Features.ContainsKey(feature)).ToArray();
        var perUnit = coefficient * PointsPerDoubling / Math.Log(2);
        var points = feature.IsCount ? Math.Round(perUnit, 1) : Math.Round(perUnit);
        var cap = Math.Abs(points);
        if (feature.IsCount)
        {
            var values = with.Select(lead => lead.Features[feature]).Order().ToArray();
            cap = Math.Max(cap, Math.Round(Math.Abs(perUnit) * values[(int)((values.Length - 1) * 0.95)]));
        }

        return new(
            feature, coefficient, Clamp(points), Math.Min(cap, 10 * ModelCompiler.MaxPoints), with.Count(lead => lead.Won),
            with.Count(lead => !lead.Won));
    }

    /// <summary>
    /// The draft. It qualifies from the total that tells won from lost best (Youden, Cancer 3, 1950: most of true positive rate − false
    /// positive rate); hot is what a quarter of the won leads reach.
    /// </summary>
    public static ModelDefinition Build(
        IReadOnlyList<LearntFeature> features, IReadOnlyCollection<DecidedLead> cases, ModelDefinition current)
    {
        var used = features.Where(feature => feature.Points != 0).ToArray();
        var totals = cases.Select(lead => (lead.Won, Total: Total(used, lead.Features))).ToArray();
        var best = Math.Floor(BestThreshold(totals));
        // A threshold lies above zero, and a demotion below it: everyone starts higher where few points are enough.
        var start = Math.Max(0, LeastThreshold - best);
        var mql = best + start;
        var won = totals.Where(entry => entry.Won).Select(entry => entry.Total + start).Order().ToArray();
        var hot = Math.Max(mql + 1, Math.Floor(won[won.Length * 3 / 4]));
        var demote = Math.Floor(mql * 2 / 3);
        var rules = used.Select((feature, index) => Rule(feature, index + 1)).ToList();
        if (start > 0)
        {
            rules.Insert(0, new("learnt-start", "Is a lead", Category.Fit, "exists lead.createTime", start));
        }

        if (rules.Count == 0)
        {
            rules.Add(new("learnt-nothing", "Nothing tells won from lost", Category.Fit, "exists lead.createTime", 0));
        }

        return new(
            rules, new(null, null, null), current.CategoryHalfLives, new(mql, hot, demote),
            [new("COLD", 0), new("WARM", demote), new("QUALIFIED", mql), new("HOT", hot)]);
    }

    private static double Total(IReadOnlyList<LearntFeature> features, IReadOnlyDictionary<Feature, double> known)
    {
        var total = 0.0;
        foreach (var feature in features)
        {
            if (known.TryGetValue(feature.Feature, out var value))
            {
                var times = feature.Feature.IsCount ? Math.Pow(2, value) - 1 : 1;
                total += Math.Sign(feature.Points) * Math.Min(Math.Abs(feature.Points) * times, feature.Cap);
            }
        }

        return total;
    }

    private static double BestThreshold((bool Won, double Total)[] totals)
    {
        var (won, lost) = (totals.Count(entry => entry.Won), totals.Count(entry => !entry.Won));
        var (wonAbove, lostAbove, most, best) = (0, 0, double.NegativeInfinity, 0.0);
        foreach (var level in totals.GroupBy(entry => entry.Total).OrderByDescending(level => level.Key))
        {
            wonAbove += level.Count(entry => entry.Won);
            lostAbove += level.Count(entry => !entry.Won);
            var advantage = ((double)wonAbove / won) - ((double)lostAbove / lost);
            if (advantage > most)
            {
                (most, best) = (advantage, level.Key);
            }
        }

        return best;
    }

    private static RuleDefinition Rule(LearntFeature learnt, int number)
    {
        var feature = learnt.Feature;
        var name = feature.Name.Length <= MaxName ? feature.Name : feature.Name[..MaxName];
        return new(
            string.Create(CultureInfo.InvariantCulture, $"learnt-{number:00}"), name, feature.Category, feature.Condition, learnt.Points,
            feature.Category == Category.Behavior && learnt.Cap > 0 ? learnt.Cap : null,
            OncePer: feature.Kind == FeatureKind.Visits ? "SESSION" : null);
    }

    // Adding zero turns a negative zero, which JSON would tell, into zero.
    private static double Clamp(double points) => Math.Clamp(points, -ModelCompiler.MaxPoints, ModelCompiler.MaxPoints) + 0.0;
}
