using System.Globalization;

namespace Lifecycle.Rpc;

/// <summary>Text of a filter or page token as the value that the database compares with.</summary>
internal static class FieldValues
{
    public static string SqlType(FieldKind kind) => kind switch
    {
        FieldKind.Number => "numeric",
        FieldKind.Whole => "bigint",
        FieldKind.Boolean => "boolean",
        FieldKind.Time => "timestamptz",
        FieldKind.Date => "date",
        FieldKind.Id => "uuid",
        _ => "text",
    };

    /// <param name="field">Field compared.</param>
    /// <param name="text">Text given.</param>
    /// <param name="value">The value, of the CLR type that Npgsql maps.</param>
    /// <param name="expected">What would have been accepted.</param>
    public static bool TryParse(ListField field, string text, out object value, out string expected)
    {
        (value, expected) = (text, "text");
        switch (field.Kind)
        {
            case FieldKind.Name:
                expected = $"one of {string.Join(", ", field.Names)}";
                return field.Names.Contains(text, StringComparer.Ordinal);
            case FieldKind.Number:
                expected = "a number";
                return Set(
                    decimal.TryParse(
                        text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number),
                    number, ref value);
            case FieldKind.Whole:
                expected = "a whole number";
                return Set(
                    long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer), integer, ref value);
            case FieldKind.Boolean:
                expected = "true or false";
                return Set(text is "true" or "false", text == "true", ref value);
            case FieldKind.Time:
                expected = "a time such as \"2026-03-31T12:00:00Z\" or a day";
                return Set(
                    DateTimeOffset.TryParse(
                        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                        && char.IsAsciiDigit(text[0]) && text.Length >= 10 && text[4] == '-',
                    time,
                    ref value);
            case FieldKind.Date:
                expected = "a day such as 2026-03-31";
                return Set(
                    DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date),
                    date, ref value);
            case FieldKind.Id:
                expected = "a UUID";
                return Set(Guid.TryParse(text, out var id), id, ref value);
            default:
                return true;
        }
    }

    private static bool Set(bool parsed, object typed, ref object value)
    {
        value = parsed ? typed : value;
        return parsed;
    }
}
