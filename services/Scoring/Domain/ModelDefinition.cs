namespace Lifecycle.Scoring.Domain;

/// <summary>What points are given for.</summary>
public enum Category
{
    /// <summary>Who the lead is.</summary>
    Fit = 1,

    /// <summary>What the lead does.</summary>
    Behavior = 2,

    /// <summary>Budget, authority, need, timing.</summary>
    Bant = 3,
}

/// <summary>A scoring model as people write it, and as it is stored; <see cref="ModelCompiler"/> checks it and makes it a
/// <see cref="ScoringModel"/>.</summary>
/// <param name="Rules">In the order in which points are given and caps used up.</param>
/// <param name="CategoryCaps">Most points by category.</param>
/// <param name="CategoryHalfLives">Half-lives by category.</param>
/// <param name="Thresholds">Where a lead qualifies and where it ceases to.</param>
/// <param name="Bands">Named ranges of the total, lowest first.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="Requirements">What a lead needs besides the points; null: nothing.</param>
/// <param name="Agreement">What marketing and sales agreed on; null: nothing was.</param>
public sealed record ModelDefinition(
    IReadOnlyList<RuleDefinition> Rules,
    CategoryValues<double?> CategoryCaps,
    CategoryValues<string?> CategoryHalfLives,
    ThresholdDefinition Thresholds,
    IReadOnlyList<BandDefinition> Bands,
    string? DisplayName = null,
    RequirementsDefinition? Requirements = null,
    AgreementDefinition? Agreement = null);

/// <summary>One value per category.</summary>
public sealed record CategoryValues<T>(T Fit, T Behavior, T Bant)
{
    public T this[Category category] => category switch
    {
        Category.Fit => Fit,
        Category.Behavior => Behavior,
        _ => Bant,
    };
}

/// <summary>One reason to give points.</summary>
/// <param name="Id">Name for machines.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Category">Null: not given, a fault.</param>
/// <param name="Condition">When: see <see cref="Kernel.Expressions.Condition"/> and <see cref="ScoringFields"/>.</param>
/// <param name="Points">Each time; may be negative.</param>
/// <param name="Cap">Most points, without sign, at any moment (decayed) or in any window.</param>
/// <param name="Window">How far cap and once-per look back, e.g. <c>7d</c>.</param>
/// <param name="HalfLife">E.g. <c>30d</c>; null: the category's.</param>
/// <param name="OncePer"><c>LEAD</c>, <c>DAY</c>, <c>SESSION</c> or a field; null: each time.</param>
/// <param name="MaxTimes">At most so many times, in any window where there is one; null: any number.</param>
/// <param name="Floor">Points, without sign, below which those of one time never decay.</param>
/// <param name="ExpireAfter">E.g. <c>90d</c>: then what lies above the floor ends; null: never.</param>
public sealed record RuleDefinition(
    string Id,
    string Name,
    Category? Category,
    string Condition,
    double Points,
    double? Cap = null,
    string? Window = null,
    string? HalfLife = null,
    string? OncePer = null,
    int? MaxTimes = null,
    double? Floor = null,
    string? ExpireAfter = null);

/// <summary><c>Demote</c> &lt; <c>Mql</c> ≤ <c>Hot</c>.</summary>
/// <param name="Mql">From here on a lead is qualified.</param>
/// <param name="Hot">From here on a lead is hot.</param>
/// <param name="Demote">Below it a qualified lead ceases to be.</param>
public sealed record ThresholdDefinition(double Mql, double Hot, double Demote);

/// <summary>What a lead needs to qualify besides the points.</summary>
/// <param name="MinFit">Least points for FIT; null: any.</param>
/// <param name="MinGrade">Worst grade, <c>A</c> to <c>C</c>; null: any.</param>
public sealed record RequirementsDefinition(double? MinFit, string? MinGrade);

/// <summary>What marketing and sales agreed on.</summary>
/// <param name="Definition">In words.</param>
/// <param name="AgreedBy">Who agreed.</param>
/// <param name="AgreeTime">When.</param>
public sealed record AgreementDefinition(string Definition, IReadOnlyList<string> AgreedBy, DateTimeOffset AgreeTime);

/// <summary>A named range of the total.</summary>
/// <param name="Name">Capitals, digits and underscores.</param>
/// <param name="Min">Lowest total in it.</param>
public sealed record BandDefinition(string Name, double Min);
