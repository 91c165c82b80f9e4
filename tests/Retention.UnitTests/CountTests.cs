using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.UnitTests;

public sealed class CountTests
{
    private static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Nps_FivePromotersThreePassivesTwoDetractors_Is30()
    {
        var count = NpsCount.Of([10, 10, 9, 9, 9, 8, 7, 7, 6, 0]);

        Assert.Equal(new NpsCount(5, 3, 2), count);
        Assert.Equal(30, count.Score);
    }

    [Fact]
    public void Nps_NoAnswers_HasNoValue()
    {
        Assert.Null(NpsCount.Of([]).Score);
    }

    [Fact]
    public void Churn_WorkedExample_LeavesWonAndLostApart()
    {
        Tenure[] tenures =
        [
            new(From.AddDays(-90), null),
            new(From.AddDays(-90), From.AddDays(10)),
            new(From.AddDays(-90), From.AddDays(-1)),
            new(From.AddDays(-90), To),
            new(From.AddDays(-90), From),
            new(From.AddDays(2), From.AddDays(20)),
            new(From.AddDays(2), null),
        ];

        var count = ChurnCount.Of(tenures, From, To);

        Assert.Equal(new ChurnCount(4, 2, 1), count);
        Assert.Equal(0.5, count.Rate);
    }

    [Fact]
    public void Churn_NobodyAtTheStart_HasNoRate()
    {
        Assert.Null(ChurnCount.Of([new(From.AddDays(1), From.AddDays(2))], From, To).Rate);
    }

    [Theory]
    [InlineData(SurveyType.Nps, 0, 10)]
    [InlineData(SurveyType.Csat, 1, 5)]
    [InlineData(SurveyType.Ces, 1, 7)]
    public void Range_OfASurveyType_IsItsScale(SurveyType type, int low, int high)
    {
        Assert.Equal((low, high), type.Range());
    }
}
