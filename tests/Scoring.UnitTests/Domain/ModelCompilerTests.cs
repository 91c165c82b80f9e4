using System.Text.Json;
using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

public sealed class ModelCompilerTests
{
    private static readonly RuleDefinition Good = Rule("a", Category.Behavior, "activity.type = 'PAGE'", 1);

    [Fact]
    public void Compile_EveryFault_IsNamedAtOnce()
    {
        var definition = Definition(
            Good,
            Good,
            new("B!", "", null, "activity.nope = 1", 1_001, 0, "soon", "1m", "YEAR"),
            Rule("fit", Category.Fit, "lead.title = 'CEO'", 0.001) with { OncePer = "LEAD" },
            Good with { Id = "w", Window = "1d" }) with
        {
            CategoryCaps = new(-1, null, null),
            CategoryHalfLives = new(null, "x", null),
            Thresholds = new(60, 50, 60),
            Bands = [new("cold", 0), new("HOT", 0)],
        };
        var fields = ModelCompiler.Compile(definition, 1, "model.").Error!.Violations.Select(violation => violation.Field).ToArray();

        Assert.Equal(
            [
                "model.rules[1].id", "model.rules[2].id", "model.rules[2].name", "model.rules[2].category",
                "model.rules[2].points", "model.rules[2].cap", "model.rules[2].window", "model.rules[2].halfLife",
                "model.rules[2].condition", "model.rules[2].oncePer", "model.rules[3].points", "model.rules[3].oncePer",
                "model.rules[4].window", "model.categoryCaps.fit", "model.categoryHalfLives.behavior", "model.thresholds.demote",
                "model.thresholds.hot", "model.bands[0].name", "model.bands[1].min",
            ],
            fields);
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("+1")]
    [InlineData("2")]
    [InlineData("LEAD,DAY")]
    [InlineData(" LEAD")]
    [InlineData("FIELD")]
    [InlineData("lead.title")]
    public void Compile_OncePerThatIsNone_IsRefused(string oncePer)
    {
        var fields = ModelCompiler.Compile(Definition(Good with { OncePer = oncePer }), 1).Error!.Violations
            .Select(violation => violation.Field);

        Assert.Equal(["rules[0].oncePer"], fields);
    }

    [Fact]
    public void Compile_TextThatPostgresCannotKeep_IsNamed()
    {
        var definition = Definition(Good with { Name = "a\0", Condition = "activity.name = 'a\0'" }) with
        {
            DisplayName = "x\0",
            Agreement = new("Fits\0", ["Head of Sales\0"], Start),
        };
        var fields = ModelCompiler.Compile(definition, 1).Error!.Violations.Select(violation => violation.Field);

        Assert.Equal(["rules[0].name", "rules[0].condition", "agreement.definition", "agreement.agreedBy[0]", "displayName"], fields);
        Assert.False(ModelCompiler.IsScoreName("default\n"));
    }

    [Fact]
    public void Compile_StoredModel_ReadsBack()
    {
        var json = JsonSerializer.Serialize(DefaultModel.Instance.Definition, DefaultModel.Json);
        var again = ModelCompiler.Compile(JsonSerializer.Deserialize<ModelDefinition>(json, DefaultModel.Json)!, 0).Value;

        Assert.Equal(DefaultModel.Instance.Rules.Count, again.Rules.Count);
        Assert.Equal(json, JsonSerializer.Serialize(again.Definition, DefaultModel.Json));
    }

    [Fact]
    public void Compile_NoRulesNoBands_IsRefused()
    {
        var fields = ModelCompiler.Compile(Definition() with { Bands = [] }, 1).Error!.Violations.Select(violation => violation.Field);

        Assert.Equal(["rules", "bands"], fields);
    }

    [Fact]
    public void Band_Total_FallsIntoTheHighestReached()
    {
        var model = DefaultModel.Instance;

        Assert.Equal(["COLD", "COLD", "WARM", "QUALIFIED", "HOT"], new[] { -5m, 29.99m, 30m, 84.99m, 85m }.Select(model.Band));
        Assert.Equal(["A", "B", "C", "D", "D"], new[] { 30m, 20m, 5m, 4.99m, -3m }.Select(model.Grade));
    }
}
