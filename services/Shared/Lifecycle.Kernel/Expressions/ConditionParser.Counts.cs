using System.Globalization;

namespace Lifecycle.Kernel.Expressions;

/// <summary>Counts over activities.</summary>
internal sealed partial class ConditionParser
{
    private const int MaxTallies = 20;
    private const decimal MaxCount = 1_000_000;
    private readonly List<Tally> tallies = [];
    private bool counting;

    /// <summary>Which count begins here; null: none, as a field may have its name.</summary>
    private TallyKind? TallyKindHere()
    {
        if (Current.Kind != TokenKind.Word || !tokens[next + 1].Is("("))
        {
            return null;
        }

        return Current.Text.ToUpperInvariant() switch
        {
            "COUNT" => TallyKind.Count,
            "VISITS" => TallyKind.Visits,
            "INACTIVE" => TallyKind.Inactive,
            _ => null,
        };
    }

    private TallyNode CountOf(TallyKind kind)
    {
        var start = Current;
        if (counting)
        {
            throw new ConditionSyntaxException("a count within a count", start.Position);
        }

        if (tallies.Count == MaxTallies)
        {
            throw new ConditionSyntaxException($"more than {MaxTallies} counts", start.Position);
        }

        if (!catalog.CountsActivities)
        {
            Fault(start.Position, $"{start.Text}(…) has nothing to count here");
        }

        next++;
        Require("(");
        var condition = kind == TallyKind.Count ? Counted() : null;
        TimeSpan? span = kind == TallyKind.Count
            ? Take(",") ? TakeDuration() : null
            : kind == TallyKind.Inactive || !Current.Is(")") ? TakeDuration() : null;
        Require(")");
        var tally = new Tally(kind, condition, span);
        tallies.Add(tally);
        return kind == TallyKind.Inactive ? new(tally, Comparison.Equal, 1) : Compared(tally);
    }

    private InSegmentNode InSegment()
    {
        var start = Current;
        if (counting)
        {
            throw new ConditionSyntaxException("in_segment within a count: an activity is in no segment", start.Position);
        }

        if (!catalog.KnowsSegments)
        {
            Fault(start.Position, "in_segment(…) is known in segments only");
        }

        next++;
        Require("(");
        var position = Current.Position;
        if (!Guid.TryParseExact(TakeText(), "D", out var id))
        {
            Fault(position, "in_segment asks for a segment's id in quotes");
        }

        Require(")");
        segments.Add(id);
        return new(id);
    }

    /// <summary>The condition of a count; its fields are those of the activities counted.</summary>
    private Condition Counted()
    {
        var (outerFields, outerSpans, from) = (fields, spans, Current.Position);
        (fields, spans, counting, counted) = ([], [], true, catalog.Counted);
        var root = Or();
        var condition = new Condition(text[(from - 1)..(Current.Position - 1)].Trim(), root, fields, [], spans, new HashSet<Guid>(), []);
        (fields, spans, counting, counted) = (outerFields, outerSpans, false, null);
        return condition;
    }

    private TallyNode Compared(Tally tally)
    {
        var operation = Current;
        Comparison? comparison = operation.Kind != TokenKind.Symbol
            ? null
            : operation.Text switch
            {
                "=" => Comparison.Equal,
                "<" => Comparison.Less,
                "<=" => Comparison.LessOrEqual,
                ">" => Comparison.Greater,
                ">=" => Comparison.GreaterOrEqual,
                _ => null,
            };
        if (comparison is not { } known)
        {
            throw Expected("=, <, <=, > or >=");
        }

        next++;
        if (Current.Kind != TokenKind.Number)
        {
            throw Expected("a number");
        }

        var (position, number) = (Current.Position, decimal.Parse(tokens[next++].Text, CultureInfo.InvariantCulture));
        if (number < 0 || number > MaxCount || number != decimal.Truncate(number))
        {
            Fault(position, $"a count is compared with a whole number from 0 to {MaxCount}");
        }

        return new(tally, known, number);
    }

    private TimeSpan TakeDuration()
    {
        if (Current.Kind != TokenKind.Duration)
        {
            throw Expected("a duration such as 30d");
        }

        var token = tokens[next++];
        return Literals.TryDuration(token.Text, out var span) ? span : throw ConditionTokens.NoNumber(token);
    }
}
