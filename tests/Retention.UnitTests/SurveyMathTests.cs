using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Retention.Domain;

namespace Retention.UnitTests;

public sealed class SurveyMathTests
{
    /// <summary>
    /// 50 promoters, 30 passives, 20 detractors: NPS 30. With three answers added: p = 50.75/103, d = 20.75/103, p − d = 0.291262, variance
    /// 71.5/103 − 0.291262² = 0.609341, standard error √(0.609341/103) = 0.076915, half width 0.150751.
    /// </summary>
    [Fact]
    public void Nps_WorkedExample()
    {
        var score = SurveyMath.Nps(new(50, 30, 20));

        Assert.Equal(30, score.Score);
        Assert.Equal(14.0511, score.Low!.Value, 4);
        Assert.Equal(44.2013, score.High!.Value, 4);
    }

    /// <summary>8 of 10 satisfied: Wilson's interval is 49.02 % to 94.33 %.</summary>
    [Fact]
    public void Share_WorkedExample()
    {
        var score = SurveyMath.Score(SurveyType.Csat, [5, 5, 5, 5, 4, 4, 4, 4, 3, 1]);

        Assert.Equal(80, score.Score!.Value, 9);
        Assert.Equal(49.0162, score.Low!.Value, 4);
        Assert.Equal(94.3318, score.High!.Value, 4);
    }

    /// <summary>Mean 5, sample deviation √(10/4) = 1.581139, standard error 0.707107, half width 1.385904.</summary>
    [Fact]
    public void Mean_WorkedExample()
    {
        var score = SurveyMath.Score(SurveyType.Ces, [3, 4, 5, 6, 7]);

        Assert.Equal((5.0, 3.6141, 6.3859), (score.Score!.Value, Math.Round(score.Low!.Value, 4), Math.Round(score.High!.Value, 4)));
        Assert.Equal(new SurveyScore(6, null, null), SurveyMath.Score(SurveyType.Ces, [6]));
    }

    [Fact]
    public void Score_NoAnswers_IsNone() =>
        Assert.All(Enum.GetValues<SurveyType>(), type => Assert.Equal(default, SurveyMath.Score(type, [])));

    [Fact]
    public void Nps_AnyCounts_IntervalHoldsTheAdjustedScoreWithinItsBounds() =>
        Prop.ForAll<byte, byte, byte>((promoters, passives, detractors) =>
        {
            var score = SurveyMath.Nps(new(promoters, passives, detractors));
            var n = promoters + passives + detractors;

            Assert.Equal(n == 0, score.Score is null);
            if (n > 0)
            {
                var adjusted = 100.0 * (promoters - detractors) / (n + 3);
                Assert.InRange(adjusted, score.Low!.Value - 1e-9, score.High!.Value + 1e-9);
                Assert.InRange(score.Low.Value, -100, 100);
                Assert.InRange(score.High.Value, -100, 100);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void IsDrawn_SameArguments_DrawTheSameAndAboutTheShare()
    {
        var survey = Guid.Parse("01900000-0000-7000-8000-000000000001");
        var customers = Enumerable.Range(0, 10_000).Select(index => new Guid(index, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11])).ToArray();

        var drawn = customers.Where(customer => SurveyMath.IsDrawn(7, survey, customer, "onboarding", 0.25)).ToArray();

        Assert.Equal(drawn, customers.Where(customer => SurveyMath.IsDrawn(7, survey, customer, "onboarding", 0.25)));
        // Four standard deviations of a binomial of 10,000 and 1/4.
        Assert.InRange(drawn.Length, 2500 - 174, 2500 + 174);
        Assert.NotEqual(drawn, customers.Where(customer => SurveyMath.IsDrawn(8, survey, customer, "onboarding", 0.25)));
        Assert.All(customers, customer => Assert.True(SurveyMath.IsDrawn(7, survey, customer, "onboarding", 1)));
    }

    [Theory]
    [InlineData("Your delivery was late.", "delivery")]
    [InlineData("DELIVERED too late", "delivery")]
    [InlineData("Too many clicks; hard-to-use!", "use")]
    [InlineData("The price, and the delivery", "delivery price")]
    [InlineData("Priceless", "")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void Themes_ByKeywords(string? comment, string expected)
    {
        Theme[] themes =
        [
            new(Guid.Empty, "delivery", ["deliver*"]), new(Guid.Empty, "price", ["price", "too expensive"]),
            new(Guid.Empty, "use", ["hard to use"]),
        ];

        Assert.Equal(expected, string.Join(' ', ThemeRules.Match(comment, themes).Select(theme => theme.Name)));
    }

    [Theory]
    [InlineData(SurveyType.Nps, "3333333221 1")]
    [InlineData(SurveyType.Csat, "33211")]
    [InlineData(SurveyType.Ces, "3332111")]
    public void Category_OfEachScore(SurveyType type, string expected)
    {
        var (low, high) = type.Range();
        Assert.Equal(
            expected.Replace(" ", "", StringComparison.Ordinal),
            string.Concat(Enumerable.Range(low, high - low + 1).Select(score => (int)type.Category(score))));
    }
}
