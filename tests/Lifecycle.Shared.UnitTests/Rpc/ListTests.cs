using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Rpc;

namespace Lifecycle.Shared.UnitTests.Rpc;

public sealed class ListTests
{
    private static readonly ListFields Fields = new ListFields("id", "d.id")
        .Sortable("createTime", "d.create_time", FieldKind.Time).Add("email", "d.email").Names("state", "d.state", ["OPEN", "WON"])
        .Add("amount", "d.amount", FieldKind.Number).Add("count", "d.count", FieldKind.Whole).Add("labels", "d.labels", FieldKind.Texts)
        .Json("traits", "d.traits");

    [Theory]
    [InlineData("email = 'a b'", "((d.email = @f0))")]
    [InlineData("email=a@b.c", "((d.email = @f0))")]
    [InlineData("email:a state=OPEN", "((d.email ilike @f0) and (d.state = @f1))")]
    [InlineData("email = a OR amount >= 2 AND labels:x", "((d.email = @f0 or d.amount >= @f1) and (@f2 = any(d.labels)))")]
    [InlineData(
        "(email = a AND amount < 2) OR NOT count = 1", "((((d.email = @f0) and (d.amount < @f1)) or not coalesce(d.count = @f2, false)))")]
    [InlineData("traits.company size != 7", null)]
    [InlineData("traits.size != 7", "(((d.traits ->> @f0) is distinct from @f1))")]
    [InlineData("email:*", "((d.email <> ''))")]
    public void Filter_BecomesSql(string filter, string? sql)
    {
        var parsed = Filter.Parse(filter, Fields);

        Assert.Equal(sql, parsed.Succeeded ? parsed.Value.Sql : null);
    }

    [Theory]
    [InlineData("email = \" Ada@Example.com \"", "((d.email = @f0))", "ada@example.com")]
    [InlineData("email != ADA@example.com", "((d.email is distinct from @f0))", "ada@example.com")]
    [InlineData("email > B", "((d.email > @f0))", "b")]
    [InlineData("email:@Example", "((d.email ilike @f0))", "%@example%")]
    [InlineData("email:*", "((d.email <> ''))", null)]
    [InlineData("email = ''", "((coalesce(d.email, '') = ''))", null)]
    [InlineData("email != \"\"", "((coalesce(d.email, '') <> ''))", null)]
    public void Filter_EmailAddress_IsComparedInTheOneForm(string filter, string sql, string? value)
    {
        var parsed = Filter.Parse(filter, new ListFields("id", "d.id").Add("email", "d.email", FieldKind.Email)).Value;

        Assert.Equal((sql, value), (parsed.Sql, (string?)parsed.Parameters.GetValueOrDefault("f0")));
    }

    [Theory]
    [InlineData(
        "colour = red",
        "position 1: colour is no field to filter by; known: id, createTime, email, state, amount, count, labels, traits.<key>.")]
    [InlineData("email", "position 6: email is to be followed by one of")]
    [InlineData("email = ", "position 9: a value for email is expected.")]
    [InlineData("email = \"a", "position 9: a quotation mark is not closed.")]
    [InlineData("(email = a", "position 11: a parenthesis is not closed.")]
    [InlineData("email = a)", "position 10: unexpected ).")]
    [InlineData("email = a OR", "position 13: a field name is expected.")]
    [InlineData("amount = much", "position 8: amount must be compared with a number.")]
    [InlineData("count = 1.5", "position 7: count must be compared with a whole number.")]
    [InlineData("state = LOST", "position 7: state must be compared with one of OPEN, WON.")]
    [InlineData("state > OPEN", "position 7: state takes only = and !=.")]
    [InlineData("createTime > soon", "position 12: createTime must be compared with a time such as")]
    [InlineData("id = 7", "position 4: id must be compared with a UUID.")]
    public void Filter_Fault_IsNamedWithItsPlace(string filter, string fault)
    {
        var error = Filter.Parse(filter, Fields).Error!;

        Assert.Equal("filter", Assert.Single(error.Violations).Field);
        Assert.StartsWith("filter, " + fault, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_Bounds_AreKept()
    {
        Assert.Contains("at most 2000", Filter.Parse(new string('x', 2001), Fields).Error!.Message, StringComparison.Ordinal);
        Assert.Contains("more than 20 nested", Filter.Parse(new string('(', 30), Fields).Error!.Message, StringComparison.Ordinal);
        Assert.Contains(
            "more than 50 comparisons", Filter.Parse(string.Join(' ', Enumerable.Repeat("email=a", 51)), Fields).Error!.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_AnyText_IsSqlOrAFault() =>
        Prop.ForAll<string>(text =>
        {
            var parsed = Filter.Parse(text, Fields);
            return !parsed.Succeeded || parsed.Value.Sql.All(letter => char.IsAscii(letter));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Filter_Value_IsNeverPartOfTheSql() =>
        Prop.ForAll<NonNull<string>>(text =>
        {
            var value = text.Get.Replace("\\", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal);
            var parsed = Filter.Parse($"email = \"{value}\"", Fields);
            return value.Length > 1900 || (value.Length == 0
                ? parsed.Value.Sql == "((coalesce(d.email, '') = ''))"
                : parsed.Value.Sql == "((d.email = @f0))" && (string)parsed.Value.Parameters["f0"] == value);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("", "d.create_time desc, d.id desc")]
    [InlineData("createTime", "d.create_time asc, d.id asc")]
    [InlineData(" createTime  desc ", "d.create_time desc, d.id desc")]
    [InlineData("id desc, createTime", "d.id desc")]
    public void Order_EndsWithTheId(string orderBy, string sql) =>
        Assert.Equal(sql, Ordering.Parse(orderBy, Fields, "createTime desc").Value.Sql);

    [Fact]
    public void Order_Faults_AreAllNamed()
    {
        var error = Ordering.Parse("colour, email, createTime up, createTime, createTime", Fields, "id").Error!;

        Assert.Equal(
            ["colour is no field to order by; known: id, createTime.", "email is no field to order by; known: id, createTime.",
                "createTime may be followed by asc or desc, not by up.", "createTime is given twice."],
            error.Violations.Select(violation => violation.Message));
    }

    [Fact]
    public void PageToken_ComesBack_AndOnlyForItsQuery()
    {
        var token = PageTokens.Encode("state = OPEN", ["2026-01-01 00:00:00+00", "ä\n\"7"]);

        Assert.Equal(["2026-01-01 00:00:00+00", "ä\n\"7"], PageTokens.Decode(token, "state = OPEN", 2).Value);
        Assert.Contains("another list", PageTokens.Decode(token, "state = WON", 2).Error!.Message, StringComparison.Ordinal);
        Assert.Equal("pageToken", Assert.Single(PageTokens.Decode(token, "state = OPEN", 1).Error!.Violations).Field);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("!!!")]
    [InlineData("W10")]
    [InlineData("WzEsMl0")]
    [InlineData("e30")]
    public void PageToken_Nonsense_IsRefused(string token) =>
        Assert.Equal("pageToken is none that this method gave out.", PageTokens.Decode(token, "", 1).Error!.Message);

    [Fact]
    public void ListQuery_Faults_AreAllNamed()
    {
        var error = ListQuery.Parse(Fields, -1, "x", "colour = red", "colour", "id").Error!;

        Assert.Equal(["pageSize", "filter", "orderBy"], error.Violations.Select(violation => violation.Field));
    }

    [Fact]
    public void ListQuery_KeyThatDoesNotFit_IsRefused()
    {
        var first = ListQuery.Parse(Fields, 1, "", "", "", "createTime").OrThrow();
        var (_, token) = first.Page([1, 2], _ => ["not a time", "not an id"]);

        Assert.Equal("pageToken", Assert.Single(ListQuery.Parse(Fields, 1, token, "", "", "createTime").Error!.Violations).Field);
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(7, 7)]
    [InlineData(5000, 1000)]
    public void PageSize_HasADefaultAndABound(int asked, int size) =>
        Assert.Equal(size, ListQuery.Parse(Fields, asked, "", "", "", "id").OrThrow().Size);
}
