using System.Globalization;
using System.Text.RegularExpressions;

namespace Lifecycle.Scoring.Domain.Learning;

/// <summary>What a feature looks at.</summary>
public enum FeatureKind
{
    /// <summary>A field of the profile has a value.</summary>
    Attribute = 1,

    /// <summary>A word is in the title.</summary>
    TitleWord = 2,

    /// <summary>A number of the profile lies in a range.</summary>
    Range = 3,

    /// <summary>The lead did something at least once.</summary>
    Did = 4,

    /// <summary>log2(1 + number of page views).</summary>
    Pages = 5,

    /// <summary>log2(1 + number of visits).</summary>
    Visits = 6,
}

/// <summary>One thing that is known of a lead.</summary>
/// <param name="Kind">What it looks at.</param>
/// <param name="Field">Field of a condition, or type of the activity.</param>
/// <param name="Value">Value in small letters, word, or what distinguishes the activity; for a range <c>low-high</c>, the high end
/// exclusive and perhaps open.</param>
public sealed partial record Feature(FeatureKind Kind, string Field, string Value)
{
    /// <summary>Counts go by doublings: the second page view says more than the hundred-second.</summary>
    public bool IsCount => Kind is FeatureKind.Pages or FeatureKind.Visits;

    public Category Category => Kind is FeatureKind.Attribute or FeatureKind.TitleWord or FeatureKind.Range
        ? Field.StartsWith("lead.traits.", StringComparison.Ordinal) && Bant.Contains(Field["lead.traits.".Length..])
            ? Category.Bant
            : Category.Fit
        : Category.Behavior;

    /// <summary>In words, e.g. <c>Industry is software</c>.</summary>
    public string Name => Kind switch
    {
        FeatureKind.TitleWord => $"Title has {Value}",
        FeatureKind.Range => $"{Label(Field)} {Range}",
        FeatureKind.Pages => "Page views",
        FeatureKind.Visits => "Visits",
        FeatureKind.Did => Value.Length == 0 ? $"Did {Field.ToLowerInvariant()}" : $"Did {Field.ToLowerInvariant()}: {Value}",
        _ => $"{Label(Field)} is {Value}",
    };

    /// <summary>The condition of a scoring rule that holds for the same leads, or for the activities that count.</summary>
    public string Condition => Kind switch
    {
        FeatureKind.TitleWord => $"lead.title matches {Quote($@"\b{Regex.Escape(Value)}\b")}",
        FeatureKind.Range when Bounds is (var low, null) => $"{Field} >= {low}",
        FeatureKind.Range when Bounds is (var low, { } high) => $"{Field} >= {low} and {Field} < {high}",
        FeatureKind.Pages => "activity.type = 'PAGE'",
        FeatureKind.Visits => "exists activity.sessionId",
        FeatureKind.Did => Field switch
        {
            Activity.EmailType => $"email.kind = {Quote(Value)}",
            "FORM" when Value.Length > 0 => $"activity.type = 'FORM' and activity.properties.formType = {Quote(Value)}",
            "PAGE" => $"activity.type = 'PAGE' and activity.path = {Quote(Value)}",
            "TRACK" => $"activity.type = 'TRACK' and activity.name = {Quote(Value)}",
            _ => $"activity.type = {Quote(Field)}",
        },
        _ => $"{Field} = {Quote(Value)}",
    };

    private static readonly HashSet<string> Bant =
        new(StringComparer.OrdinalIgnoreCase) { "budget", "authority", "need", "timing", "timeline" };

    private (string Low, string? High) Bounds =>
        Value.Split('-') is [var low, { Length: > 0 } high] ? (low, high) : (Value.TrimEnd('-'), null);

    private string Range => Bounds is (var low, { } high) ? $"from {low} to below {high}" : $"from {Bounds.Low}";

    /// <summary>The range of a number, e.g. <c>50-250</c>.</summary>
    public static Feature OfRange(string field, decimal number, IReadOnlyList<long> limits)
    {
        var index = limits.Count - 1;
        while (index > 0 && number < limits[index])
        {
            index--;
        }

        var high = index + 1 < limits.Count ? limits[index + 1].ToString(CultureInfo.InvariantCulture) : "";
        return new(FeatureKind.Range, field, $"{limits[index].ToString(CultureInfo.InvariantCulture)}-{high}");
    }

    private static string Label(string field)
    {
        var last = field.Split('.')[^1];
        var words = Capital().Replace(last, match => $" {match.Value.ToLowerInvariant()}");
        return $"{char.ToUpperInvariant(words[0])}{words[1..]}";
    }

    private static string Quote(string text) =>
        $"'{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal)}'";

    [GeneratedRegex("(?<=.)[A-Z]")]
    private static partial Regex Capital();
}
