using System.Globalization;
using System.Text.RegularExpressions;

namespace Lifecycle.Kernel.Expressions;

/// <summary>Recursive descent over the grammar of <see cref="Condition"/>. One instance reads one text.</summary>
internal sealed partial class ConditionParser(string text, FieldCatalog catalog, string name)
{
    private const int MaxDepth = 32;
    private const int MaxTests = 500;
    private const int MaxListLength = 1_000;
    private const int MaxPatternLength = 200;
    private static readonly string[] Keywords =
        ["and", "or", "not", "in", "contains", "startsWith", "endsWith", "matches", "exists", "within", "true", "false"];

    private readonly Violations violations = new();
    private FieldCatalog? counted;
    private HashSet<Field> fields = [];
    private List<(Field Field, TimeSpan Span)> spans = [];
    private readonly HashSet<Guid> segments = [];
    private List<Token> tokens = [];
    private int next;
    private int depth;
    private int tests;

    private Token Current => tokens[next];

    private FieldCatalog Readable => counted ?? catalog;

    public Result<Condition> Parse()
    {
        ConditionNode root;
        try
        {
            tokens = ConditionTokens.Read(text);
            root = Or();
            if (Current.Kind != TokenKind.End)
            {
                throw Expected("'and', 'or' or the end");
            }
        }
        catch (ConditionSyntaxException fault)
        {
            return Error.Invalid(name, $"{name}, position {fault.Position}: {fault.Message}.");
        }

        return violations.ToError() is { } error ? error : new Condition(text, root, fields, tallies, spans, segments, dates);
    }

    private ConditionNode Or()
    {
        if (++depth > MaxDepth)
        {
            throw new ConditionSyntaxException($"more than {MaxDepth} levels of nesting", Current.Position);
        }

        var parts = new List<ConditionNode> { And() };
        while (Take("or"))
        {
            parts.Add(And());
        }

        depth--;
        return parts.Count == 1 ? parts[0] : new AnyNode(parts);
    }

    private ConditionNode And()
    {
        var parts = new List<ConditionNode> { Not() };
        while (Take("and"))
        {
            parts.Add(Not());
        }

        return parts.Count == 1 ? parts[0] : new AllNode(parts);
    }

    private ConditionNode Not()
    {
        var negated = false;
        while (Take("not"))
        {
            negated = !negated;
        }

        var node = Primary();
        return negated ? new NotNode(node) : node;
    }

    private ConditionNode Primary()
    {
        if (Take("("))
        {
            var inner = Or();
            Require(")");
            return inner;
        }

        if (++tests > MaxTests)
        {
            throw new ConditionSyntaxException($"more than {MaxTests} tests", Current.Position);
        }

        if (Take("true"))
        {
            return new ConstantNode(true);
        }

        if (Take("false"))
        {
            return new ConstantNode(false);
        }

        if (Take("exists"))
        {
            var parenthesised = Take("(");
            var field = TakeField();
            if (parenthesised)
            {
                Require(")");
            }

            return new ExistsNode(field);
        }

        if (Current.Is("in_segment") && tokens[next + 1].Is("("))
        {
            return InSegment();
        }

        if (IsDateHere)
        {
            return DateOf();
        }

        return TallyKindHere() is { } kind ? CountOf(kind) : Test();
    }

    private ConditionNode Test()
    {
        var field = TakeField();
        var negated = Take("not");
        var operation = Current;
        next++;
        ConditionNode? node = operation.Text.ToUpperInvariant() switch
        {
            "IN" when operation.Kind == TokenKind.Word => In(field),
            "CONTAINS" when operation.Kind == TokenKind.Word => Texts(field, TextTest.Contains, operation),
            "STARTSWITH" when operation.Kind == TokenKind.Word => Texts(field, TextTest.StartsWith, operation),
            "ENDSWITH" when operation.Kind == TokenKind.Word => Texts(field, TextTest.EndsWith, operation),
            "MATCHES" when operation.Kind == TokenKind.Word => Matches(field, operation),
            "WITHIN" when operation.Kind == TokenKind.Word => Within(field, operation),
            "=" when !negated => Compare(field, Comparison.Equal),
            "!=" when !negated => new NotNode(Compare(field, Comparison.Equal)),
            "<" when !negated => Compare(field, Comparison.Less),
            "<=" when !negated => Compare(field, Comparison.LessOrEqual),
            ">" when !negated => Compare(field, Comparison.Greater),
            ">=" when !negated => Compare(field, Comparison.GreaterOrEqual),
            _ => null,
        };
        if (node is null)
        {
            next--;
            throw Expected(negated ? "in, contains, startsWith, endsWith, matches or within" : "an operator such as = or contains");
        }

        return negated ? new NotNode(node) : node;
    }

    private CompareNode Compare(Field field, Comparison comparison)
    {
        var position = Current.Position;
        var literal = TakeLiteral(field);
        if (comparison != Comparison.Equal && field.Type is FieldType.Boolean or FieldType.List)
        {
            Fault(position, $"{field} is {Described(field.Type)} and has no order");
        }

        return new(field, comparison, literal);
    }

    private InNode In(Field field)
    {
        Require("(");
        var literals = new List<FieldValue>();
        do
        {
            literals.Add(TakeLiteral(field));
            if (literals.Count > MaxListLength)
            {
                throw new ConditionSyntaxException($"more than {MaxListLength} elements in one list", Current.Position);
            }
        }
        while (Take(","));
        Require(")");
        return new(field, literals);
    }

    private TextNode Texts(Field field, TextTest test, Token operation)
    {
        RequireTextual(field, operation);
        return new(field, test, Form(field, TakeText()));
    }

    private ConditionNode Matches(Field field, Token operation)
    {
        RequireTextual(field, operation);
        var position = Current.Position;
        var pattern = TakeText();
        if (pattern.Length > MaxPatternLength)
        {
            Fault(position, $"the pattern has {pattern.Length} characters; at most {MaxPatternLength} are accepted");
            return new ConstantNode(false);
        }

        try
        {
            return new MatchesNode(
                field, new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant));
        }
        catch (Exception fault) when (fault is ArgumentException or NotSupportedException)
        {
            Fault(position, "the pattern is no regular expression without look-around and back-references");
            return new ConstantNode(false);
        }
    }

    private WithinNode Within(Field field, Token operation)
    {
        if (field.Type is not (FieldType.Time or FieldType.Any))
        {
            Fault(operation.Position, $"{field} is {Described(field.Type)}; within asks for an instant");
        }

        var span = TakeDuration();
        spans.Add((field, span));
        return new(field, span);
    }

    private Field TakeField()
    {
        var token = Current;
        if (token.Kind != TokenKind.Word || Keywords.Contains(token.Text, StringComparer.OrdinalIgnoreCase))
        {
            throw Expected("a field");
        }

        next++;
        if (Readable.Find(token.Text) is not { } field)
        {
            Fault(token.Position, $"no field '{token.Text}'; known are {string.Join(", ", Readable.Names)}");
            return new Field(token.Text, null, FieldType.Any);
        }

        fields.Add(field);
        return field;
    }

    private string TakeText() => Current.Kind == TokenKind.Text ? tokens[next++].Text : throw Expected("a text in quotes");

    private FieldValue TakeLiteral(Field field)
    {
        var token = Current;
        FieldValue? literal = token.Kind switch
        {
            TokenKind.Text => Literal(Form(field, token.Text)),
            TokenKind.Number => FieldValue.Of(decimal.Parse(token.Text, CultureInfo.InvariantCulture)),
            TokenKind.Word when token.Is("true") => FieldValue.Of(true),
            TokenKind.Word when token.Is("false") => FieldValue.Of(false),
            _ => null,
        };
        if (literal is not { } value)
        {
            throw Expected("a text in quotes, a number, true or false");
        }

        next++;
        if (field.Type == FieldType.Time)
        {
            if (value.AsTime() is { } time)
            {
                return FieldValue.Of(time);
            }

            Fault(token.Position, $"{field} is an instant; compare it with a text such as \"2026-03-31\"");
        }
        else if (!value.IsMissing && ((field.Type == FieldType.Number && value.Type != FieldType.Number)
            || (field.Type == FieldType.Boolean && value.Type != FieldType.Boolean)
            || (IsText(field.Type) && value.Type != FieldType.Text)))
        {
            Fault(token.Position, $"{field} is {Described(field.Type)}; {token.Shown} is not");
        }

        return value;
    }

    private static string Form(Field field, string text) => field.Type switch
    {
        FieldType.Email => EmailKey.Part(text),
        FieldType.Domain => DomainName.Normal(text.Trim()),
        _ => text,
    };

    private static bool IsText(FieldType type) => type is FieldType.Text or FieldType.List or FieldType.Email or FieldType.Domain;

    // An empty literal would read as a missing one; a missing field equals nothing, so neither does it.
    private static FieldValue Literal(string content) => content.Length == 0 ? FieldValue.Of("\0") : FieldValue.Of(content);

    private void RequireTextual(Field field, Token operation)
    {
        if (field.Type is FieldType.Number or FieldType.Boolean or FieldType.Time)
        {
            Fault(operation.Position, $"{field} is {Described(field.Type)}; {operation.Text} asks for text");
        }
    }

    private bool Take(string word)
    {
        var taken = Current.Is(word);
        next += taken ? 1 : 0;
        return taken;
    }

    private void Require(string symbol)
    {
        if (!Take(symbol))
        {
            throw Expected($"'{symbol}'");
        }
    }

    private ConditionSyntaxException Expected(string what) => new($"expected {what}, found {Current.Shown}", Current.Position);

    private void Fault(int position, string message) => violations.Add(name, $"{name}, position {position}: {message}.");

    private static string Described(FieldType type) => type switch
    {
        FieldType.Number => "a number",
        FieldType.Boolean => "true or false",
        FieldType.Time => "an instant",
        FieldType.List => "a list of texts",
        _ => "text",
    };
}
