using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>A checked model, ready to score.</summary>
/// <param name="Version">Number, from 1; 0 is the built-in model.</param>
/// <param name="Definition">As it was written.</param>
/// <param name="Rules">In order.</param>
public sealed record ScoringModel(int Version, ModelDefinition Definition, IReadOnlyList<ScoringRule> Rules)
{
    private const double DefaultFitCap = 50;
    private static readonly (string Grade, double Share)[] Grades = [("A", 0.6), ("B", 0.4), ("C", 0.1)];
    private readonly Dictionary<string, ScoringRule> byId = Rules.ToDictionary(rule => rule.Id, StringComparer.Ordinal);

    /// <summary>Rules over the profile in the order in which they count: points against the lead first.</summary>
    internal IReadOnlyList<ScoringRule> ProfileRules { get; } =
        Rules.Where(rule => rule.Kind == RuleKind.Profile).OrderBy(rule => rule.Points >= 0).ToArray();

    /// <summary>Finds the rules that can hold for an activity.</summary>
    internal RuleMatcher Matcher { get; } = new(Rules);

    /// <summary>Whether some rule's points begin or end with counts and ages.</summary>
    public bool HasTimedRules { get; } = Rules.Any(rule => rule.Kind == RuleKind.Timed);

    /// <summary>
    /// Whether points depend on nothing but profile and activities in their order: no rule counts over spans, no points end. What an
    /// activity gives is then settled for good once all before it are known.
    /// </summary>
    public bool IsIncremental { get; } =
        !Rules.Any(rule => rule.Kind == RuleKind.Timed || rule.Condition.Tallies.Count > 0 || rule.ExpireAfter is not null);

    /// <summary>Whether a rule over activities looks at the profile too.</summary>
    public bool ReadsProfile { get; } = Rules.Any(rule =>
        rule.Kind == RuleKind.Activity && rule.Condition.Fields.Any(field => !ScoringFields.IsOfActivity(field)));

    /// <summary>Types of activities whose properties no rule reads, and no words tell.</summary>
    internal IReadOnlyList<string> PropertyFreeTypes { get; } =
        PropertyReaders.Wordless.Where(type => !Rules.Any(rule => PropertyReaders.MayRead(rule, type))).ToArray();

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
    public string Grade(decimal fit)
    {
        var share = (double)fit / (Definition.CategoryCaps.Fit ?? DefaultFitCap);
        return Grades.Where(grade => share >= grade.Share).Select(grade => grade.Grade).FirstOrDefault("D");
    }

    /// <summary>Whether points for FIT are what a lead needs to qualify.</summary>
    public bool MeetsRequirements(decimal fit) => Definition.Requirements is not { } needed
        || (!((double)fit < needed.MinFit) && (needed.MinGrade is null || string.CompareOrdinal(Grade(fit), needed.MinGrade) <= 0));

    /// <summary>Name of a rule, or of what stands in its place.</summary>
    public string RuleName(string ruleId) => ruleId == Adjustment.RuleId ? Adjustment.RuleName : Find(ruleId)?.Name ?? ruleId;
}

/// <summary>A checked rule.</summary>
/// <param name="Id">Name for machines.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Category">Category.</param>
/// <param name="Condition">When to give the points.</param>
/// <param name="Kind">What the condition is asked of.</param>
/// <param name="Points">Each time.</param>
/// <param name="Cap">Most points without sign.</param>
/// <param name="Window">Span for cap and once-per.</param>
/// <param name="HalfLife">Null: no decay.</param>
/// <param name="OncePer">Null: each time.</param>
/// <param name="MaxTimes">Null: any number of times.</param>
/// <param name="Floor">Points, without sign, of each time that do not decay.</param>
/// <param name="ExpireAfter">Null: points do not end.</param>
public sealed record ScoringRule(
    string Id,
    string Name,
    Category Category,
    Condition Condition,
    RuleKind Kind,
    decimal Points,
    decimal? Cap,
    TimeSpan? Window,
    TimeSpan? HalfLife,
    OncePer? OncePer,
    int? MaxTimes,
    decimal Floor,
    TimeSpan? ExpireAfter)
{
    /// <summary>The part of points given that does not decay, with their sign.</summary>
    public decimal FloorOf(decimal points) => Math.Sign(points) * Math.Min(Math.Abs(points), Floor);

    /// <summary>When points given at a time end by themselves.</summary>
    public DateTimeOffset? EndOf(DateTimeOffset time) => ExpireAfter is { } span ? time + span : null;
}

/// <summary>What a rule's condition is asked of.</summary>
public enum RuleKind
{
    /// <summary>The profile as it is: points for as long as it is so.</summary>
    Profile = 1,

    /// <summary>Each activity, at its time.</summary>
    Activity = 2,

    /// <summary>The lead at any time, by counts of its activities and by its age: points while it holds.</summary>
    Timed = 3,
}

/// <summary>What makes two activities one occasion.</summary>
/// <param name="Kind">Which part of the activity.</param>
/// <param name="Field">The field of <see cref="OncePerKind.Field"/>.</param>
public sealed record OncePer(OncePerKind Kind, Field? Field)
{
    /// <summary>The occasion's key; null: the activity belongs to none and earns nothing (no session, no such field).</summary>
    public string? Key(ActivitySource source) => Kind switch
    {
        OncePerKind.Lead => "",
        OncePerKind.Day => source.Activity.Time.UtcDateTime.ToString("yyyyMMdd", null),
        OncePerKind.Session => source.Session,
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
