using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Retention.Domain;

namespace Retention.UnitTests;

/// <summary>Members against others, by worked numbers.</summary>
public sealed class ComparedSharesTests
{
    [Fact]
    public void OneCohort_IsTheDifferenceOfTwoShares()
    {
        // 38 of 40 against 30 of 40: 0.95 - 0.75; variance 0.95 * 0.05 / 40 + 0.75 * 0.25 / 40 = 0.005875, half an interval 1.96 *
        // 0.076649.
        var effect = ComparedShares.Compare([new(40, 38, 40, 30)])!;

        Assert.Equal(0.95, effect.MembersShare, 12);
        Assert.Equal(0.2, effect.Difference, 12);
        Assert.Equal(0.049771, effect.Low, 5);
        Assert.Equal(0.350229, effect.High, 5);
    }

    [Fact]
    public void TwoCohorts_AreComparedEachWithItsOwn()
    {
        // Old customers stay anyway and most of them are members: 0.9 against 0.9, and of the new 0.5 against 0.5. Taken together members
        // would seem to stay 0.86 against 0.54.
        var effect = ComparedShares.Compare([new(90, 81, 10, 9), new(10, 5, 90, 45)])!;

        Assert.Equal(0, effect.Difference, 12);
        Assert.True(effect.Low < 0 && effect.High > 0);
    }

    [Theory]
    [InlineData(29, 20, 40, 20)]
    [InlineData(40, 20, 29, 20)]
    [InlineData(40, 0, 40, 0)]
    [InlineData(40, 40, 40, 40)]
    public void TooFewOrAllAlike_SaysNothing(long members, long membersDid, long others, long othersDid) =>
        Assert.Null(ComparedShares.Compare([new(members, membersDid, others, othersDid), new(1000, 500, 0, 0)]));

    [Fact]
    public void Difference_LiesInItsInterval_AndTurnsWithTheSides() => Prop.ForAll(
        Gen.Choose(0, 60).Four().ListOf().ToArbitrary(),
        cohorts =>
        {
            var pairs = cohorts.Select(c => new CohortPair(c.Item1 + c.Item2, c.Item1, c.Item3 + c.Item4, c.Item3)).ToArray();
            var (one, turned) = (ComparedShares.Compare(pairs), ComparedShares.Compare(
                [.. pairs.Select(c => new CohortPair(c.Others, c.OthersDid, c.Members, c.MembersDid))]));
            return one is null
                ? turned is null
                : turned is not null && one.Low <= one.Difference && one.Difference <= one.High
                    && Math.Abs(one.Difference + turned.Difference) < 1e-9
                    && Math.Abs(one.Low + turned.High) < 1e-6;
        }).QuickCheckThrowOnFailure();
}
