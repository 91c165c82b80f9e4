using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Attribution;

/// <summary>Examples of the kind that the field explains its models with, worked by hand.</summary>
public sealed class WorkedExampleTests
{
    private static readonly DateTimeOffset Day = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Three paths: C1 → C2 → C3 converts, C1 fails, C2 → C3 fails. START goes to C1 in 2 of 3, to C2 in 1 of 3; C1 to C2 or fails, half
    /// each; C2 to C3 always; C3 converts or fails, half each. P = (2/3 · 1/2 + 1/3) · 1/2 = 1/3. Without C1: 1/3 · 1/2 = 1/6, effect 1/2.
    /// Without C2 or C3 nothing converts: effect 1 each. Shares 0.5/2.5, 1/2.5, 1/2.5.
    /// </summary>
    [Fact]
    public void Markov_ThreeChannelsOneConversion_CreditsAFifthAndTwiceTwoFifths()
    {
        var shares = MarkovChain.Solve([Path(1, 0, "C1", "C2", "C3"), Path(0, 1, "C1"), Path(0, 1, "C2", "C3")]);

        Assert.Equal(["C1", "C2", "C3"], shares.Select(share => share.Group));
        Assert.Equal([0.5, 1, 1], shares.Select(share => share.RemovalEffect), (one, two) => Math.Abs(one - two) < 1e-12);
        Assert.Equal([0.2m, 0.4m, 0.4m], shares.Select(share => Math.Round(share.Share, 12)));
    }

    /// <summary>Two channels that may go back and forth. A → B → A converts once in 2, B once in 1: A starts 2/3, B 1/3. A (4 visits): B ½,
    /// conversion ¼, failure ¼. B (3): A ⅔, conversion ⅓. a = b/2 + 1/4, b = 2a/3 + 1/3: a = 5/8, b = 3/4, P = 2/3·5/8 + 1/3·3/4 = 2/3.
    /// Without A: 1/3·1/3 = 1/9, effect 5/6. Without B: 2/3·1/4 = 1/6, effect 3/4.</summary>
    [Fact]
    public void Markov_ChannelsThatAlternate_AreSolvedExactly()
    {
        var shares = MarkovChain.Solve([Path(1, 1, "A", "B", "A"), Path(1, 0, "B")]);

        Assert.Equal([5 / 6.0, 3 / 4.0], shares.Select(share => share.RemovalEffect), (one, two) => Math.Abs(one - two) < 1e-12);
        Assert.Equal(10 / 19.0, (double)shares[0].Share, 12);
    }

    /// <summary>100 conversions over A, 60 over A and B, 30 over all three: A 100 + 30 + 10, B 30 + 10, C 10.</summary>
    [Fact]
    public void Shapley_NestedCoalitions_SplitEachPathEvenly()
    {
        var credits = AttributionCredits.Evaluate(
            AttributionKind.Shapley, [Path(100, 0, "A"), Path(60, 5, "B", "A", "B"), Path(30, 0, "C", "A", "B")], 7);

        Assert.Equal([("A", 140m), ("B", 40m), ("C", 10m)], credits.Select(credit => (credit.Group, Math.Round(credit.Conversions, 18))));
    }

    /// <summary>Display, Social, Email, Search on days 0, 7, 14 and 21, 1,000.00 booked: weights 1, 2, 4, 8 of 15.</summary>
    [Fact]
    public void Money_UnderTimeDecay_IsSplitByLargestRemainder()
    {
        PathTouch[] touches = [Touch("Display", 0), Touch("Social", 7), Touch("Email", 14), Touch("Search", 21)];

        var credits = AttributionCredits.Credit(AttributionKind.TimeDecay, [new Deal(touches, new Money("EUR", 1000))], [], "EUR", 7);

        // 66.666, 133.333, 266.666, 533.333: two cents are left over and go to the two largest remainders.
        Assert.Equal(
            [("Display", 66.67m), ("Social", 133.33m), ("Email", 266.67m), ("Search", 533.33m)],
            credits.Select(credit => (credit.Group, credit.Value.Amount)));
    }

    /// <summary>One touch is first, made the lead, the opportunity and closed it: it takes all under every model.</summary>
    [Fact]
    public void Weights_OneTouchWithAllMilestones_TakesAll()
    {
        var touch = new PathTouch("Email", false, Day, Milestones.LeadCreated | Milestones.OpportunityCreated | Milestones.Closed);

        foreach (var kind in Enum.GetValues<AttributionKind>().Where(
            kind => kind is not (AttributionKind.Markov or AttributionKind.Shapley)))
        {
            Assert.Equal([1m], AttributionModels.Weights(kind, [touch]));
        }
    }

    /// <summary>
    /// Full path: the second touch made lead and opportunity (45), first and last 22.5 each, the third shares the ten alone: 100.
    /// </summary>
    [Fact]
    public void Weights_FullPathTouchWithTwoMilestones_TakesBothWeights() => Assert.Equal(
        [0.225m, 0.45m, 0.1m, 0.225m],
        AttributionModels.Weights(
            AttributionKind.FullPath,
            [Touch("A", 0), Touch("B", 1) with { Marks = Milestones.LeadCreated | Milestones.OpportunityCreated },
                Touch("C", 2), Touch("D", 3)]));

    /// <summary>W-shaped without an opportunity: 30 first, 30 lead, 10 to the third; 70 renormalised: 3/7, 3/7, 1/7.</summary>
    [Fact]
    public void Weights_WShapedWithoutOpportunity_RenormalisesWhatHasNoTaker() => Assert.Equal(
        [0.428571m, 0.428571m, 0.142857m],
        AttributionModels.Weights(
            AttributionKind.WShaped, [Touch("A", 0), Touch("B", 1) with { Marks = Milestones.LeadCreated }, Touch("C", 2)])
            .Select(weight => Math.Round(weight, 6)));

    private static PathTouch Touch(string channel, int day) => new(channel, channel == "Direct", Day.AddDays(day));

    private static TouchPath Path(long conversions, long nulls, params string[] channels) =>
        new(channels.Select(channel => new PathTouch(channel, false)).ToArray(), conversions, nulls, 0);
}
