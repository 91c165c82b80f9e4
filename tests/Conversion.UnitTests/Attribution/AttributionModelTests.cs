using Lifecycle.Conversion.Domain.Attribution;

namespace Lifecycle.Conversion.UnitTests.Attribution;

public sealed class AttributionModelTests
{
    private static readonly DateTimeOffset Day = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(AttributionKind.FirstTouch, new[] { 1.0, 0, 0, 0 })]
    [InlineData(AttributionKind.LastTouch, new[] { 0.0, 0, 0, 1 })]
    [InlineData(AttributionKind.LastNonDirect, new[] { 0.0, 0, 1, 0 })]
    [InlineData(AttributionKind.Linear, new[] { 0.25, 0.25, 0.25, 0.25 })]
    [InlineData(AttributionKind.PositionBased, new[] { 0.4, 0.1, 0.1, 0.4 })]
    public void Weights_FourTouchesEndingDirect_AreAsDefined(AttributionKind kind, double[] expected) =>
        Assert.Equal(expected, Weights(kind, Touch("Paid Search"), Touch("Email"), Touch("Referral"), Touch("Direct")));

    [Theory]
    [InlineData(1, new[] { 1.0 })]
    [InlineData(2, new[] { 0.5, 0.5 })]
    [InlineData(3, new[] { 0.4, 0.2, 0.4 })]
    public void Weights_PositionBased_FollowsTheNumberOfTouches(int touches, double[] expected) =>
        Assert.Equal(expected, Weights(AttributionKind.PositionBased, Enumerable.Range(0, touches).Select(_ => Touch("Email")).ToArray()));

    [Fact]
    public void Weights_LastNonDirectOnDirectOnly_TakesTheLast() =>
        Assert.Equal([0, 1], Weights(AttributionKind.LastNonDirect, Touch("Direct"), Touch("Direct")));

    [Fact]
    public void Weights_TimeDecayOverSevenAndFourteenDays_HalvesEachWeek() =>
        Assert.Equal(
            [0.142857, 0.285714, 0.571429],
            Weights(AttributionKind.TimeDecay, Touch("A", 0), Touch("B", 7), Touch("C", 14)).Select(weight => Math.Round(weight, 6)));

    [Fact]
    public void Weights_WShapedWithThreeMilestones_Are30Each() =>
        Assert.Equal(
            [0.3, 0.05, 0.3, 0.05, 0.3],
            Weights(AttributionKind.WShaped, Touch("A"), Touch("B"), Marked(Milestones.LeadCreated), Touch("D"), Marked(
                Milestones.OpportunityCreated)));

    [Fact]
    public void Weights_WShapedFirstTouchMadeTheLead_TakesBothWeights() =>
        Assert.Equal(
            [0.6, 0.1, 0.3],
            Weights(AttributionKind.WShaped, Marked(Milestones.LeadCreated), Touch("B"), Marked(Milestones.OpportunityCreated)));

    [Fact]
    public void Weights_WShapedWithoutRest_RenormalisesTheSharedTen() =>
        Assert.Equal(
            [0.5, 0.5],
            Weights(AttributionKind.WShaped, Touch("A"), Marked(Milestones.LeadCreated)));

    [Fact]
    public void Weights_FullPathWithFourMilestones_Are22AndAHalfEach() =>
        Assert.Equal(
            [0.225, 0.1, 0.225, 0.225, 0.225],
            Weights(
                AttributionKind.FullPath, Touch("A"), Touch("B"), Marked(Milestones.LeadCreated),
                Marked(Milestones.OpportunityCreated), Touch("E")));

    [Fact]
    public void Shares_ShapleyOverRepeatedChannels_SplitsOverDistinctOnes()
    {
        var shares = AttributionModels.Shares(AttributionKind.Shapley, [Touch("A"), Touch("B"), Touch("A"), Touch("A")]);

        Assert.Equal([new Share("A", 0.5m), new Share("B", 0.5m)], shares);
    }

    private static double[] Weights(AttributionKind kind, params PathTouch[] touches) =>
        AttributionModels.Weights(kind, touches).Select(weight => (double)weight).ToArray();

    private static PathTouch Touch(string channel, int day = 0) => new(channel, channel == "Direct", Day.AddDays(day));

    private static PathTouch Marked(Milestones marks) => new("Email", false, Day, marks);
}
