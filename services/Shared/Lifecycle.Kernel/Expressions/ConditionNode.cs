using System.Text.RegularExpressions;

namespace Lifecycle.Kernel.Expressions;

/// <summary>A node of a parsed condition.</summary>
internal abstract class ConditionNode
{
    /// <summary>Tests that hold wherever the node does.</summary>
    public virtual IEnumerable<RequiredTest> Required => [];

    public abstract bool Holds(IFieldSource source, DateTimeOffset now);
}

internal sealed class ConstantNode(bool value) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now) => value;
}

internal sealed class NotNode(ConditionNode inner) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now) => !inner.Holds(source, now);
}

internal sealed class AllNode(IReadOnlyList<ConditionNode> parts) : ConditionNode
{
    public override IEnumerable<RequiredTest> Required => parts.SelectMany(part => part.Required);

    public override bool Holds(IFieldSource source, DateTimeOffset now)
    {
        foreach (var part in parts)
        {
            if (!part.Holds(source, now))
            {
                return false;
            }
        }

        return true;
    }
}

internal sealed class AnyNode(IReadOnlyList<ConditionNode> parts) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now)
    {
        foreach (var part in parts)
        {
            if (part.Holds(source, now))
            {
                return true;
            }
        }

        return false;
    }
}

internal sealed class ExistsNode(Field field) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now) => !source.Get(field).IsMissing;
}

internal sealed class WithinNode(Field field, TimeSpan span) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now) =>
        source.Get(field).AsTime() is { } time && time <= now && now - time < span;
}

/// <summary>For a source without days it is no day.</summary>
internal sealed class DateNode(DateTest test) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now) => (source as IDatedSource)?.IsOn(test, now) ?? false;
}

/// <summary>A source that keeps no activities counts none.</summary>
internal sealed class TallyNode(Tally tally, Comparison comparison, decimal number) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now)
    {
        decimal count = (source as IHistorySource)?.Count(tally, now) ?? 0;
        return comparison switch
        {
            Comparison.Equal => count == number,
            Comparison.Less => count < number,
            Comparison.LessOrEqual => count <= number,
            Comparison.Greater => count > number,
            _ => count >= number,
        };
    }
}

/// <summary>A source that knows no segments is in none.</summary>
internal sealed class InSegmentNode(Guid segment) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now) => (source as ISegmentSource)?.IsIn(segment) ?? false;
}

internal sealed class CompareNode(Field field, Comparison comparison, FieldValue literal) : ConditionNode
{
    public override IEnumerable<RequiredTest> Required => [new(@field, comparison, [literal])];

    public override bool Holds(IFieldSource source, DateTimeOffset now)
    {
        var value = source.Get(field);
        return !value.IsMissing && (value.Type == FieldType.List
            ? comparison == Comparison.Equal && value.AsTexts().Contains(literal.AsText(), StringComparer.OrdinalIgnoreCase)
            : Order(value, literal) is { } order && comparison switch
            {
                Comparison.Equal => order == 0,
                Comparison.Less => order < 0,
                Comparison.LessOrEqual => order <= 0,
                Comparison.Greater => order > 0,
                _ => order >= 0,
            });
    }

    /// <summary>Sign of value − literal, by the literal's type; null when the value cannot be read as that type.</summary>
    internal static int? Order(FieldValue value, FieldValue literal) => literal.Type switch
    {
        FieldType.Number => value.AsNumber()?.CompareTo(literal.AsNumber()!.Value),
        FieldType.Boolean => value.AsBoolean()?.CompareTo(literal.AsBoolean()!.Value),
        FieldType.Time => value.AsTime()?.CompareTo(literal.AsTime()!.Value),
        _ => value.AsText() is { } text ? string.Compare(text, literal.AsText(), StringComparison.OrdinalIgnoreCase) : null,
    };
}

internal sealed class InNode(Field field, IReadOnlyList<FieldValue> literals) : ConditionNode
{
    public override IEnumerable<RequiredTest> Required => [new(@field, Comparison.Equal, literals)];

    public override bool Holds(IFieldSource source, DateTimeOffset now)
    {
        var value = source.Get(field);
        foreach (var literal in literals)
        {
            if (value.Type == FieldType.List
                ? value.AsTexts().Contains(literal.AsText(), StringComparer.OrdinalIgnoreCase)
                : !value.IsMissing && CompareNode.Order(value, literal) == 0)
            {
                return true;
            }
        }

        return false;
    }
}

internal enum TextTest
{
    Contains,
    StartsWith,
    EndsWith,
}

internal sealed class TextNode(Field field, TextTest test, string literal) : ConditionNode
{
    public override bool Holds(IFieldSource source, DateTimeOffset now)
    {
        var value = source.Get(field);
        return value.Type == FieldType.List && test == TextTest.Contains
            ? value.AsTexts().Contains(literal, StringComparer.OrdinalIgnoreCase)
            : value.AsText() is { } text && test switch
            {
                TextTest.Contains => text.Contains(literal, StringComparison.OrdinalIgnoreCase),
                TextTest.StartsWith => text.StartsWith(literal, StringComparison.OrdinalIgnoreCase),
                _ => text.EndsWith(literal, StringComparison.OrdinalIgnoreCase),
            };
    }
}

internal sealed class MatchesNode(Field field, Regex pattern) : ConditionNode
{
    /// <summary>Longest text that is looked at, so that no sender's value costs more than any other.</summary>
    public const int MaxTextLength = 4_096;

    public override bool Holds(IFieldSource source, DateTimeOffset now) =>
        source.Get(field).AsText() is { } text && pattern.IsMatch(text.AsSpan(0, Math.Min(text.Length, MaxTextLength)));
}
