namespace Lifecycle.Kernel.Expressions;

/// <summary>
/// A condition over fields, as written in scoring rules and segments, e.g.
/// <c>activity.type = "FORM" and (activity.properties.formType in ("demo", "contact") or company.employees &gt;= 50)</c>.
/// <para>
/// Grammar: <c>or</c> binds weakest, then <c>and</c>, then <c>not</c>; parentheses group. A test is one of
/// <c>field = != &lt; &lt;= &gt; &gt;= literal</c> · <c>field [not] in (literal, …)</c> ·
/// <c>field [not] contains|startsWith|endsWith|matches "text"</c> · <c>exists field</c> · <c>field within 30d</c> (an instant not after now
/// and less than so long ago) · <c>on_date(field, -30d)</c> · <c>anniversary(field)</c> · <c>true</c> · <c>false</c>. Literals:
/// <c>"text"</c> or <c>'text'</c> (backslash escapes the quote and itself), numbers, <c>true</c>, <c>false</c>; instants are texts such as
/// <c>"2026-03-31"</c> or RFC 3339. A part of a field name that is no identifier is quoted: <c>lead.traits.'job title'</c>. Keywords and
/// text comparisons ignore case. <c>matches</c> takes a regular expression without look-around or back-references (it runs in time linear
/// in the text).
/// </para>
/// <para>
/// A missing field makes every test false except <c>!=</c> and the <c>not</c> forms, which negate the plain test. On a list, <c>=</c>,
/// <c>in</c> and
/// <c>contains</c> ask whether any element fits.
/// </para>
/// Bounds: 4,000 characters, nesting of 32, 500 tests, 1,000 list elements, patterns of 200 characters, the first 4,096 characters of a
/// text matched; 20 counts, which do not nest.
/// </summary>
public sealed class Condition
{
    /// <summary>Most characters of a condition.</summary>
    public const int MaxLength = 4_000;

    private readonly ConditionNode root;

    internal Condition(
        string text,
        ConditionNode root,
        IReadOnlySet<Field> fields,
        IReadOnlyList<Tally> tallies,
        IReadOnlyList<(Field Field, TimeSpan Span)> spans,
        IReadOnlySet<Guid> segments,
        IReadOnlyList<DateTest> dates)
    {
        (Text, this.root, Fields, Tallies, Spans, Segments, Dates) = (text, root, fields, tallies, spans, segments, dates);
        Required = root.Required.ToList();
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Every field it reads, those inside counts apart.</summary>
    public IReadOnlySet<Field> Fields { get; }

    /// <summary>The counts it compares.</summary>
    public IReadOnlyList<Tally> Tallies { get; }

    /// <summary>Its tests <c>field within span</c>, outside counts.</summary>
    public IReadOnlyList<(Field Field, TimeSpan Span)> Spans { get; }

    /// <summary>The segments it asks for by <c>in_segment</c>.</summary>
    public IReadOnlySet<Guid> Segments { get; }

    /// <summary>Its tests of days. With <see cref="Tallies"/> and <see cref="Spans"/> they are all that time alone can change.</summary>
    public IReadOnlyList<DateTest> Dates { get; }

    /// <summary>Comparisons that all hold wherever the condition does; perhaps none.</summary>
    public IReadOnlyList<RequiredTest> Required { get; }

    /// <summary>
    /// Reads a condition. The error names each fault with its position (from 1): the first fault of the form, or all unknown fields, unfit
    /// types and bad patterns.
    /// </summary>
    /// <param name="text">The condition; empty is a fault.</param>
    /// <param name="catalog">Fields it may read.</param>
    /// <param name="name">Field name for the violations, e.g. <c>rules[2].condition</c>.</param>
    public static Result<Condition> Parse(string? text, FieldCatalog catalog, string name = "condition")
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return Error.Invalid(name, $"{name} is required.");
        }

        if (text.Contains('\0'))
        {
            return Error.Invalid(name, $"{name} holds the character U+0000, which cannot be kept.");
        }

        return text.Length > MaxLength
            ? Error.Invalid(name, $"{name} has {text.Length} characters; at most {MaxLength} are accepted.")
            : new ConditionParser(text, catalog, name).Parse();
    }

    /// <summary>Whether it holds for the subject at that time. Never throws.</summary>
    public bool Holds(IFieldSource source, DateTimeOffset now) => root.Holds(source, now);

    public override string ToString() => Text;
}
