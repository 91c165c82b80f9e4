using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Shared.UnitTests.Expressions;

public sealed class ConditionTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    private static readonly FieldCatalog Catalog = new(
        new Dictionary<string, FieldType>
        {
            ["lead.title"] = FieldType.Text,
            ["lead.createTime"] = FieldType.Time,
            ["company.employees"] = FieldType.Number,
            ["lead.subscribed"] = FieldType.Boolean,
            ["lead.tags"] = FieldType.List,
            ["lead.email"] = FieldType.Email,
            ["lead.emailDomain"] = FieldType.Domain,
        },
        new Dictionary<string, FieldType> { ["lead.traits"] = FieldType.Any });

    private static readonly Subject Lead = new()
    {
        ["lead.title"] = FieldValue.Of("VP Marketing"),
        ["lead.createTime"] = FieldValue.Of(Now.AddDays(-10)),
        ["company.employees"] = FieldValue.Of(250m),
        ["lead.subscribed"] = FieldValue.Of(true),
        ["lead.tags"] = FieldValue.Of(["vip", "emea"]),
        ["lead.email"] = FieldValue.Of("ada@mail.xn--bcher-kva.example"),
        ["lead.emailDomain"] = FieldValue.Of("mail.xn--bcher-kva.example"),
        ["lead.traits.plan"] = FieldValue.Of("Pro"),
        ["lead.traits.seats"] = FieldValue.Of("12"),
        ["lead.traits.job title"] = FieldValue.Of("x"),
        ["lead.traits.renewal"] = FieldValue.Of("2026-03-30"),
    };

    [Theory]
    [InlineData("company.employees >= 50 and company.employees < 1000", true)]
    [InlineData("company.employees >= 251", false)]
    [InlineData("COMPANY.EMPLOYEES = 250.0", true)]
    [InlineData("lead.title = 'vp marketing'", true)]
    [InlineData("lead.title != \"VP Marketing\"", false)]
    [InlineData("lead.title startsWith \"vp\" or false", true)]
    [InlineData("lead.title endsWith 'Sales'", false)]
    [InlineData("lead.title matches '\\b(vp|chief)\\b'", true)]
    [InlineData("lead.title not matches '^vp'", false)]
    [InlineData("lead.traits.plan in ('free', 'pro')", true)]
    [InlineData("lead.traits.plan not in ('free', 'pro')", false)]
    [InlineData("lead.traits.seats > 9", true)]
    [InlineData("lead.traits.seats > '9'", false)]
    [InlineData("lead.traits.'job title' = 'x'", true)]
    [InlineData("exists lead.traits.plan and not exists(lead.traits.missing)", true)]
    [InlineData("lead.traits.missing = 'a' or lead.traits.missing < 1", false)]
    [InlineData("lead.traits.missing != 'a'", true)]
    [InlineData("lead.traits.missing = ''", false)]
    [InlineData("lead.tags contains 'VIP'", true)]
    [InlineData("lead.tags contains 'vi'", false)]
    [InlineData("lead.tags in ('apac', 'emea')", true)]
    [InlineData("lead.email = 'Ada@mail.Bücher.example'", true)]
    [InlineData("lead.email endsWith '@mail.bücher.example'", true)]
    [InlineData("lead.email startsWith 'ADA@'", true)]
    [InlineData("lead.emailDomain in ('acme.example', 'mail.bücher.example')", true)]
    [InlineData("lead.emailDomain endsWith '.BÜCHER.example'", true)]
    [InlineData("lead.emailDomain = 'mail.bucher.example'", false)]
    [InlineData("lead.subscribed = true", true)]
    [InlineData("lead.createTime > '2026-03-21'", true)]
    [InlineData("lead.createTime < \"2026-03-21T12:00:01Z\"", true)]
    [InlineData("lead.createTime within 11d", true)]
    [InlineData("lead.createTime within 240h", false)]
    [InlineData("lead.traits.renewal within 2d", true)]
    [InlineData("true or false and false", true)]
    [InlineData("(true or false) and false", false)]
    [InlineData("not not true", true)]
    [InlineData("not true or true", true)]
    public void Holds_Condition_ReadsAsWritten(string text, bool expected) =>
        Assert.Equal(expected, Condition.Parse(text, Catalog).Value.Holds(Lead, Now));

    [Theory]
    [InlineData("", "condition is required.")]
    [InlineData("lead.title", "condition, position 11: expected an operator such as = or contains, found the end.")]
    [InlineData("lead.title = ", "condition, position 14: expected a text in quotes, a number, true or false, found the end.")]
    [InlineData("lead.title = 'a", "condition, position 14: the text that begins here has no closing '.")]
    [InlineData("(true", "condition, position 6: expected ')', found the end.")]
    [InlineData("true true", "condition, position 6: expected 'and', 'or' or the end, found 'true'.")]
    [InlineData("and", "condition, position 1: expected a field, found 'and'.")]
    [InlineData("lead.title ~ 'a'", "condition, position 12: '~' has no meaning here.")]
    [InlineData("company.employees = 'many'", "condition, position 21: company.employees is a number; 'many' is not.")]
    [InlineData("lead.title = 3", "condition, position 14: lead.title is text; '3' is not.")]
    [InlineData(
        "lead.createTime > 'soon'",
        "condition, position 19: lead.createTime is an instant; compare it with a text such as \"2026-03-31\".")]
    [InlineData("lead.createTime within 3x", "condition, position 24: '3x' is neither a number nor a duration such as 30d.")]
    [InlineData("lead.title within 3d", "condition, position 12: lead.title is text; within asks for an instant.")]
    [InlineData("company.employees contains '1'", "condition, position 19: company.employees is a number; contains asks for text.")]
    [InlineData("lead.subscribed < true", "condition, position 19: lead.subscribed is true or false and has no order.")]
    [InlineData(
        "lead.title matches '(?=a)b'",
        "condition, position 20: the pattern is no regular expression without look-around and back-references.")]
    [InlineData(
        "lead.title matches '('", "condition, position 20: the pattern is no regular expression without look-around and back-references.")]
    [InlineData("true and lead.nope = 1",
        "condition, position 10: no field 'lead.nope'; known are company.employees, lead.createTime, lead.email, lead.emailDomain, lead.subscribed, lead.tags, lead.title, lead.traits.*.")]
    public void Parse_Fault_NamesItsPosition(string text, string message) =>
        Assert.Equal(message, Assert.Single(Condition.Parse(text, Catalog).Error!.Violations).Message);

    [Fact]
    public void Parse_SeveralFaultsOfMeaning_NamesAll()
    {
        var error = Condition.Parse(
            "lead.nope = 1 or company.employees = 'x' or lead.title matches '('", Catalog, "rules[2].condition").Error!;

        Assert.Equal(3, error.Violations.Count);
        Assert.All(error.Violations, violation => Assert.Equal("rules[2].condition", violation.Field));
    }

    [Fact]
    public void Parse_Bounds_AreHeld()
    {
        Assert.False(Condition.Parse(new string('(', 33) + "true" + new string(')', 33), Catalog).Succeeded);
        Assert.True(Condition.Parse(new string('(', 31) + "true" + new string(')', 31), Catalog).Succeeded);
        Assert.False(Condition.Parse(string.Join(" or ", Enumerable.Repeat("true", 501)), Catalog).Succeeded);
        Assert.False(Condition.Parse(new string(' ', 4_000) + "true", Catalog).Succeeded);
        Assert.False(Condition.Parse($"lead.title matches '{new string('a', 201)}'", Catalog).Succeeded);
    }

    [Fact]
    public void Parse_Fields_AreTheOnesRead()
    {
        var condition = Condition.Parse("lead.title = 'a' or lead.traits.a.b > 1", Catalog).Value;

        Assert.Equal([new("lead.title", null, FieldType.Text), new("lead.traits", "a.b", FieldType.Any)], condition.Fields);
    }

    [Fact]
    public void Parse_AnyText_NeverThrows() =>
        Prop.ForAll<string?>(ReadsOrRefuses).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void Parse_AnySequenceOfTokens_NeverThrows()
    {
        var token = Gen.Elements("lead.title", "company.employees", "lead.traits.x", "and", "or", "not", "(", ")", "=",
            "!=", "<", "in", "contains", "matches", "exists", "within", "'a'", "\"(\"", "3", "-1.5", "30d", "true", ",", "lead.'a b'");
        Prop.ForAll(token.ListOf().Select(tokens => string.Join(' ', tokens)).ToArbitrary(), ReadsOrRefuses)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));
    }

    [Theory]
    [InlineData("30d", 30 * 86_400)]
    [InlineData("1.5h", 5_400)]
    [InlineData("2w", 1_209_600)]
    [InlineData("90s", 90)]
    public void TryDuration_Text_ReadsAndWritesBack(string text, int seconds)
    {
        Assert.True(Literals.TryDuration(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
        Assert.True(Literals.TryDuration(Literals.Text(duration), out var again));
        Assert.Equal(duration, again);
    }

    [Theory]
    [InlineData("d")]
    [InlineData("0d")]
    [InlineData("-1d")]
    [InlineData("36501d")]
    [InlineData("1y")]
    [InlineData("")]
    [InlineData(null)]
    public void TryDuration_NoDuration_Refuses(string? text) => Assert.False(Literals.TryDuration(text, out _));

    private static bool ReadsOrRefuses(string? text)
    {
        var parsed = Condition.Parse(text, Catalog);
        return parsed.Succeeded ? parsed.Value.Holds(Lead, Now) || parsed.Value.Text == text : parsed.Error.Violations.Count > 0;
    }

    private sealed class Subject : Dictionary<string, FieldValue>, IFieldSource
    {
        public FieldValue Get(Field field) => TryGetValue(field.ToString(), out var value) ? value : FieldValue.Missing;
    }
}
