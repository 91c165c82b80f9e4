using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Retention.Domain;

namespace Lifecycle.Retention.UnitTests;

public sealed class MrrTests
{
    private static readonly DateTimeOffset January = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset[] Months = [.. Enumerable.Range(0, 7).Select(month => January.AddMonths(month))];

    [Theory]
    [InlineData(Recurrence.Monthly, 1200)]
    [InlineData(Recurrence.Quarterly, 400)]
    [InlineData(Recurrence.Yearly, 100)]
    [InlineData(Recurrence.OneOff, 0)]
    public void Monthly_Of1200_IsItsShare(Recurrence recurrence, int expected)
    {
        Assert.Equal(expected, Mrr.Monthly(1200, recurrence));
    }

    [Fact]
    public void Waterfall_WorkedExample_MovesOncePerCustomerAndMonth()
    {
        var (a, b, c) = (Id(1), Id(2), Id(3));
        MrrChange[] changes =
        [
            new(a, January.AddDays(-40), 1000),     // there at the start
            new(b, January.AddDays(3), 500),        // new in January …
            new(b, January.AddDays(10), 100),       // … with more in the same month: one movement of 600
            new(a, January.AddMonths(1), 250),      // expansion in February
            new(b, January.AddMonths(1).AddDays(1), -200), // contraction
            new(a, January.AddMonths(2).AddDays(5), -1250), // churn in March
            new(c, January.AddMonths(2).AddDays(5), 300),
            new(c, January.AddMonths(2).AddDays(9), -300), // won and lost within March: no movement
            new(a, January.AddMonths(3), 700),      // reactivation in April
            new(c, January.AddMonths(3), 300),      // once had some: reactivation, too
        ];

        var rows = Mrr.Waterfall(changes, Months);

        Assert.Equal(new MrrMovements(1000, 600, 0, 0, 0, 0), rows[0]);
        Assert.Equal(new MrrMovements(1600, 0, 0, 250, 200, 0), rows[1]);
        Assert.Equal(new MrrMovements(1650, 0, 0, 0, 0, 1250), rows[2]);
        Assert.Equal(new MrrMovements(400, 0, 1000, 0, 0, 0), rows[3]);
        Assert.Equal(1400m, rows[^1].End);
        Assert.Equal(0.875m, rows[1].Grr);
        Assert.Equal(1.03125m, rows[1].Nrr);
    }

    [Fact]
    public void Retention_OfNothing_HasNoValue()
    {
        Assert.Null(new MrrMovements(0, 600, 0, 0, 0, 0).Grr);
        Assert.Null(new MrrMovements(0, 600, 0, 0, 0, 0).Nrr);
    }

    [Fact]
    public void Waterfall_MonthWithoutMovement_HasNoNegativeZero()
    {
        var rows = Mrr.Waterfall([new(Id(1), January.AddDays(-40), 1000.50m)], Months);

        Assert.All(rows, row => Assert.False(double.IsNegative((double)row.Contraction)));
    }

    [Fact]
    public void Waterfall_AnyLedger_EndsWhereTheNextBegins()
    {
        var entries = (from customer in Gen.Choose(1, 4)
                       from day in Gen.Choose(-60, 220)
                       from type in Gen.Elements(
                           RevenueType.New, RevenueType.Upsell, RevenueType.Contraction, RevenueType.Churn, RevenueType.Reactivation)
                       from amount in Gen.Choose(1, 5000)
                       select (customer, day, type, amount)).ListOf();
        Prop.ForAll(entries.ToArbitrary(), list =>
        {
            var changes = new List<MrrChange>();
            foreach (var customer in list.GroupBy(entry => entry.customer))
            {
                var mrr = 0m;
                foreach (var (_, day, type, amount) in customer.OrderBy(entry => entry.day))
                {
                    var delta = Mrr.Delta(type, amount, mrr);
                    mrr += delta;
                    changes.Add(new(Id(customer.Key), January.AddDays(day), delta));
                }
            }

            var rows = Mrr.Waterfall(changes, Months);
            var sumsHold = Enumerable.Range(0, rows.Count)
                .All(index => rows[index].End == changes.Where(change => change.Time < Months[index + 1]).Sum(change => change.Delta));
            var chained = rows.Zip(rows.Skip(1)).All(pair => pair.First.End == pair.Second.Start);
            var signs = rows.All(
                row => row is { Start: >= 0, New: >= 0, Reactivation: >= 0, Expansion: >= 0, Contraction: >= 0, Churn: >= 0 }
                    && row.Churn + row.Contraction <= row.Start);
            return sumsHold && chained && signs;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    private static Guid Id(int number) => new(number, 0, 0, new byte[8]);
}
