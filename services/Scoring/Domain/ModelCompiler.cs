using System.Text.RegularExpressions;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Scoring.Domain;

/// <summary>Checks a model and makes it ready to score. Every fault is named with its path, e.g. <c>rules[2].points</c>.</summary>
public static partial class ModelCompiler
{
    public const int MaxRules = 200;
    public const int MaxBands = 20;
    public const double MaxPoints = 1_000;
    public const string ScoreNameForm = "A score's name has 1 to 40 of a-z, 0-9 and -.";
    private const int MaxTimes = 1_000;
    private const int MaxDisplayName = 120;
    private static readonly TimeSpan ShortestHalfLife = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestHalfLife = TimeSpan.FromDays(3_650);

    /// <param name="definition">The model as written.</param>
    /// <param name="version">Number it shall have.</param>
    /// <param name="prefix">Path before every field in the violations, e.g. <c>model.</c>.</param>
    public static Result<ScoringModel> Compile(ModelDefinition definition, int version, string prefix = "")
    {
        var violations = new Violations();
        violations.Require(
            definition.Rules.Count is > 0 and <= MaxRules, $"{prefix}rules",
            $"A model has 1 to {MaxRules} rules, not {definition.Rules.Count}.");
        var rules = new List<ScoringRule>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (index, rule) in definition.Rules.Take(MaxRules).Index())
        {
            var path = $"{prefix}rules[{index}]";
            violations.Require(ids.Add(rule.Id), $"{path}.id", $"Another rule has the id {rule.Id}.");
            if (Rule(rule, definition, path, violations) is { } compiled)
            {
                rules.Add(compiled);
            }
        }

        foreach (var category in Enum.GetValues<Category>())
        {
            var name = category.ToString().ToLowerInvariant();
            violations.Require(
                definition.CategoryCaps[category] is null or (> 0 and <= 10 * MaxPoints),
                $"{prefix}categoryCaps.{name}",
                $"A category's cap lies above 0 and is at most {10 * MaxPoints}.");
            HalfLife(definition.CategoryHalfLives[category], $"{prefix}categoryHalfLives.{name}", violations);
        }

        Thresholds(definition.Thresholds, prefix, violations);
        Bands(definition.Bands, prefix, violations);
        Requirements(definition.Requirements, $"{prefix}requirements", violations);
        Agreement(definition.Agreement, $"{prefix}agreement", violations);
        violations.Require(
            definition.DisplayName is null or { Length: <= MaxDisplayName } && definition.DisplayName?.Contains('\0') != true,
            $"{prefix}displayName", $"displayName has at most {MaxDisplayName} characters, and not U+0000.");
        return violations.ToError() is { } error ? error : new ScoringModel(version, definition, rules);
    }

    private static ScoringRule? Rule(RuleDefinition rule, ModelDefinition model, string path, Violations violations)
    {
        var before = violations.Found.Count;
        violations.Require(RuleId().IsMatch(rule.Id), $"{path}.id", "A rule's id has 1 to 60 of a-z, 0-9, - and _.");
        violations.RequireText(rule.Name, $"{path}.name", 120);
        violations.Require(rule.Category is not null, $"{path}.category", "category must be FIT, BEHAVIOR or BANT.");
        violations.Require(
            double.IsFinite(rule.Points) && Math.Abs(rule.Points) <= MaxPoints && HasTwoDecimals(rule.Points),
            $"{path}.points",
            $"points lies between -{MaxPoints} and {MaxPoints}, with at most two decimals.");
        violations.Require(
            rule.Cap is null
                || (double.IsFinite(rule.Cap.Value) && rule.Cap is > 0 and <= 10 * MaxPoints && HasTwoDecimals(rule.Cap.Value)),
            $"{path}.cap",
            $"cap lies above 0 and is at most {10 * MaxPoints}, with at most two decimals.");
        var window = Duration(rule.Window, $"{path}.window", violations);
        var halfLife = HalfLife(rule.HalfLife, $"{path}.halfLife", violations);
        var condition = Condition.Parse(rule.Condition, ScoringFields.All, $"{path}.condition");
        foreach (var violation in condition.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        var expireAfter = Duration(rule.ExpireAfter, $"{path}.expireAfter", violations);
        violations.Require(
            rule.MaxTimes is null or (> 0 and <= MaxTimes), $"{path}.maxTimes", $"maxTimes lies between 1 and {MaxTimes}.");
        violations.Require(
            rule.Floor is null || (double.IsFinite(rule.Floor.Value) && rule.Floor >= 0 && rule.Floor <= Math.Abs(rule.Points)
                && HasTwoDecimals(rule.Floor.Value)),
            $"{path}.floor",
            "floor lies between 0 and the points without sign, with at most two decimals.");
        var kind = condition.Succeeded ? KindOf(condition.Value) : RuleKind.Activity;
        var oncePer = Occasion(rule.OncePer, $"{path}.oncePer", violations);
        if (kind != RuleKind.Activity)
        {
            const string Message = "applies to rules over activities only; this rule gives its points while its condition holds.";
            violations.Require(window is null, $"{path}.window", $"window {Message}");
            violations.Require(oncePer is null, $"{path}.oncePer", $"oncePer {Message}");
            violations.Require(rule.MaxTimes is null, $"{path}.maxTimes", $"maxTimes {Message}");
        }

        violations.Require(
            string.IsNullOrEmpty(rule.Window) || rule.Cap is not null || oncePer is not null || rule.MaxTimes is not null,
            $"{path}.window",
            "window says how far back cap, oncePer and maxTimes look; the rule has none of them.");
        if (violations.Found.Count > before)
        {
            return null;
        }

        var category = rule.Category!.Value;
        Literals.TryDuration(model.CategoryHalfLives[category], out var categoryHalfLife);
        return new(
            rule.Id, rule.Name, category, condition.Value, kind, (decimal)rule.Points, (decimal?)rule.Cap, window,
            halfLife ?? (categoryHalfLife == default ? null : categoryHalfLife), oncePer, rule.MaxTimes, (decimal)(rule.Floor ?? 0),
            expireAfter);
    }

    /// <summary>A condition that reads an activity's own fields is asked of each; what counts or time passing can change is followed
    /// through time.</summary>
    private static RuleKind KindOf(Condition condition) =>
        condition.Fields.Any(ScoringFields.IsOfActivity) ? RuleKind.Activity
        : condition.Tallies.Count + condition.Spans.Count > 0 ? RuleKind.Timed
        : RuleKind.Profile;

    private static void Requirements(RequirementsDefinition? requirements, string path, Violations violations)
    {
        violations.Require(
            requirements?.MinFit is null
                || (double.IsFinite(requirements.MinFit.Value) && Math.Abs(requirements.MinFit.Value) <= 10 * MaxPoints),
            $"{path}.minFit", $"minFit is at most {10 * MaxPoints}.");
        violations.Require(requirements?.MinGrade is null or "A" or "B" or "C", $"{path}.minGrade", "minGrade is A, B or C.");
    }

    private static void Agreement(AgreementDefinition? agreement, string path, Violations violations)
    {
        const int MaxDefinition = 2_000;
        const int MaxPeople = 20;
        const int MaxName = 120;
        if (agreement is null)
        {
            return;
        }

        violations.RequireText(agreement.Definition, $"{path}.definition", MaxDefinition);
        violations.Require(
            agreement.AgreedBy.Count is > 0 and <= MaxPeople, $"{path}.agreedBy", $"agreedBy has 1 to {MaxPeople} names.");
        foreach (var (index, name) in agreement.AgreedBy.Take(MaxPeople).Index())
        {
            violations.RequireText(name, $"{path}.agreedBy[{index}]", MaxName);
        }

        violations.Require(
            agreement.AgreeTime > DateTimeOffset.UnixEpoch, $"{path}.agreeTime", "agreeTime is required: when they agreed, after 1970.");
    }

    private static void Thresholds(ThresholdDefinition thresholds, string prefix, Violations violations)
    {
        foreach (var (name, value) in new[] { ("mql", thresholds.Mql), ("hot", thresholds.Hot), ("demote", thresholds.Demote) })
        {
            violations.Require(
                double.IsFinite(value) && Math.Abs(value) <= 10 * MaxPoints, $"{prefix}thresholds.{name}",
                $"{name} is at most {10 * MaxPoints}.");
        }

        violations.Require(thresholds.Mql > 0, $"{prefix}thresholds.mql", "mql lies above 0.");
        violations.Require(
            thresholds.Demote < thresholds.Mql, $"{prefix}thresholds.demote", "demote lies below mql, so that a lead does not flap.");
        violations.Require(thresholds.Hot >= thresholds.Mql, $"{prefix}thresholds.hot", "hot is at least mql.");
    }

    private static void Bands(IReadOnlyList<BandDefinition> bands, string prefix, Violations violations)
    {
        violations.Require(bands.Count is > 0 and <= MaxBands, $"{prefix}bands", $"A model has 1 to {MaxBands} bands, not {bands.Count}.");
        for (var index = 0; index < Math.Min(bands.Count, MaxBands); index++)
        {
            var (band, path) = (bands[index], $"{prefix}bands[{index}]");
            violations.Require(
                BandName().IsMatch(band.Name), $"{path}.name", "A band's name has 1 to 30 capitals, digits and underscores.");
            violations.Require(double.IsFinite(band.Min), $"{path}.min", "min must be a number.");
            violations.Require(
                index == 0 || band.Min > bands[index - 1].Min, $"{path}.min", "Bands are in order: min lies above the one before.");
            violations.Require(
                bands.Take(index).All(other => other.Name != band.Name), $"{path}.name", $"Another band has the name {band.Name}.");
        }
    }

    private static OncePer? Occasion(string? text, string path, Violations violations)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        // Enum.TryParse alone takes numbers, signs and lists, too.
        if (text.All(char.IsAsciiLetter) && Enum.TryParse<OncePerKind>(text, ignoreCase: true, out var kind) && kind != OncePerKind.Field)
        {
            return new(kind, null);
        }

        var field = ScoringFields.All.Find(text);
        violations.Require(
            field is not null && ScoringFields.IsOfActivity(field), path,
            "oncePer must be LEAD, DAY, SESSION or a field of the activity such as activity.url.");
        return new(OncePerKind.Field, field);
    }

    /// <summary>Whether points may have that half-life.</summary>
    public static bool IsHalfLife(TimeSpan halfLife) => halfLife >= ShortestHalfLife && halfLife <= LongestHalfLife;

    /// <summary>Whether a score may have that name.</summary>
    public static bool IsScoreName(string name) => ScoreName().IsMatch(name);

    private static TimeSpan? HalfLife(string? text, string path, Violations violations)
    {
        var halfLife = Duration(text, path, violations);
        violations.Require(
            halfLife is null || IsHalfLife(halfLife.Value), path,
            "A half-life is 1h at least and 3650d at most.");
        return halfLife;
    }

    private static TimeSpan? Duration(string? text, string path, Violations violations)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return violations.Require(Literals.TryDuration(text, out var duration), path, $"'{text}' is no duration such as 30d, 12h or 90m.")
            ? duration
            : null;
    }

    private static bool HasTwoDecimals(double value) => Math.Abs(Math.Round(value, 2) - value) < 1e-9;

    [GeneratedRegex("^[a-z0-9_-]{1,60}$")]
    private static partial Regex RuleId();

    [GeneratedRegex(@"^[a-z0-9-]{1,40}\z")]
    private static partial Regex ScoreName();

    [GeneratedRegex("^[A-Z0-9_]{1,30}$")]
    private static partial Regex BandName();
}
