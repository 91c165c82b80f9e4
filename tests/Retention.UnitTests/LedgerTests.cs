using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.UnitTests;

public sealed class LedgerTests
{
    private static readonly DateTimeOffset January = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void WholePeriod_HalfAYearOfAYearlyPrice_IsTheWorkedAmount()
    {
        Assert.Equal(1190.217391m, Mrr.WholePeriod(600, Recurrence.Yearly, new(2026, 7, 1), new(2027, 1, 1)));
        Assert.Equal(99.184783m, Mrr.Monthly(1190.217391m, Recurrence.Yearly));
        Assert.Equal(310m, Mrr.WholePeriod(100, Recurrence.Monthly, new(2026, 1, 22), new(2026, 2, 1)));
        Assert.Equal(600m, Mrr.WholePeriod(600, Recurrence.Yearly, new(2026, 1, 1), new(2027, 1, 1)));
        Assert.Equal(600m, Mrr.WholePeriod(600, Recurrence.OneOff, new(2026, 7, 1), new(2027, 1, 1)));
    }

    [Fact]
    public void Replay_ReversedEntryAndItsReversal_CountNothing()
    {
        LedgerLine[] lines =
        [
            new(Id(1), RevenueType.New, 100, January), new(Id(2), RevenueType.Upsell, 50, January.AddDays(1), isVoid: true),
            new(Id(3), RevenueType.Upsell, 50, January.AddDays(1), isVoid: true),
            new(Id(4), RevenueType.Contraction, 120, January.AddDays(2)),
        ];

        var state = LedgerReplay.Run(LedgerState.Empty, lines);

        Assert.Equal(0, state.Mrr);
        Assert.Equal([100, 0, 0, -100], lines.Select(line => line.Delta));
    }

    [Fact]
    public void Replay_ChurnAndReturn_KeepsTheLastOfThem()
    {
        LedgerLine[] lines = [new(Id(1), RevenueType.New, 100, January), new(Id(2), RevenueType.Churn, 0, January.AddDays(5)), new(
            Id(3), RevenueType.Reactivation, 70, January.AddDays(9))];

        Assert.Equal(new LedgerState(0, true, January.AddDays(5), null), LedgerReplay.Run(LedgerState.Empty, lines[..2]));
        Assert.Equal(new LedgerState(70, false, null, January.AddDays(9)), LedgerReplay.Run(LedgerState.Empty, lines));
    }

    [Fact]
    public void Replay_EndOfALedgerFromTheStateBefore_GivesTheWholeLedgersState()
    {
        var entries = (from day in Gen.Choose(0, 100)
                       from type in Gen.Elements(
                           RevenueType.New, RevenueType.Upsell, RevenueType.Contraction, RevenueType.Renewal, RevenueType.Churn,
                           RevenueType.Reactivation)
                       from amount in Gen.Choose(0, 500)
                       from isVoid in Gen.Elements(false, false, false, true)
                       select (day, type, amount, isVoid)).ListOf();
        Prop.ForAll(entries.ToArbitrary(), Gen.Choose(0, 100).ToArbitrary(), (list, cut) =>
        {
            LedgerLine[] Lines() =>
                [.. list.Select(
                    (entry, index) => new LedgerLine(Id(index + 1), entry.type, entry.amount, January.AddDays(entry.day), entry.isVoid))];
            var (whole, shuffled) = (Lines(), Lines());
            var expected = LedgerReplay.Run(LedgerState.Empty, whole);
            var before = LedgerReplay.Run(LedgerState.Empty, shuffled.Where(line => line.Time < January.AddDays(cut)).Reverse());
            var actual = LedgerReplay.Run(before, shuffled.Where(line => line.Time >= January.AddDays(cut)).Reverse());
            return actual == expected && whole.Zip(shuffled).All(pair => pair.First.Delta == pair.Second.Delta)
                && expected.Mrr == whole.Sum(line => line.Delta) && expected.Mrr >= 0;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Theory]
    [InlineData("2025-01-31", 1, "2026-02-10", "2026-02-28")]
    [InlineData("2025-03-01", 12, "2026-02-28", "2026-03-01")]
    [InlineData("2025-03-01", 12, "2026-03-01", "2027-03-01")]
    [InlineData("2026-06-01", 12, "2026-03-01", "2027-06-01")]
    public void RenewalAfter_Contract_IsTheEndOfTheTermThatRuns(string start, int term, string day, string expected) =>
        Assert.Equal(Day(expected), CustomerLifecycle.RenewalAfter(Day(start), term, Day(day)));

    [Theory]
    [InlineData("2026-12-20", "2028-01-01")] // ahead of time
    [InlineData("2027-01-03", "2028-01-01")] // a little late
    [InlineData("2025-01-01", "2027-01-01")] // of an earlier term
    [InlineData("2029-05-01", "2030-01-01")] // two terms late
    public void Renewed_RenewalOn20270101_MovesOnByWholeTerms(string day, string expected) =>
        Assert.Equal(Day(expected), CustomerLifecycle.Renewed(new(2027, 1, 1), 12, Day(day)));

    [Fact]
    public void State_SeveralHold_TheFirstOfTheRuleCounts()
    {
        var now = January.AddDays(400);

        Assert.Equal(CustomerState.Churned, CustomerLifecycle.State(true, true, now, now, now));
        Assert.Equal(CustomerState.AtRisk, CustomerLifecycle.State(false, true, now, now, now));
        Assert.Equal(CustomerState.Reactivated, CustomerLifecycle.State(false, false, now, now.AddDays(-89), now));
        Assert.Equal(CustomerState.Onboarding, CustomerLifecycle.State(false, false, now.AddDays(-29), now.AddDays(-91), now));
        Assert.Equal(CustomerState.Active, CustomerLifecycle.State(false, false, now.AddDays(-30), null, now));
    }

    [Fact]
    public void LifetimeValue_WorkedExample_IsAverageRevenueTimesExpectedStay()
    {
        Assert.Equal(2500m, LifetimeValue.Of(5000, new(100, 2, 0), 31));
        Assert.Null(LifetimeValue.Of(5000, new(100, 0, 3), 31));
        Assert.Null(LifetimeValue.Of(0, new(0, 0, 0), 31));
    }

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd");

    private static Guid Id(int number) => new(number, 0, 0, new byte[8]);
}
