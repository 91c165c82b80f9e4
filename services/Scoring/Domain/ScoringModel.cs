using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>A checked model, ready to score.</summary>
/// <param name="Version">Number, from 1; 0 is the built-in model.</param>
/// <param name="Definition">As it was written.</param>
/// <param name="Rules">In order.</param>
public sealed record ScoringModel(int Version, ModelDefinition Definition, IReadOnlyList<ScoringRule> Rules)
{
    private const double DefaultFitCap = 50;
    private readonly Dictionary<string, ScoringRule> byId = Rules.ToDictionary(rule => rule.Id, StringComparer.Ordinal);

    /// <summary>Finds the rules that can hold for an activity.</summary>
    internal RuleMatcher Matcher { get; } = new(Rules);

    public ThresholdDefinition Thresholds => Definition.Thresholds;

    public ScoringRule? Find(string ruleId) => byId.GetValueOrDefault(ruleId);

    /// <summary>Name of the band that holds the total; the first band also holds what lies below it.</summary>
    public string Band(decimal total)
    {
        var name = Definition.Bands[0].Name;
        foreach (var band in Definition.Bands)
        {
            name = (double)total >= band.Min ? band.Name : name;
        }

        return name;
    }

    /// <summary>Fit as a share of its cap: A from 60 %, B from 40 %, C from 10 %, else D.</summary>
    public string Grade(decimal fit) => ((double)fit / (Definition.CategoryCaps.Fit ?? DefaultFitCap)) switch
    {
        >= 0.6 => "A",
        >= 0.4 => "B",
        >= 0.1 => "C",
        _ => "D",
    };
}

/// <summary>A checked rule.</summary>
/// <param name="Id">Name for machines.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Category">Category.</param>
/// <param name="Condition">When to give the points.</param>
/// <param name="ReadsActivity">Asked of each activity; else of the profile as it is.</param>
/// <param name="Points">Each time.</param>
/// <param name="Cap">Most points without sign.</param>
/// <param name="Window">Span for cap and once-per.</param>
/// <param name="HalfLife">Null: no decay.</param>
/// <param name="OncePer">Null: each time.</param>
public sealed record ScoringRule(
    string Id,
    string Name,
    Category Category,
    Condition Condition,
    bool ReadsActivity,
    decimal Points,
    decimal? Cap,
    TimeSpan? Window,
    TimeSpan? HalfLife,
    OncePer? OncePer);

/// <summary>What makes two activities one occasion.</summary>
/// <param name="Kind">Which part of the activity.</param>
/// <param name="Field">The field of <see cref="OncePerKind.Field"/>.</param>
public sealed record OncePer(OncePerKind Kind, Field? Field)
{
    /// <summary>The occasion's key; null: the activity belongs to none and earns nothing (no session, no such field).</summary>
    public string? Key(Activity activity, IFieldSource source) => Kind switch
    {
        OncePerKind.Lead => "",
        OncePerKind.Day => activity.Time.UtcDateTime.ToString("yyyyMMdd", null),
        OncePerKind.Session => activity.SessionId?.ToString(),
        _ => source.Get(Field!).AsText(),
    };
}

public enum OncePerKind
{
    Lead = 1,
    Day = 2,
    Session = 3,
    Field = 4,
}
