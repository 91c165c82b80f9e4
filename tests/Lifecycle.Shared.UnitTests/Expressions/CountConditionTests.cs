using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Shared.UnitTests.Expressions;

public sealed class CountConditionTests
{
    private static readonly FieldCatalog Fields = new(
        new Dictionary<string, FieldType>
        {
            ["activity.type"] = FieldType.Text,
            ["lead.createTime"] = FieldType.Time,
            ["count"] = FieldType.Number
        })
    {
        CountsActivities = true,
    };

    [Theory]
    [InlineData("count(true) = 3", true)]
    [InlineData("COUNT(activity.type = 'PAGE', 7d) >= 3 and not count(true, 1h) > 3", true)]
    [InlineData("visits(7d) < 3 or visits() <= 2", false)]
    [InlineData("inactive(30d)", false)]
    [InlineData("not inactive(30d)", true)]
    [InlineData("count = 3", false)]
    public void Holds_SourceThatCountsThree_Compares(string text, bool holds)
    {
        var condition = Condition.Parse(text, Fields).Value;

        Assert.Equal(holds, condition.Holds(new Three(), DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public void Parse_CountsAndSpans_AreTold()
    {
        var condition = Condition.Parse(
            "count(activity.type = 'PAGE' and lead.createTime within 1d, 7d) >= 3 and lead.createTime within 30d", Fields).Value;

        var tally = Assert.Single(condition.Tallies);
        Assert.Equal((TallyKind.Count, TimeSpan.FromDays(7), "activity.type = 'PAGE' and lead.createTime within 1d"), (
            tally.Kind, tally.Span!.Value, tally.Condition!.Text));
        Assert.Equal(["lead.createTime"], condition.Fields.Select(field => field.Name));
        Assert.Equal(TimeSpan.FromDays(30), Assert.Single(condition.Spans).Span);
        Assert.Equal(["activity.type", "lead.createTime"], tally.Condition.Fields.Select(field => field.Name).Order());
    }

    [Theory]
    [InlineData("count(count(true) > 1) > 1", "a count within a count")]
    [InlineData("count(true, 7d)", "expected =, <, <=, > or >=")]
    [InlineData("count(true, 7d) != 3", "expected =, <, <=, > or >=")]
    [InlineData("count(true, 7) > 3", "a duration such as 30d")]
    [InlineData("count(true) >= 1.5", "whole number")]
    [InlineData("count(true) >= -1", "whole number")]
    [InlineData("inactive()", "a duration such as 30d")]
    [InlineData("visits(7d) >= 'x'", "a number")]
    [InlineData("count(nope = 1) > 1", "no field 'nope'")]
    public void Parse_Faulty_SaysWhatIsExpected(string text, string part) =>
        Assert.Contains(part, Condition.Parse(text, Fields).Error!.Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_TwentyOneCounts_IsTooMany() => Assert.Contains(
        "more than 20 counts", Condition.Parse(string.Join(" and ", Enumerable.Repeat("count(true) > 1", 21)), Fields).Error!.Message,
        StringComparison.Ordinal);

    [Fact]
    public void Parse_CatalogWithoutActivities_RefusesCounts() => Assert.Contains(
        "nothing to count", Condition.Parse("visits(7d) > 1", new(new Dictionary<string, FieldType>())).Error!.Message,
        StringComparison.Ordinal);

    /// <summary>Counts three of everything, and is not inactive.</summary>
    private sealed class Three : IHistorySource
    {
        public FieldValue Get(Field field) => FieldValue.Missing;

        public int Count(Tally tally, DateTimeOffset now) => tally.Kind == TallyKind.Inactive ? 0 : 3;
    }
}
