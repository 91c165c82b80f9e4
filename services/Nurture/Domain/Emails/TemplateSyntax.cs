using System.Globalization;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>A field that a template names.</summary>
/// <param name="Path">E.g. <c>lead.firstName</c>.</param>
/// <param name="IsGuarded">It stands inside an <c>if</c> or <c>unless</c> over itself: the template minds that it may be missing.</param>
public sealed record TemplateField(string Path, bool IsGuarded);

/// <summary>
/// The part of Handlebars that mail templates may use, and the fields that they name: values, <c>if</c>, <c>unless</c>, <c>each</c>,
/// <c>with</c>, <c>else</c>, <c>lookup</c> and comments.
/// </summary>
/// <remarks>
/// Templates come from users, and the engine runs whatever it compiles: a partial that calls itself, loops within loops or blocks nested a
/// thousand deep would stop every mail of every workspace. What could run away is refused before it is compiled. To be sure that this
/// reading of the template is the engine's, what the two might read differently (escaped braces, braces in comments and strings) is refused
/// too.
/// </remarks>
public sealed class TemplateSyntax
{
    /// <summary>Most <c>{{…}}</c> of one template.</summary>
    public const int MaxTags = 2000;

    /// <summary>Deepest nesting of blocks.</summary>
    public const int MaxDepth = 8;

    /// <summary>Deepest nesting of <c>each</c>.</summary>
    public const int MaxLoops = 2;

    private const int MaxTagLength = 500;
    private static readonly string[] Blocks = ["if", "unless", "each", "with"];

    private readonly List<Block> open = [];
    private readonly Dictionary<string, bool> fields = new(StringComparer.OrdinalIgnoreCase);
    private int tags;

    private TemplateSyntax()
    {
    }

    /// <summary>The first fault, with the line it is in; null for a template that may be compiled.</summary>
    public string? Fault { get; private set; }

    /// <summary>Fields by name, each once; guarded only where every mention is.</summary>
    public IReadOnlyList<TemplateField> Fields => [.. fields.Select(named => new TemplateField(named.Key, named.Value))];

    /// <summary>A value is written without escaping (<c>{{{…}}}</c> or <c>{{&amp;…}}</c>).</summary>
    public bool HasUnescaped { get; private set; }

    /// <summary>Reads a template.</summary>
    public static TemplateSyntax Read(string template)
    {
        var syntax = new TemplateSyntax();
        var position = 0;
        while (syntax.Fault is null && template.IndexOf("{{", position, StringComparison.Ordinal) is var start and >= 0)
        {
            var (fault, end) = syntax.ReadTag(template, start);
            if (fault is not null)
            {
                syntax.Fault = $"line {Line(template, start)}: {fault}";
            }

            position = end;
        }

        if (syntax.Fault is null && syntax.open is [.., var unclosed])
        {
            syntax.Fault = $"{{{{#{unclosed.Name}}}}} is not closed.";
        }

        return syntax;
    }

    private static string Line(string template, int position) =>
        (template.AsSpan(0, position).Count('\n') + 1).ToString(CultureInfo.InvariantCulture);

    private (string? Fault, int End) ReadTag(string template, int start)
    {
        var open = template.AsSpan(start).StartsWith("{{{", StringComparison.Ordinal) ? 3 : 2;
        var closing = template.IndexOf(open == 3 ? "}}}" : "}}", start, StringComparison.Ordinal);
        if (++tags > MaxTags)
        {
            return ($"a template has at most {MaxTags} tags.", template.Length);
        }

        if (start > 0 && template[start - 1] == '\\')
        {
            return ("escaped braces are not supported.", template.Length);
        }

        if (closing < 0)
        {
            return ("{{ is not closed.", template.Length);
        }

        var inner = template[(start + open)..closing];
        var end = closing + open;
        if (inner.StartsWith("!--", StringComparison.Ordinal) && !inner.EndsWith("--", StringComparison.Ordinal))
        {
            return ("a comment must not hold braces.", end);
        }

        var fault = inner.Length > MaxTagLength ? $"a tag has at most {MaxTagLength} characters."
            : inner.AsSpan().IndexOfAny('{', '}') >= 0 ? "braces inside a tag are not supported."
            : Take(inner.Trim().Trim('~').Trim(), open == 3);
        return (fault, end);
    }

    private string? Take(string tag, bool isUnescaped)
    {
        if (tag.StartsWith('!'))
        {
            return null;
        }

        if (tag.Count(letter => letter == '"') % 2 != 0 || tag.Count(letter => letter == '\'') % 2 != 0)
        {
            return "a quotation mark is not closed.";
        }

        switch (tag.Length == 0 ? ' ' : tag[0])
        {
            case '>' or '*':
                return "partials and decorators are not supported.";
            case '#':
                return Open(tag[1..].Trim());
            case '/':
                return Close(tag[1..].Trim());
            case '^':
                return tag.Length == 1 ? Else("") : Open(tag[1..].Trim());
            case '&':
                HasUnescaped = true;
                return Value(tag[1..].Trim());
            default:
                HasUnescaped |= isUnescaped;
                return tag == "else" || tag.StartsWith("else ", StringComparison.Ordinal) ? Else(tag[4..].Trim()) : Value(tag);
        }
    }

    private string? Open(string head)
    {
        var words = Words(head);
        if (words is not [var name, .. var arguments] || !Blocks.Contains(name))
        {
            return $"the block {{{{#{head}}}}} is not supported; there are {string.Join(", ", Blocks)}.";
        }

        if (open.Count >= MaxDepth)
        {
            return $"blocks are nested more than {MaxDepth} deep.";
        }

        if (name == "each" && open.Count(block => block.Name == "each") >= MaxLoops)
        {
            return $"each is nested more than {MaxLoops} deep.";
        }

        // Arguments are read where the block stands, not inside it; what a guard asks for counts as guarded itself.
        if (Resolve(arguments, out var paths) is { } fault)
        {
            return fault;
        }

        open.Add(new(name, name is "if" or "unless" ? paths : [], name switch
        {
            "with" => paths is [var path, ..] ? path : null,
            "each" => null,
            _ => Context,
        }));
        paths.ForEach(Note);
        return null;
    }

    private string? Else(string chained)
    {
        if (open is not [.., var block])
        {
            return "{{else}} stands outside any block.";
        }

        if (chained.Length == 0)
        {
            return null;
        }

        return Words(chained) is ["if" or "unless", .. var arguments]
            ? Guard(block, arguments)
            : $"{{{{else {chained}}}}} is not supported; there are else, else if and else unless.";
    }

    private string? Guard(Block block, string[] arguments)
    {
        if (Resolve(arguments, out var paths) is { } fault)
        {
            return fault;
        }

        open[^1] = block with { Guards = [.. block.Guards, .. paths] };
        paths.ForEach(Note);
        return null;
    }

    private string? Close(string name)
    {
        if (open is not [.., var block] || block.Name != name)
        {
            return $"{{{{/{name}}}}} closes nothing.";
        }

        open.RemoveAt(open.Count - 1);
        return null;
    }

    private string? Value(string tag)
    {
        var words = Words(tag);
        return words switch
        {
            [] => "a tag is empty.",
            ["lookup", .. var arguments] => Take(arguments),
            ["log" or "if" or "unless" or "each" or "with", ..] => $"{{{{{tag}}}}} is not supported.",
            [_] => Take(words),
            _ => $"there is no helper {words[0]}.",
        };
    }

    private string? Take(string[] words)
    {
        var fault = Resolve(words, out var paths);
        paths.ForEach(Note);
        return fault;
    }

    private void Note(string path)
    {
        var guarded = open.Exists(block => block.Guards.Contains(path, StringComparer.OrdinalIgnoreCase));
        fields[path] = fields.GetValueOrDefault(path, true) && guarded;
    }

    /// <summary>Paths among the words; text, numbers and the loop's own names are none.</summary>
    private string? Resolve(string[] words, out List<string> paths)
    {
        paths = [.. words.Select(Resolve).OfType<string>()];
        return words.Any(word => word.AsSpan().IndexOfAny('(', ')') >= 0) ? "expressions in brackets are not supported." : null;
    }

    private string? Context => open is [.., var block] ? block.Context : "";

    /// <summary>The path from the root; null for what is no field, or is one of a loop's item.</summary>
    private string? Resolve(string word)
    {
        var isLiteral = word.Length == 0 || word[0] is '"' or '\'' or '@' or '-' || char.IsAsciiDigit(word[0])
            || word is "true" or "false" or "null"
            || word.Contains('=', StringComparison.Ordinal);
        if (isLiteral || word is "this" or "." or "..")
        {
            return null;
        }

        var (depth, path) = (open.Count, word);
        while (path.StartsWith("../", StringComparison.Ordinal) && depth > 0)
        {
            // if and unless open no context of their own.
            do
            {
                depth--;
            }
            while (depth > 0 && open[depth].Name is "if" or "unless");
            path = path[3..];
        }

        path = path.StartsWith("this.", StringComparison.Ordinal) || path.StartsWith("this/", StringComparison.Ordinal) ? path[5..]
            : path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
        path = path.Replace('/', '.').Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        var context = depth == 0 ? "" : open[depth - 1].Context;
        return context switch
        {
            null => null,
            "" => path,
            _ => $"{context}.{path}",
        };
    }

    private static string[] Words(string text) => text.Split((char[])[' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

    /// <param name="Name">Kind of block.</param>
    /// <param name="Guards">Fields that it asks for.</param>
    /// <param name="Context">Path that names inside it begin with; empty at the root, null inside a loop.</param>
    private sealed record Block(string Name, List<string> Guards, string? Context);
}
