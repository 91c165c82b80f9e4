using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Capture.Domain.Leads;

namespace Capture.UnitTests.Leads;

public sealed class ProfileTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("250", 250)]
    [InlineData("51-200", 51)]
    [InlineData("1,000+", 1000)]
    [InlineData("1.000", 1000)]
    [InlineData("10'000", 10000)]
    [InlineData("$5M", 5000000)]
    [InlineData("2.5m EUR", 2500000)]
    [InlineData("1,250,000.50", 1250000.50)]
    [InlineData("0.125", 0.125)]
    [InlineData("10k-50k", 10000)]
    [InlineData("$5 million", 5000000)]
    [InlineData("2,5 Mio. EUR", 2500000)]
    [InlineData("1.2 bn", 1200000000)]
    [InlineData("10 K+", 10000)]
    [InlineData("1 000 000", 1000000)]
    [InlineData("12\u202f500 employees", 12500)]
    [InlineData("51 - 200", 51)]
    [InlineData("1234 567", 1234)]
    [InlineData("5 managers", 5)]
    [InlineData("about 40 people", 40)]
    public void Number_AsPeopleWriteIt_IsRead(string text, double expected) => Assert.Equal((decimal)expected, Profile.Number(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("many")]
    public void Number_NoDigits_IsUnknown(string? text) => Assert.Null(Profile.Number(text));

    [Fact]
    public void Set_EarlierValue_IsIgnored()
    {
        var profile = new Profile();
        profile.Set("title", "\"VP\"", Start.AddDays(1));

        Assert.False(profile.Set("title", "\"Student\"", Start));
        Assert.Equal("VP", profile.Text("title"));
    }

    [Fact]
    public void Set_Null_RemovesAndKeepsOlderOnesOut()
    {
        var profile = new Profile();
        profile.Set("title", "null", Start.AddDays(1));
        profile.Set("title", "\"VP\"", Start);

        Assert.Null(profile.Text("title"));
        Assert.Empty(profile.Traits());
    }

    [Fact]
    public void Set_SameValueLater_ChangesNothingButHoldsLonger()
    {
        var profile = new Profile();
        profile.Set("title", "\"VP\"", Start);

        Assert.False(profile.Set("title", "\"VP\"", Start.AddDays(2)));
        Assert.False(profile.Set("title", "\"CTO\"", Start.AddDays(1)));
        Assert.Equal("VP", profile.Text("title"));
    }

    [Fact]
    public void Set_AnyOrder_EndsTheSame() =>
        Prop.ForAll(Values.ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (values, seed) =>
        {
            var shuffled = values.Select((value, index) => (value, index)).OrderBy(item => HashCode.Combine(seed, item.index))
                .Select(item => item.value);
            return Fill(values).Values.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .SequenceEqual(Fill(shuffled).Values.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void ToJson_AndBack_IsTheSame()
    {
        var profile = Fill(
            [("title", "\"VP \\\"Ops\\\"\"", 3), ("company.employees", "250", 1), ("flags", "[1,{\"a\":null}]", 2), ("gone", "null", 5)]);

        Assert.Equal(profile.Values, Profile.FromJson(profile.ToJson()).Values);
        Assert.Equal("""{"title":"VP \"Ops\"","flags":[1,{"a":null}]}""", profile.TraitsJson());
    }

    private static Gen<(string Key, string Json, int Minute)[]> Values =>
        (from key in Gen.Elements("title", "company.name", "plan")
         from json in Gen.Elements("\"a\"", "\"b\"", "1", "null")
         from minute in Gen.Choose(0, 6)
         select (key, json, minute)).ArrayOf();

    private static Profile Fill(IEnumerable<(string Key, string Json, int Minute)> values)
    {
        var profile = new Profile();
        foreach (var (key, json, minute) in values)
        {
            profile.Set(key, json, Start.AddMinutes(minute));
        }

        return profile;
    }
}
