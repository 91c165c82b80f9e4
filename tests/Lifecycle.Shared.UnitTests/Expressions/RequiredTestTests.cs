using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Shared.UnitTests.Expressions;

/// <summary>What must hold wherever a condition does.</summary>
public sealed class RequiredTestTests
{
    private static readonly FieldCatalog Catalog = new(
        new Dictionary<string, FieldType> { ["lead.stage"] = FieldType.Text, ["score.total"] = FieldType.Number },
        new Dictionary<string, FieldType> { ["lead.traits"] = FieldType.Any });

    [Theory]
    [InlineData("score.total >= 50", "score.total GreaterOrEqual 50")]
    [InlineData(
        "score.total > 1 and (lead.stage = 'MQL' and score.total <= 9)",
        "score.total Greater 1; lead.stage Equal MQL; score.total LessOrEqual 9")]
    [InlineData("lead.stage in ('MQL', 'SQL') and exists lead.traits.plan", "lead.stage Equal MQL,SQL")]
    [InlineData("score.total < 5 or lead.stage = 'MQL'", "")]
    [InlineData("score.total < 5 and (score.total > 1 or lead.stage = 'MQL')", "score.total Less 5")]
    [InlineData("not score.total < 5 and lead.stage != 'MQL' and lead.stage not in ('SQL')", "")]
    [InlineData("lead.stage contains 'QL' and lead.traits.plan = 'pro'", "lead.traits.plan Equal pro")]
    public void Required_OfACondition_AreItsConjuncts(string text, string expected)
    {
        var required = Condition.Parse(text, Catalog).Value.Required;

        Assert.Equal(expected, string.Join("; ", required.Select(
            test => $"{test.Field} {test.Comparison} {string.Join(',', test.Literals.Select(literal => literal.AsText()))}")));
    }
}
