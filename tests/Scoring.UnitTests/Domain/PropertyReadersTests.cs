using Lifecycle.Scoring.Domain;

namespace Scoring.UnitTests.Domain;

/// <summary>Properties that no rule and no words can need are known beforehand; in doubt they are read.</summary>
public sealed class PropertyReadersTests
{
    [Fact]
    public void PropertyFreeTypes_BuiltInModel_AreAllButThoseOfFormsDownloadsAndCalls() =>
        Assert.Equal(["PAGE", "SCREEN", "TRACK", "CHAT", "IDENTIFY", "GROUP", "EMAIL"], DefaultModel.Instance.PropertyFreeTypes);

    [Theory]
    [InlineData("activity.properties.plan = 'gold'", null, false)]
    [InlineData("activity.type = 'FORM' and activity.properties.plan = 'gold'", null, true)]
    [InlineData("activity.type = 'page' and activity.properties.plan = 'gold'", null, false)]
    [InlineData("activity.properties.plan = 'gold' and activity.type = 'FORM'", null, false)]
    [InlineData("activity.name = 'x' and activity.properties.plan = 'gold'", null, false)]
    [InlineData("activity.type != 'FORM' or activity.properties.plan = 'gold'", null, false)]
    [InlineData("not (activity.type = 'PAGE' or activity.properties.plan = 'gold')", null, true)]
    [InlineData("count(activity.properties.plan = 'gold') > 1", null, false)]
    [InlineData("count(activity.type = 'FORM' and activity.properties.plan = 'gold', 7d) > 1", null, true)]
    [InlineData("activity.type = 'PAGE'", "activity.properties.plan", false)]
    [InlineData("activity.type = 'FORM'", "activity.properties.plan", true)]
    [InlineData("activity.type = 'PAGE'", "SESSION", true)]
    public void PropertyFreeTypes_OfARule_HavePagesOnlyWhereItCannotReadThem(string condition, string? oncePer, bool free)
    {
        var definition = DefaultModel.Instance.Definition with
        {
            Rules = [new("r", "Rule", Category.Behavior, condition, 1, OncePer: oncePer)],
        };

        Assert.Equal(free, ModelCompiler.Compile(definition, 1).Value.PropertyFreeTypes.Contains("PAGE"));
    }
}
