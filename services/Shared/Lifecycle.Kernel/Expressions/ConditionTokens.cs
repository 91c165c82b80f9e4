using System.Globalization;
using System.Text;

namespace Lifecycle.Kernel.Expressions;

internal enum TokenKind
{
    End,

    /// <summary>Identifier, keyword or dotted field name.</summary>
    Word,
    Text,
    Number,

    /// <summary>Number with a unit, such as <c>30d</c>.</summary>
    Duration,
    Symbol,
}

/// <param name="Position">Of the first character, from 1.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Position)
{
    /// <summary>The token as an error shows it.</summary>
    public string Shown => Kind == TokenKind.End ? "the end" : $"'{Text}'";

    public bool Is(string word) => Kind is TokenKind.Word or TokenKind.Symbol && Text.Equals(word, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A fault of form, with its position; caught by the parser.</summary>
internal sealed class ConditionSyntaxException(string message, int position) : Exception(message)
{
    public int Position { get; } = position;
}

/// <summary>Cuts a condition into tokens.</summary>
internal static class ConditionTokens
{
    public static List<Token> Read(string text)
    {
        var tokens = new List<Token>();
        for (var at = 0; at < text.Length;)
        {
            var start = at;
            var first = text[at];
            if (char.IsWhiteSpace(first))
            {
                at++;
            }
            else if (first is '"' or '\'')
            {
                tokens.Add(new(TokenKind.Text, Quoted(text, ref at), start + 1));
            }
            else if (char.IsAsciiDigit(first) || (first == '-' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])))
            {
                tokens.Add(Number(text, ref at));
            }
            else if (char.IsLetter(first) || first == '_')
            {
                tokens.Add(new(TokenKind.Word, Word(text, ref at), start + 1));
            }
            else
            {
                tokens.Add(new(TokenKind.Symbol, Symbol(text, ref at), start + 1));
            }
        }

        tokens.Add(new(TokenKind.End, "", text.Length + 1));
        return tokens;
    }

    private static string Quoted(string text, ref int at)
    {
        var (quote, start) = (text[at++], at);
        var content = new StringBuilder();
        for (; at < text.Length; at++)
        {
            if (text[at] == quote)
            {
                at++;
                return content.ToString();
            }

            // Only the quote and the backslash are escapable, so that patterns such as \d need no doubling.
            if (text[at] == '\\' && at + 1 < text.Length && (text[at + 1] == quote || text[at + 1] == '\\'))
            {
                at++;
            }

            content.Append(text[at]);
        }

        throw new ConditionSyntaxException($"the text that begins here has no closing {quote}", start);
    }

    private static Token Number(string text, ref int at)
    {
        var start = at++;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
        {
            at++;
        }

        var kind = TokenKind.Number;
        if (at < text.Length && char.IsLetter(text[at]))
        {
            kind = TokenKind.Duration;
            while (at < text.Length && char.IsLetterOrDigit(text[at]))
            {
                at++;
            }
        }

        var token = new Token(kind, text[start..at], start + 1);
        var valid = kind == TokenKind.Duration
            ? Literals.TryDuration(token.Text.TrimStart('-'), out _)
            : decimal.TryParse(
                token.Text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        return valid ? token : throw NoNumber(token);
    }

    /// <summary>The fault of a token that begins as a number does. Only offsets of days take a duration with a minus.</summary>
    public static ConditionSyntaxException NoNumber(Token token) =>
        new($"'{token.Text}' is neither a number nor a duration such as 30d", token.Position);

    /// <summary>Identifiers joined by dots; a part in quotes may hold anything.</summary>
    private static string Word(string text, ref int at)
    {
        var (word, dotted) = (new StringBuilder(), false);
        while (at < text.Length)
        {
            if (char.IsLetterOrDigit(text[at]) || text[at] is '_' or '$' || (text[at] == '-' && dotted))
            {
                word.Append(text[at++]);
            }
            else if (text[at] == '.' && at + 1 < text.Length && (char.IsLetterOrDigit(text[at + 1]) || text[at + 1] is '_' or '$'))
            {
                dotted = true;
                word.Append(text[at++]);
            }
            else if (text[at] == '.' && at + 1 < text.Length && text[at + 1] is '"' or '\'')
            {
                dotted = true;
                word.Append(text[at++]);
                word.Append(Quoted(text, ref at));
            }
            else
            {
                break;
            }
        }

        return word.ToString();
    }

    private static string Symbol(string text, ref int at)
    {
        var two = at + 1 < text.Length ? text.Substring(at, 2) : "";
        if (two is "!=" or "<=" or ">=")
        {
            at += 2;
            return two;
        }

        return text[at] is '=' or '<' or '>' or '(' or ')' or ','
            ? text[at++].ToString()
            : throw new ConditionSyntaxException($"'{text[at]}' has no meaning here", at + 1);
    }
}
