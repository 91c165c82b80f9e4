using System.Globalization;
using System.Text;
using Lifecycle.Kernel;

namespace Lifecycle.Rpc;

/// <summary>A condition as SQL with parameters <c>@f0</c>, <c>@f1</c>….</summary>
/// <param name="Sql">Boolean expression; <c>true</c> for an empty filter.</param>
/// <param name="Parameters">Values by name without <c>@</c>; Dapper takes them as they are.</param>
public sealed record SqlFilter(string Sql, IReadOnlyDictionary<string, object> Parameters);

/// <summary>
/// The filter language of lists, a subset of AIP-160: <c>field op value</c> joined by AND, OR, NOT and parentheses. OR binds tighter than
/// AND, as there. Operators: <c>= != &lt; &lt;= &gt; &gt;= :</c>; <c>field:*</c> asks whether it is set. Values with spaces or signs stand
/// in quotation marks.
/// </summary>
public static class Filter
{
    /// <summary>Longest filter, characters.</summary>
    public const int MaxLength = 2000;

    /// <summary>Most comparisons in one filter.</summary>
    public const int MaxTerms = 50;

    /// <summary>The filter as SQL over the list's fields; INVALID_ARGUMENT names the fault and where it stands.</summary>
    public static Result<SqlFilter> Parse(string? filter, ListFields fields)
    {
        if (string.IsNullOrWhiteSpace(filter))
        {
            return new SqlFilter("true", new Dictionary<string, object>());
        }

        if (filter.Length > MaxLength)
        {
            return Error.Invalid("filter", $"filter has {filter.Length} characters; at most {MaxLength} are accepted.");
        }

        try
        {
            return new Reader(filter, fields).Read();
        }
        catch (FormatException exception)
        {
            return Error.Invalid("filter", exception.Message);
        }
    }

    private sealed class Reader(string text, ListFields fields)
    {
        private const int MaxDepth = 20;

        private readonly Dictionary<string, object> parameters = [];
        private readonly StringBuilder sql = new();
        private int at;
        private int depth;
        private int terms;

        public SqlFilter Read()
        {
            Conjunction();
            return at < text.Length ? throw Fault($"unexpected {text[at]}") : new SqlFilter(sql.ToString(), parameters);
        }

        private void Conjunction()
        {
            if (++depth > MaxDepth)
            {
                throw Fault($"more than {MaxDepth} nested parentheses");
            }

            sql.Append('(');
            Alternatives();
            while (Word("AND") || (Blank() < text.Length && text[at] != ')'))
            {
                sql.Append(" and ");
                Alternatives();
            }

            sql.Append(')');
            depth--;
        }

        private void Alternatives()
        {
            sql.Append('(');
            Term();
            while (Word("OR"))
            {
                sql.Append(" or ");
                Term();
            }

            sql.Append(')');
        }

        private void Term()
        {
            if (Word("NOT") || Sign("-"))
            {
                sql.Append("not coalesce(");
                Simple();
                sql.Append(", false)");
            }
            else
            {
                Simple();
            }
        }

        private void Simple()
        {
            if (Sign("("))
            {
                Conjunction();
                if (!Sign(")"))
                {
                    throw Fault("a parenthesis is not closed");
                }

                return;
            }

            if (++terms > MaxTerms)
            {
                throw Fault($"more than {MaxTerms} comparisons");
            }

            var start = Blank();
            var name = Bare(isName: true);
            if (name.Length == 0)
            {
                throw Fault("a field name is expected");
            }

            if (fields.Find(name, out var key) is not { } field)
            {
                throw Fault($"{name} is no field to filter by; known: {fields.Known}", start);
            }

            Comparison(field, key, name);
        }

        private void Comparison(ListField field, string? key, string name)
        {
            var start = Blank();
            var sign = Array.Find(["!=", "<=", ">=", "=", "<", ">", ":"], Sign)
                ?? throw Fault($"{name} is to be followed by one of = != < <= > >= :");
            var column = key is null ? field.Sql : $"({field.Sql} ->> {Add(key)})";
            Blank();
            if (at < text.Length && text[at] == '*' && sign == ":")
            {
                at++;
                // Columns of text hold nothing as an empty one.
                sql.Append(column).Append(field.Kind is FieldKind.Text or FieldKind.Email ? " <> ''" : " is not null");
                return;
            }

            var value = field.Kind == FieldKind.Email ? EmailKey.Part(Value(name)) : Value(name);
            switch (field.Kind, sign)
            {
                case (FieldKind.Text or FieldKind.Email or FieldKind.Json, ":"):
                    sql.Append(CultureInfo.InvariantCulture, $"{column} ilike {Add($"%{Escape(value)}%")}");
                    break;
                case (FieldKind.Texts, ":" or "="):
                    sql.Append(CultureInfo.InvariantCulture, $"{Add(value)} = any({column})");
                    break;
                case (FieldKind.Texts, _):
                    throw Fault($"{name} takes only : (holds)", start);
                case (FieldKind.Name or FieldKind.Boolean, "<" or "<=" or ">" or ">="):
                    throw Fault($"{name} takes only = and !=", start);
                // What nobody set reads as an empty text, whether the column holds one or null.
                case (FieldKind.Text or FieldKind.Email, "=" or "!=") when value.Length == 0:
                    sql.Append(CultureInfo.InvariantCulture, $"coalesce({column}, '') {(sign == "=" ? "=" : "<>")} ''");
                    break;
                case (_, "!="):
                    sql.Append(CultureInfo.InvariantCulture, $"{column} is distinct from {Typed(field, value, name, start)}");
                    break;
                default:
                    sql.Append(CultureInfo.InvariantCulture, $"{column} {(sign == ":" ? "=" : sign)} {Typed(field, value, name, start)}");
                    break;
            }
        }

        private string Typed(
            ListField field, string value, string name, int start) => FieldValues.TryParse(field, value, out var typed, out var expected)
            ? Add(typed)
            : throw Fault($"{name} must be compared with {expected}", start);

        private string Add(object value)
        {
            var name = $"f{parameters.Count}";
            parameters.Add(name, value);
            return "@" + name;
        }

        private string Value(string name)
        {
            if (at < text.Length && text[at] is '"' or '\'')
            {
                return Quoted();
            }

            var value = Bare(isName: false);
            return value.Length > 0 ? value : throw Fault($"a value for {name} is expected");
        }

        private string Quoted()
        {
            var (quote, start, value) = (text[at++], at - 1, new StringBuilder());
            for (; at < text.Length && text[at] != quote; at++)
            {
                if (text[at] == '\\' && at + 1 < text.Length)
                {
                    at++;
                }

                value.Append(text[at]);
            }

            if (at++ >= text.Length)
            {
                throw Fault("a quotation mark is not closed", start);
            }

            return value.ToString();
        }

        private string Bare(bool isName)
        {
            var start = at;
            while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('(' or ')' or '"')
                && !(isName && "=!<>:'".Contains(text[at], StringComparison.Ordinal)))
            {
                at++;
            }

            return text[start..at];
        }

        private bool Word(string word)
        {
            Blank();
            var end = at + word.Length;
            if (end <= text.Length && text.AsSpan(at, word.Length).SequenceEqual(word)
                && (end == text.Length || char.IsWhiteSpace(text[end]) || text[end] == '('))
            {
                at = end;
                return true;
            }

            return false;
        }

        private bool Sign(string sign)
        {
            Blank();
            if (text.AsSpan(at).StartsWith(sign))
            {
                at += sign.Length;
                return true;
            }

            return false;
        }

        private int Blank()
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            return at;
        }

        private FormatException Fault(string what, int? position = null) => new($"filter, position {(position ?? at) + 1}: {what}.");
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal);
}
