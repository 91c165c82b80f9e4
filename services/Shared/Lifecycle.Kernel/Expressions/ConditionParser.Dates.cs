namespace Lifecycle.Kernel.Expressions;

/// <summary>Tests of days.</summary>
internal sealed partial class ConditionParser
{
    private readonly List<DateTest> dates = [];

    /// <summary>Whether a test of a day begins here; a field may have its name.</summary>
    private bool IsDateHere => (Current.Is("on_date") || Current.Is("anniversary")) && tokens[next + 1].Is("(");

    private DateNode DateOf()
    {
        var start = Current;
        if (counting)
        {
            throw new ConditionSyntaxException($"{start.Text} within a count: an activity has no days", start.Position);
        }

        if (!catalog.KnowsDates)
        {
            Fault(start.Position, $"{start.Text}(…) is known in segments only");
        }

        next++;
        Require("(");
        var position = Current.Position;
        var field = TakeField();
        if (field.Type is not (FieldType.Time or FieldType.Text or FieldType.Any))
        {
            Fault(position, $"{field} is {Described(field.Type)}; {start.Text} asks for a date");
        }

        var test = new DateTest(field, Take(",") ? TakeDays() : 0, start.Is("anniversary"));
        Require(")");
        dates.Add(test);
        return new(test);
    }

    private int TakeDays()
    {
        var token = Current;
        if (token.Kind != TokenKind.Duration)
        {
            throw Expected("a number of days such as -30d");
        }

        next++;
        var isBefore = token.Text[0] == '-';
        Literals.TryDuration(isBefore ? token.Text[1..] : token.Text, out var span);
        if (span.Ticks % TimeSpan.TicksPerDay != 0 || span.Days > DateTest.MaxOffsetDays)
        {
            Fault(token.Position, $"{token.Shown} is no number of whole days up to {DateTest.MaxOffsetDays}");
        }

        return isBefore ? -span.Days : span.Days;
    }
}
